"""Replaying a policy on recorded answers gives what serving them would have given."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
import pytest

from gatekeeper.assessment import Action, Finding, Subject
from gatekeeper.auxiliary import Auxiliary
from gatekeeper.errors import ConfigurationError, ReplayMiss
from gatekeeper.exchange import Case, Completion
from gatekeeper.gate import Bundle, Gate
from gatekeeper.monitoring.risk.drift import cells_of
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.request import parse_chat
from radsafe_bench.gate import replay as replaying
from radsafe_bench.gate.replay import Decided, fingerprint_of, load_recording, replay
from radsafe_bench.records import RECORDS, Record, Run, load_run
from tests.radsafe_bench.gate.conftest import CLEAN, FINGERPRINT, POLICY, Said, Stage, bundle


@dataclass(frozen=True)
class Recorded:
    """A backend that serves one recorded answer."""

    completion: Completion

    async def complete(self, case: Case) -> Completion:
        return self.completion


@pytest.fixture
def run(stage: Stage) -> Run:
    """Return a run with sure, unsure, wordless and missing answers."""
    answers = stage.right()
    places = list(answers)
    answers[places[0]] = Said("A", 0.3)
    answers[places[1]] = Said(None)
    answers[places[2]] = None
    return stage.run(answers)


async def serve(record: Record, under: Bundle | None = None, model: Auxiliary | None = None) -> Decided:
    """Return what the pipeline behind the server decides on a recorded answer, perhaps with a model."""
    if record.response is None:
        return Decided(record.question, record.condition, None, None)
    completion = parse_chat_completion(record.response, fingerprint=record.fingerprint)
    gate = Gate(Recorded(completion), under or bundle(), model)  # type: ignore[arg-type]  # asked for nothing else
    outcome = await gate.answer(parse_chat(record.request), "id")
    judgement = outcome.judgements[0]
    return Decided(
        question=record.question,
        condition=record.condition,
        letter=record.letter,
        action=outcome.action,
        rules=tuple(reason.rule for reason in judgement.decision.reasons),
        p_correct=judgement.assessment.confidence.calibrated,
        signals=judgement.assessment.signals,
        cells=cells_of(judgement, ()),
    )


def test_replay_decides_as_the_serving_gate_does(run: Run) -> None:
    """Action, reasons and signals are those of the pipeline behind the server, answer by answer."""
    served = tuple(asyncio.run(serve(record)) for record in run.records)
    assert replay(run, bundle()) == served


def test_replaying_twice_gives_the_same_decisions(run: Run) -> None:
    """A verdict does not change by being asked for again."""
    assert replay(run, bundle()) == replay(run, bundle())


def test_an_unsure_answer_is_held_and_a_failed_request_is_undecided(run: Run) -> None:
    """What the user would have seen is told apart from what never came."""
    first, second, third, fourth = replay(run, bundle())[:4]
    assert (first.action, first.rules) == (Action.ESCALATE, ("unsure",))
    assert (second.action, second.letter) == (Action.RELEASE, None)
    assert third.action is None
    assert fourth.action is Action.RELEASE


def test_slow_machines_decide_alike(run: Run) -> None:
    """A timeout that would bite in service holds nothing back in replay."""
    text = POLICY.replace("checks: {", "checks: {confidence: {timeout_s: 0.000000001}, ")
    assert [one.action for one in replay(run, bundle(text))] == [one.action for one in replay(run, bundle())]


def test_regenerate_ends_as_the_stricter_action(run: Run) -> None:
    """A second answer was never recorded, so none is made up."""
    text = POLICY.replace("then: escalate", "then: regenerate") + "regenerate: {tries: 3, then: abstain}\n"
    first = replay(run, bundle(text))[0]
    assert first.action is Action.ABSTAIN
    assert first.rules == ("regeneration_failed", "unsure")


@pytest.mark.parametrize(
    "addition", ["prompt: {instruction: Answer from the evidence.}", "evidence: {inject: true}"]
)
def test_a_policy_that_changes_the_prompt_needs_its_own_recording(run: Run, addition: str) -> None:
    """Answers to another prompt are not passed off as answers to this one."""
    with pytest.raises(ReplayMiss, match="gate --live"):
        replay(run, bundle(f"{POLICY}\n{addition}\n"))


class Asking:
    """A check that needs a model."""

    name = "slots"
    inline = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        raise ReplayMiss("this call was not recorded")


def test_a_check_whose_call_was_not_recorded_stops_the_replay(run: Run) -> None:
    """It does not pass for a check that failed, which a policy may well tolerate."""
    asking = replace(bundle(), checks=(Asking(),))
    with pytest.raises(ReplayMiss, match="not recorded"):
        replay(run, asking)


def test_evidence_expires_on_the_day_of_the_recording(stage: Stage) -> None:
    """A report made next year from the same recording says the same."""
    run = stage.run(stage.right())
    lines = [orjson.loads(line) for line in (run.path / RECORDS).read_bytes().splitlines()]
    for day, line in zip(("2025-12-31", "2026-01-01"), lines, strict=False):
        line["request"]["evidence"][0]["expires"] = day
    (run.path / RECORDS).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    states = [one.signals["evidence.state"] for one in replay(load_run(run.path), bundle())]
    assert states[:3] == ["expired", "supplied", "supplied"]


def test_a_garbled_response_is_an_undecided_question(stage: Stage) -> None:
    """A recorded body that is no completion counts as an error, not as a release."""
    run = stage.run(stage.right())
    broken = replace(run.records[0], response={"choices": []})
    decided = replay(replace(run, records=(broken, *run.records[1:])), bundle())
    assert decided[0].action is None


def test_two_greedy_answers_to_one_question_are_refused(stage: Stage) -> None:
    """A run made with two prompts in turn cannot be judged as one."""
    run = stage.run(stage.right())
    doubled = replace(run, records=(*run.records, replace(run.records[0], key="another")))
    with pytest.raises(ConfigurationError, match="2 greedy answers"):
        replay(doubled, bundle())


def test_a_run_of_two_models_has_no_fingerprint(stage: Stage) -> None:
    """Answers of a model that was swapped in between are not certified as one model's."""
    run = stage.run(stage.right())
    assert fingerprint_of(run) == FINGERPRINT
    mixed = replace(run, records=(replace(run.records[0], fingerprint="other"), *run.records[1:]))
    with pytest.raises(ConfigurationError, match="2 models"):
        fingerprint_of(mixed)


