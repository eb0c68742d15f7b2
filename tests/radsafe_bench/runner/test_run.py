"""Whole runs against a model server on loopback."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from gatekeeper.errors import ConfigurationError, UpstreamError
from radsafe_bench.conditions import MAIN, Condition
from radsafe_bench.conditions.prompt import REPORT
from radsafe_bench.records import Record, load_run
from radsafe_bench.runner import CannotResume, RunAborted
from radsafe_bench.suites import Suite
from tests.fake_upstream import CANARY, raw, status
from tests.radsafe_bench.runner.conftest import Ask, quick
from tests.radsafe_bench.runner.model_server import ModelServer, model, said, storm
from tests.radsafe_bench.runner.small import make_suite


def records(folder: Path) -> tuple[Record, ...]:
    """Return the records of the run, each key once."""
    return load_run(folder / "run").records


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every line of the records file, superseded ones too."""
    return [orjson.loads(line) for line in (folder / "run" / "records.jsonl").read_bytes().splitlines()]


def manifest(folder: Path) -> dict[str, Any]:
    """Return the run's manifest."""
    found: dict[str, Any] = orjson.loads((folder / "run" / "manifest.json").read_bytes())
    return found


def never_reports(body: dict[str, Any]) -> str:
    """Answer everything but the request for a report."""
    return "" if body["messages"][0]["content"] == REPORT else said(body)


