"""Model calls of checks are recorded once, and replayed without a model, to the same decisions."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gatekeeper.assessment import Verdict
from gatekeeper.auxiliary import Auxiliary, Drawn, LabelCall, Problem, Reading
from gatekeeper.errors import ConfigurationError, ReplayMiss
from radsafe_bench.cli import main
from radsafe_bench.gate import replay as replaying
from radsafe_bench.gate.auxiliary import CALLS, load_calls
from radsafe_bench.gate.consulting import Consultation, consult
from radsafe_bench.gate.replay import Decided, given_time, replay
from radsafe_bench.gate.trial import records_digest
from radsafe_bench.records import RECORDS, Run, load_run
from tests.fake_upstream import FakeUpstream, json_body, status
from tests.judging import BIAS, SURE, Reader, View, judging, one_token
from tests.radsafe_bench.gate.conftest import CLEAN, FINGERPRINT, POLICY, Said, Stage, bundle
from tests.radsafe_bench.gate.test_replay import serve

ASKING = POLICY.replace(
    "triage: {enabled: false}",
    "triage: {enabled: false}, judge: {enabled: true, deadline_s: 0.001, timeout_s: 0.002}, "
    "options: {enabled: true, model: true, permutations: true, without_evidence: true}, "
    "samples: {enabled: true, answers: 2, band: [0.0, 1.0]}",
).replace(
    "rules:",
    """rules:
  - id: judged
    when: {judge.p_contradicted: {at_least: 0.5}}
    then: block
  - id: torn
    when: {samples.agreement: {below: 0.5}}
    then: abstain""",
)
JUDGING = POLICY.replace(
    "triage: {enabled: false}", "triage: {enabled: false}, judge: {enabled: true}"
).replace("rules:", "rules:\n  - {id: j, when: {judge.p_contradicted: {at_least: 0.5}}, then: block}")
FEW = 6


def view(statement: str) -> View:
    """Return a view that differs from statement to statement."""
    return SURE[list(Verdict)[sum(map(ord, statement)) % 3]]


def even(prompt: str) -> Mapping[str, float]:
    """Return a choice among letters that prefers the first."""
    return dict(zip("ABCDE", (0.3, 0.25, 0.2, 0.15, 0.1), strict=True))


def reader(**rest: Any) -> Reader:
    """Return a model that has an opinion on everything."""
    given = {"draws": [Drawn("A", fingerprint=FINGERPRINT), Drawn("B", fingerprint=FINGERPRINT)], **rest}
    return Reader(view, BIAS, letters=even, fingerprint=FINGERPRINT, **given)


@pytest.fixture
def run(stage: Stage) -> Run:
    """Return a run of a few answers, one of them a failed request."""
    answers: dict[Any, Said | None] = dict(list(stage.right().items())[:FEW])
    answers[next(iter(answers))] = None
    return stage.run(answers)


def recorded(run: Run, model: Auxiliary, text: str = ASKING, **rest: Any) -> Consultation:
    """Record the calls of a policy."""
    return asyncio.run(consult(run, bundle(text), model, **rest))


def served(run: Run, model: Auxiliary) -> tuple[Decided, ...]:
    """Return what the pipeline behind the server decides with the model at hand."""
    under = given_time(bundle(ASKING))
    return tuple(asyncio.run(serve(record, under, model)) for record in run.records)


def test_replay_decides_as_the_gate_with_its_model_did(run: Run) -> None:
    """Action, reasons and every signal are those of serving, and no deadline of the policy bites."""
    recorded(run, reader())
    decided = replay(run, bundle(ASKING))
    assert decided == served(run, reader())
    measured = set().union(*(one.signals for one in decided))
    assert {"judge.p_contradicted", "options.flip_rate", "options.implied", "samples.agreement"} <= measured


def test_replay_in_several_processes_knows_the_calls_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large run is decided alike."""
    recorded(run, reader())
    alone = replay(run, bundle(ASKING))
    monkeypatch.setattr(replaying, "_SMALL", 0)
    assert replay(run, bundle(ASKING)) == alone