def test_only_greedy_answers_of_the_main_pass_are_judged(stage: Stage) -> None:
    """Samples and the repeated pass do not enter twice."""
    run = stage.run(stage.right(), stage.right())
    sampled = replace(run.records[0], key="sample", sample=0)
    decided = replay(replace(run, records=(*run.records, sampled)), bundle())
    assert len(decided) == len(stage.suite.questions)
    assert {one.condition for one in decided} == {CLEAN}


def test_a_large_run_is_decided_alike_in_several_processes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many cores a machine has changes neither a decision nor the order."""
    alone = replay(run, bundle())
    monkeypatch.setattr(replaying, "_SMALL", 0)
    assert replay(run, bundle()) == alone


def test_a_miss_in_another_process_is_told_all_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message that names the command reaches the user from wherever it is raised."""
    monkeypatch.setattr(replaying, "_SMALL", 0)
    with pytest.raises(ReplayMiss, match="gate --live"):
        replay(run, bundle(f"{POLICY}\nevidence: {{inject: true}}\n"))


def test_a_recording_is_read_without_its_samples(stage: Stage) -> None:
    """Twenty samples a question do not slow the gate down."""
    run = stage.run({**stage.right()})
    path = run.path / RECORDS
    sample = {**orjson.loads(path.read_bytes().splitlines()[0]), "key": "sample", "sample": 0}
    path.write_bytes(path.read_bytes() + orjson.dumps(sample) + b"\n")
    assert load_recording(run.path).records == run.records