async def test_a_run_records_every_question_under_every_condition(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """Six conditions, greedy and two samples: one record each, with request, answer and letter."""
    result = await ask(*MAIN, samples=2, context_window=10_000)
    assert (result.answered, result.errors, result.missing, result.new) == (72, 0, 0, 72)
    found = records(tmp_path)
    places = Counter((record.question, record.condition, record.sample) for record in found)
    assert len(places) == 72 and set(places.values()) == {1}
    for record in found:
        assert record.response and record.letter == record.response["choices"][0]["message"]["content"]
        assert record.latency_s is not None and record.latency_s > 0
        assert (record.model, record.fingerprint) == ("fake-model", "openai:fake-model")


async def test_requests_carry_what_the_protocol_says(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """Greedy at temperature 0, samples at 0.7 with their index as seed, ten tokens, probabilities."""
    await ask(samples=2)
    sent = [{key: value for key, value in body.items() if key != "messages"} for body in server.questions[:3]]
    shared = {"model": "fake-model", "max_tokens": 10, "logprobs": True, "top_logprobs": 1}
    assert sent == [
        {**shared, "temperature": 0.0},
        {**shared, "temperature": 0.7, "seed": 0},
        {**shared, "temperature": 0.7, "seed": 1},
    ]
    assert manifest(tmp_path)["sampling"]["top_logprobs"] == 1


async def test_a_plain_server_is_not_sent_the_evidence_field_that_is_recorded(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """A server that refuses unknown fields can be asked, and a gate can judge the record later."""
    await ask(Condition.CLEAN_EVIDENCE)
    assert all("evidence" not in body for body in server.questions)
    for record in records(tmp_path):
        (document,) = record.request["evidence"]
        assert record.request["messages"][1]["content"].startswith(document["text"] + "\n\nQuestion: ")


async def test_a_finished_run_asks_nothing_again(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """The same command twice costs nothing the second time, also where the model researched."""
    await ask(*MAIN, samples=1, context_window=10_000)
    before, asked = (tmp_path / "run" / "records.jsonl").read_bytes(), len(server.questions)
    result = await ask(*MAIN, samples=1, context_window=10_000)
    assert (result.answered, result.new) == (48, 0)
    assert len(server.questions) == asked
    assert (tmp_path / "run" / "records.jsonl").read_bytes() == before


async def test_a_run_can_grow(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """More samples and conditions are added to what is there, and reports are kept."""
    await ask(Condition.AGENTIC_RAG)
    result = await ask(Condition.AGENTIC_RAG, Condition.CLOSED_BOOK, samples=2)
    assert (result.answered, result.new) == (24, 20)
    reports = {
        (record.question, record.request["evidence"][0]["text"])
        for record in records(tmp_path)[:12]
        if record.condition == "agentic_rag"
    }
    assert len(reports) == 4
    assert manifest(tmp_path)["conditions"] == ["agentic_rag", "closed_book"]


async def test_research_is_recorded_step_by_step(ask: Ask, tmp_path: Path) -> None:
    """The leading record holds every call on the way to the report that its question was asked with."""
    await ask(Condition.AGENTIC_RAG, samples=1)
    for line in lines(tmp_path):
        if line["sample"] == -1:
            assert [step["action"] for step in line["steps"]] == [
                "plan",
                "note",
                "note",
                "note",
                "note",
                "report",
            ]
            assert line["steps"][-1]["text"] == line["request"]["evidence"][0]["text"]
        else:
            assert "steps" not in line


async def test_a_model_that_only_names_letters_is_not_asked_to_research(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """agentic_rag is marked as not applicable, never faked; the rest of the run goes on."""
    server.play(model(says=lambda body: "B"))
    result = await ask(Condition.AGENTIC_RAG, Condition.CLOSED_BOOK)
    assert result.answered == 4
    assert set(result.not_applicable) == {"agentic_rag"}
    why_not = load_run(tmp_path / "run").manifest.why_not
    assert "does not follow instructions" in why_not["agentic_rag"]


async def test_a_failed_report_is_an_error_of_every_answer_that_needs_it(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """Without its report a question is not put; the next session makes the report and asks."""
    server.play(model(says=never_reports))
    result = await ask(Condition.AGENTIC_RAG, samples=1)
    assert (result.answered, result.errors) == (0, 8)
    assert {record.error.code for record in records(tmp_path) if record.error} == {"no_report"}
    server.play(model())
    result = await ask(Condition.AGENTIC_RAG, samples=1)
    assert (result.answered, result.errors) == (8, 0)
    assert len(records(tmp_path)) == 8


async def test_a_storm_of_refusals_loses_nothing(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """Refused calls are made again, more slowly, until every answer is there."""
    server.play(storm(30, model()))
    pacing = quick(tries=50)
    result = await ask(samples=4, pacing=pacing)
    assert (result.answered, result.errors) == (20, 0)
    assert pacing.refusals == 30
    assert len(lines(tmp_path)) == 20


async def test_errors_are_records_and_are_asked_again(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """A question that failed has a record that says so, without the server's words; later it is answered."""
    server.play(storm(6, model(), code=400))
    result = await ask(samples=1)
    assert (result.answered, result.errors, result.missing) == (2, 6, 0)
    failed = [record for record in records(tmp_path) if record.error]
    assert [(record.error.code, record.error.status) for record in failed if record.error] == [
        ("upstream_error", 400)
    ] * 6
    assert all(record.letter is None and record.response is None for record in failed)
    assert CANARY.encode() not in (tmp_path / "run" / "records.jsonl").read_bytes()
    result = await ask(samples=1)
    assert (result.answered, result.errors, result.new) == (8, 0, 6)
    assert len(records(tmp_path)) == 8


async def test_errors_can_be_kept(ask: Ask, server: ModelServer) -> None:
    """With keep_errors a question that the server refuses for good is not asked again."""
    server.play(storm(6, model(), code=400))
    await ask()
    asked = len(server.questions)
    result = await ask(keep_errors=True)
    assert (result.answered, result.errors, result.new) == (0, 4, 0)
    assert len(server.questions) == asked


async def test_kept_errors_of_research_do_not_hold_up_new_samples(ask: Ask, server: ModelServer) -> None:
    """A report that failed for good is an error of the samples added later, too."""
    server.play(model(says=never_reports))
    await ask(Condition.AGENTIC_RAG)
    result = await ask(Condition.AGENTIC_RAG, samples=1, keep_errors=True)
    assert (result.answered, result.errors, result.missing) == (0, 8, 0)


async def test_an_unreadable_answer_is_an_error_of_its_question(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """Nonsense from the server ends no run."""
    server.play(model(), model(), model(), model(), model(), model(), raw(b"<html>"), model())
    result = await ask()
    assert result.errors == 1
    assert [record.error.code for record in records(tmp_path) if record.error] == ["upstream_garbled"]


@pytest.mark.parametrize("code", [401, 403, 404])
async def test_a_refused_key_or_name_ends_the_run(
    ask: Ask, server: ModelServer, tmp_path: Path, code: int
) -> None:
    """A run of thousands of questions does not collect the same refusal thousands of times."""
    server.play(storm(99, model(), code=code))
    with pytest.raises(RunAborted):
        await ask(samples=20, pacing=quick(most=1))
    assert len(lines(tmp_path)) == 1


async def test_a_server_that_goes_away_ends_the_run(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """After two dozen questions without an answer the run ends, says how to resume, and can be resumed."""
    server.play(storm(10_000, model(), code=503))
    with pytest.raises(RunAborted, match="Run the same command again"):
        await ask(samples=20, pacing=quick(tries=2))
    assert len(lines(tmp_path)) < 40
    server.play(model())
    assert (await ask(samples=20)).answered == 84


async def test_nobody_at_the_address_is_said_at_once(ask: Ask) -> None:
    """A mistyped address is no reason to wait through all retries."""
    with pytest.raises(ConfigurationError, match="no model server answers"):
        await ask(target={"url": "http://127.0.0.1:9"})


async def test_a_refused_key_is_said_as_such(ask: Ask, server: ModelServer) -> None:
    """A server that keeps its list of models from strangers is not said to have none."""
    server.models_act = status(401)
    with pytest.raises(UpstreamError, match="refused the gatekeeper's API key"):
        await ask()


async def test_another_model_in_mid_run_ends_it(ask: Ask, server: ModelServer) -> None:
    """Answers of two models never stand in one run."""
    server.play(*[model()] * 8, model(served="other-model"))
    with pytest.raises(ConfigurationError, match="now serves another model"):
        await ask(samples=20)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"sampling": {"temperature": 1.0}}, r"another sampling\.temperature:"),
        ({"sampling": {"max_tokens": 20}}, r"another sampling\.max_tokens:"),
        ({"sampling": {"extra": {"top_p": 0.9}}}, r"another sampling\.extra:"),
        ({"target": {"fingerprint": "q4"}}, "another fingerprint:"),
    ],
)
async def test_a_run_is_not_resumed_with_other_settings(ask: Ask, change: dict[str, Any], names: str) -> None:
    """Records that are not comparable never stand side by side."""
    await ask()
    with pytest.raises(CannotResume, match=names):
        await ask(**change)


async def test_a_run_is_not_resumed_with_another_suite_or_corpus(ask: Ask, tmp_path: Path) -> None:
    """Neither questions nor corpus may change under a run."""
    await ask(Condition.STANDARD_RAG)
    with pytest.raises(CannotResume, match=r"suite\.digest, another retrieval:"):
        await ask(Condition.STANDARD_RAG, of=make_suite(tmp_path, 5, name="other"))
    folder = tmp_path / "leaflets"
    folder.mkdir()
    (folder / "clip.txt").write_text("Wait.", encoding="utf-8")
    with pytest.raises(CannotResume, match="another retrieval:"):
        await ask(Condition.STANDARD_RAG, corpus=(folder,))


async def test_a_prompt_of_another_wording_is_not_mixed_in(ask: Ask, tmp_path: Path) -> None:
    """A run begun under another prompt version is refused."""
    await ask()
    path = tmp_path / "run" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"version": "1"', b'"version": "0"'))
    with pytest.raises(CannotResume, match="another prompt:"):
        await ask()


async def test_the_servers_noise_is_measured(ask: Ask, server: ModelServer, tmp_path: Path) -> None:
    """Of the greedy letters asked twice, the share that changed is in the manifest."""
    seen: Counter[str] = Counter()

    def moody(body: dict[str, Any]) -> str:
        user = body["messages"][-1]["content"]
        seen[user] += 1
        return "A" if seen[user] == 1 or "clip" in user else "B"

    server.play(model(says=moody))
    await ask(repeat=True)
    assert manifest(tmp_path)["aa"] == {
        "n": 4,
        "changed": 3,
        "share": 0.75,
        "conditions": {"closed_book": {"n": 4, "changed": 3, "share": 0.75}},
    }


async def test_reasoning_gets_its_tokens_and_is_stripped(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """With a reasoning budget the letter is read from what follows the reasoning."""
    server.play(model(says=lambda body: "<think>B, surely. Or A?</think>C"))
    await ask(sampling={"reasoning": True, "max_tokens": 4096})
    assert {body["max_tokens"] for body in server.questions} == {4096}
    assert {record.letter for record in records(tmp_path)} == {"C"}


@pytest.mark.parametrize("field", ["prompt", "content"])
async def test_the_window_is_filled_by_the_servers_own_count(
    ask: Ask, server: ModelServer, tmp_path: Path, field: str
) -> None:
    """The tokenizers of vLLM and llama-server are asked, each text once."""
    server.window, server.count_field = 8_200, field
    await ask(Condition.MAX_CONTEXT)
    stated = manifest(tmp_path)["max_context"]
    assert stated == {
        "window": 8_200,
        "window_from": "the server",
        "reserved": 7_144,
        "lengths_by": "the server's /tokenize",
    }
    assert all(len(record.request["evidence"]) == 8 for record in records(tmp_path))
    assert server.tokenized <= 8 + 2


async def test_without_a_window_max_context_is_not_asked(ask: Ask, tmp_path: Path) -> None:
    """The run says which option is missing, and asks the other conditions."""
    result = await ask(Condition.MAX_CONTEXT, Condition.CLOSED_BOOK)
    assert (result.answered, list(result.not_applicable)) == (4, ["max_context"])
    assert "--context-window" in result.not_applicable["max_context"]


async def test_an_estimate_is_stated_as_one(ask: Ask, tmp_path: Path) -> None:
    """Where no tokenizer can be asked, the manifest says how lengths were estimated."""
    await ask(Condition.MAX_CONTEXT, context_window=9_000)
    stated = manifest(tmp_path)["max_context"]
    assert stated["window_from"] == "--context-window"
    assert stated["lengths_by"] == "an estimate of 2.5 bytes per token, which rather overstates lengths"


async def test_recall_and_corpus_are_stated(ask: Ask, tmp_path: Path) -> None:
    """The manifest says what was searched and how often the passage that answers was found."""
    await ask(Condition.STANDARD_RAG)
    stated = manifest(tmp_path)["retrieval"]
    assert (stated["retriever"], stated["chunks"]) == ("bm25", 8)
    assert (stated["chunk_tokens"], stated["overlap_tokens"]) == (300, 50)
    assert stated["recall"] == {"1": 1.0, "5": 1.0, "10": 1.0}


async def test_a_suite_without_corpus_needs_a_folder(ask: Ask, tmp_path: Path) -> None:
    """Retrieval over nothing is not applicable; with the user's folder it is."""
    bare = make_suite(tmp_path, name="bare", corpus=False)
    result = await ask(Condition.STANDARD_RAG, Condition.CLOSED_BOOK, of=bare)
    assert list(result.not_applicable) == ["standard_rag"]
    folder = tmp_path / "leaflets"
    folder.mkdir()
    (folder / "clip.md").write_text("Clip: wait 2 weeks.", encoding="utf-8")
    result = await ask(Condition.STANDARD_RAG, of=bare, corpus=(folder,))
    assert (result.answered, dict(result.not_applicable)) == (4, {})
    evidence = [
        record.request["evidence"] for record in records(tmp_path) if record.condition == "standard_rag"
    ]
    assert evidence[0] == [
        {
            "id": "leaflets/clip.md",
            "title": "clip",
            "text": "Clip: wait 2 weeks.",
            "source": "leaflets/clip.md",
        }
    ]


async def test_the_manifest_says_what_a_reader_has_to_know(ask: Ask, suite: Suite, tmp_path: Path) -> None:
    """Suite and digest, review, wording, model, engine, versions, determinism."""
    await ask(family="fake", parameters=7e9)
    stated = manifest(tmp_path)
    assert "no clinician has reviewed them" in stated["notice"]
    assert "No result here shows that a system is safe for patients." in stated["notice"]
    assert stated["suite"] == {"name": "small", "version": "0.1.0", "digest": suite.digest, "review": "draft"}
    assert stated["prompt"]["digest"].startswith("sha256:")
    assert (stated["engine"]["owned_by"], stated["engine"]["served_model"]) == ("x", "fake-model")
    assert {"python", "bm25s", "numpy"} <= set(stated["software"])
    assert any("temperature 0" in line for line in stated["determinism"])
    assert stated["progress"] == {"answered": 4, "errors": 0, "missing": 0}
    run = load_run(tmp_path / "run")
    assert (run.manifest.model, run.manifest.family, run.manifest.parameters) == ("fake-model", "fake", 7e9)


async def test_an_interrupt_lets_running_calls_end_and_starts_no_others(
    ask: Ask, server: ModelServer, tmp_path: Path
) -> None:
    """Ctrl-C loses no answer that was under way, and the next session asks the rest."""
    answered = 0

    def interrupting(body: dict[str, Any]) -> str:
        nonlocal answered
        answered += 1
        if answered == 20:
            os.kill(os.getpid(), signal.SIGINT)
        return said(body)

    server.play(model(delay_s=0.01, says=interrupting))
    result = await ask(samples=40)
    assert result.interrupted
    assert 0 < result.missing == 164 - result.answered
    assert len(server.questions) == result.answered == len(records(tmp_path))
    assert manifest(tmp_path)["progress"]["missing"] == result.missing
    result = await ask(samples=40)
    assert (result.answered, result.missing, result.interrupted) == (164, 0, False)
    assert len(records(tmp_path)) == len(lines(tmp_path)) == 164
    assert [session["answers"] for session in manifest(tmp_path)["sessions"]] == [
        164 - result.new,
        result.new,
    ]


async def test_records_without_a_manifest_are_not_touched(ask: Ask, tmp_path: Path) -> None:
    """A directory that holds something else is refused."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "records.jsonl").write_bytes(b'{"key":"a"}\n')
    with pytest.raises(Exception, match="records and no manifest"):
        await ask()


async def test_keys_are_never_in_a_manifest(ask: Ask, tmp_path: Path) -> None:
    """The server's key leaves no trace in the run directory."""
    await ask(target={"api_key": "sk-very-secret"})
    for path in (tmp_path / "run").iterdir():
        assert b"sk-very-secret" not in path.read_bytes()