def test_only_what_is_missing_is_asked(run: Run) -> None:
    """The same command again asks nobody; another policy's calls are added to the same file."""
    first = recorded(run, reader())
    again = reader()
    assert first.new > 0
    assert recorded(run, again) == Consultation(0, 0)
    assert (again.asked, again.drawn) == ([], [])
    more = ASKING.replace("answers: 2", "answers: 3")
    assert recorded(run, again, more).new == FEW - 1
    assert {call.case.conversation.body["seed"] for call in again.drawn} == {2}
    assert replay(run, bundle(more))
    assert replay(run, bundle(ASKING))


def test_a_call_that_was_not_recorded_is_named(run: Run) -> None:
    """The error holds check and key, and no word of the exchange; without any file it is the same."""
    with pytest.raises(ReplayMiss, match=r"'judge' needs the model call [0-9a-f]{64}"):
        replay(run, bundle(ASKING))
    recorded(run, reader())
    lines = (run.path / CALLS).read_bytes().splitlines(keepends=True)
    gone = next(line for line in lines if orjson.loads(line)["check"] == "samples")
    (run.path / CALLS).write_bytes(b"".join(line for line in lines if line != gone))
    with pytest.raises(ReplayMiss) as caught:
        replay(run, bundle(ASKING))
    assert orjson.loads(gone)["key"] in caught.value.message
    assert "'samples'" in caught.value.message
    assert "interval" not in caught.value.message


def test_recordings_without_calls_stay_valid(run: Run) -> None:
    """A policy that asks no model reads an old run as before, and its digest is as it was."""
    before, digest = replay(run, bundle()), records_digest(run)
    recorded(run, reader())
    assert replay(run, bundle()) == before
    assert records_digest(run) == digest
    assert records_digest(run, calls=True) != digest


def test_a_lasting_problem_is_part_of_the_record(run: Run) -> None:
    """A server without token probabilities is unavailable in replay as it was in service."""
    model = reader(fails=lambda _: Problem.LOGPROBS)
    assert recorded(run, model).missing == 0
    decided = replay(run, bundle(ASKING))
    assert decided == served(run, model)
    assert "check_unavailable" in decided[1].rules
    assert recorded(run, reader()).new > 0
    assert "check_unavailable" not in replay(run, bundle(ASKING))[1].rules


@pytest.mark.parametrize("problem", [Problem.TIMEOUT, Problem.ERROR])
def test_a_passing_problem_is_missing_and_asked_again(run: Run, problem: Problem) -> None:
    """What failed by accident is not passed off as the model's answer."""

    def fails(call: LabelCall) -> Problem | None:
        return problem if call.check == "judge" else None

    assert recorded(run, reader(fails=fails)).missing > 0
    with pytest.raises(ReplayMiss, match="'judge'"):
        replay(run, bundle(ASKING))
    assert recorded(run, reader()).missing == 0
    assert replay(run, bundle(ASKING))


def test_a_second_judge_is_asked_anew(run: Run) -> None:
    """Opinions of the judge before are not passed off as those of the one that judges now."""
    recorded(run, reader(), JUDGING)
    other = Reader(view, BIAS, fingerprint="other")
    assert recorded(run, other, JUDGING, judge="other").new > 0
    assert recorded(run, other, JUDGING, judge="other") == Consultation(0, 0)
    pinned = JUDGING.replace("judge: {enabled: true", "judge: {enabled: true, fingerprint: %s")
    assert "check_unavailable" not in replay(run, bundle(pinned % "other"))[1].rules
    assert "check_unavailable" in replay(run, bundle(pinned % f"'{FINGERPRINT}'"))[1].rules


def test_another_model_does_not_speak_for_the_recorded_one(run: Run) -> None:
    """Answers of weights that were swapped meanwhile stop the recording."""
    with pytest.raises(ConfigurationError, match="another answered"):
        recorded(run, reader(draws=[Drawn("A", fingerprint="another")] * 2))


def test_one_condition_can_be_recorded_alone(stage: Stage) -> None:
    """Calls are made for the conditions that are wanted."""
    run = stage.run(
        dict(list(stage.right([CLEAN]).items())[:1] + list(stage.right(["standard_rag"]).items())[:1])
    )
    elsewhere = reader()
    assert recorded(run, elsewhere, conditions=["max_context"]) == Consultation(0, 0)
    assert elsewhere.asked == []


def test_a_line_that_is_no_call_is_named(tmp_path: Path) -> None:
    """A damaged file is told by its line; a line that an interrupt cut off does not count."""
    path = tmp_path / CALLS
    whole = b'{"key": "k", "check": "judge", "whom": "judge", "logprobs": [-1.0]}\n'
    path.write_bytes(whole + b'{"key": "l", "logpro')
    assert load_calls(path) == {"k": Reading((-1.0,))}
    path.write_bytes(b'{"key": "k", "check": "judge", "whom": "judge"}\n')
    with pytest.raises(ConfigurationError, match="line 1"):
        load_calls(path)


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """Yield a model server whose model is the one that was recorded."""
    with FakeUpstream() as server:
        yield server


@pytest.fixture
def invoke(run: Run) -> Callable[..., Result]:
    """Return a function that runs `consult` on the run, recorded from the server's model."""
    lines = [orjson.loads(line) for line in (run.path / RECORDS).read_bytes().splitlines()]
    for line in lines:
        line["fingerprint"] = "openai:judge-model#q4"
    (run.path / RECORDS).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    (run.path / "policy.yaml").write_text(ASKING)

    def call(*arguments: str) -> Result:
        given = ["--policy", str(run.path / "policy.yaml"), "--run", str(run.path), *arguments]
        return CliRunner().invoke(main, ["consult", *given])

    return call


def test_the_command_records_what_the_replay_needs(
    run: Run, upstream: FakeUpstream, invoke: Callable[..., Result]
) -> None:
    """After one command against a server the policy replays with the server gone."""
    letters = {"A": 0.4, "B": 0.3, "C": 0.1, "D": 0.1, "E": 0.1}
    upstream.play(judging(view, otherwise=json_body(one_token(letters, 5))))
    result = invoke("--target", upstream.url, "--fingerprint", "q4")
    assert result.exit_code == 0, result.output
    assert " 0 missing" in result.output
    assert len(replay(load_run(run.path), bundle(ASKING))) == FEW
    assert "0 calls recorded" in invoke("--target", upstream.url, "--fingerprint", "q4").output


def test_the_command_says_what_cannot_be(
    run: Run, upstream: FakeUpstream, invoke: Callable[..., Result]
) -> None:
    """A dead server, another model and a missing address end with status 3, failing calls with 1."""
    upstream.play(json_body(one_token({"A": 0.5, "B": 0.5})))
    assert invoke().exit_code == 3
    other = invoke("--target", upstream.url)
    assert (other.exit_code, "judge-model answered" in other.output) == (3, True)
    upstream.play(
        json_body(one_token({"A": 0.5, "B": 0.5})), *[json_body(one_token({"A": 1.0}))] * 5, status(500)
    )
    failing = invoke("--target", upstream.url, "--fingerprint", "q4")
    assert (failing.exit_code, "same command" in failing.output) == (1, True)
    upstream.play(status(401))
    assert invoke("--target", upstream.url).exit_code == 3
    (run.path / "policy.yaml").write_text(POLICY)
    assert "no check of this policy" in invoke("--target", upstream.url).output


def test_a_run_of_the_baseline_needs_a_judge_only(
    stage: Stage, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """What answers in this process has no address to give; a second model reads its answers."""
    run = stage.run(dict(list(stage.right().items())[:FEW]), backend="extractive")
    (tmp_path / "policy.yaml").write_text(JUDGING)
    upstream.play(judging(view))
    given = ("--policy", tmp_path / "policy.yaml", "--run", run.path, "--judge-target", upstream.url)
    result = CliRunner().invoke(main, ["consult", *map(str, given)])
    assert result.exit_code == 0, result.output
    assert len(replay(run, bundle(JUDGING))) == FEW
