"""`radsafe-bench detectors` as an operator runs it."""

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from radsafe_bench.cli import main
from radsafe_bench.commands import detectors
from radsafe_bench.detecting import Examined, Item, examine_all
from radsafe_bench.scoring.key import AnswerKey
from radsafe_bench.simulate import SimulatedModel, simulate, write_run
from radsafe_bench.suites import Split, Suite, load_suite
from tests.radsafe_bench.detecting.staging import EVIDENCE, pair_lines, write_pairs


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["detectors", *map(str, arguments)])


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Return a file of twelve pairs."""
    return write_pairs(tmp_path / "pairs.jsonl", pair_lines(3))


def test_a_file_of_pairs_is_measured(pairs: Path, tmp_path: Path) -> None:
    """Any file of pairs gives the figures as a table and as JSON, without an example of a failure."""
    out = tmp_path / "detectors.json"
    result = run("--pairs", pairs, "--json", out)
    assert result.exit_code == 0, result.output
    body = orjson.loads(out.read_bytes())
    (section,) = body["sections"]
    slots = next(one for one in section["detectors"] if one["name"] == "slots")
    assert (section["section"], section["questions"], body["complete"]) == ("pairs", 3, True)
    assert (slots["n"], slots["positives"], slots["tpr"]["value"], slots["fpr"]["value"]) == (12, 6, 1.0, 0.0)
    assert {kind["kind"] for kind in slots["by_kind"]} == {
        "number",
        "laterality",
        "key_statement",
        "other_question",
    }
    assert slots["time_ms"]["p95"] >= slots["time_ms"]["p50"] > 0
    assert slots["failures"] == []
    assert "follow-up interval" not in result.output


def test_no_figure_is_cut_off(pairs: Path) -> None:
    """The table is whole in a pipe and in a narrow terminal."""
    result = run("--pairs", pairs, "--policy", "policies/reading.yaml")
    assert "slots+nli" in result.output
    assert "…" not in result.output


def test_examples_are_shown_on_request(tmp_path: Path) -> None:
    """A wrong label shows as the failure that it is, with its text."""
    lines = [{**line, "label": "supported"} for line in pair_lines(1)]
    result = run(
        "--pairs", write_pairs(tmp_path / "pairs.jsonl", lines), "--examples", 1, "--detector", "slots"
    )
    assert result.exit_code == 0, result.output
    assert "slots: 1 × number, said contradicted by slots." in result.output
    assert "0-number: The follow-up interval is 12 months." in result.output
    assert "beside: The follow-up interval is 6 months." in result.output


def test_certification_questions_stay_closed(pairs: Path, tmp_path: Path) -> None:
    """Neither the split's name nor a reason alone opens them, and nothing is written."""
    ledger = tmp_path / "openings.jsonl"
    for arguments in (["--split", "certification"], ["--open-certification", "to see"]):
        result = run("--pairs", pairs, "--ledger", ledger, *arguments)
        assert result.exit_code == 3
        assert "opened by --split certification together with" in result.output
    assert not ledger.exists()


def test_an_opening_is_recorded_and_not_repeated(pairs: Path, tmp_path: Path) -> None:
    """The command says how often they were opened before, and refuses to do it again unasked."""
    ledger = tmp_path / "openings.jsonl"
    opening = [
        "--pairs",
        pairs,
        "--split",
        "certification",
        "--open-certification",
        "a trial",
        "--ledger",
        ledger,
    ]
    first = run(*opening)
    assert (first.exit_code, "0 times before, 0 of them" in first.output) == (0, True), first.output
    second = run(*opening)
    assert (second.exit_code, "--again" in second.output) == (3, True)
    third = run(*opening, "--again", "to test this")
    assert "1 times before, 1 of them" in third.output
    assert len(ledger.read_bytes().splitlines()) == 2


def test_pairs_of_the_other_split_are_left_out_of_a_file(tmp_path: Path) -> None:
    """A file that mixes both halves never opens the blind one."""
    suite = load_suite()
    names = [suite.split(split)[0].id for split in (Split.CALIBRATION, Split.CERTIFICATION)]
    lines = [
        {"id": name, "question": name, "evidence": EVIDENCE, "claim": "A claim.", "label": "not_addressed"}
        for name in names
    ]
    out = tmp_path / "out.json"
    result = run("--pairs", write_pairs(tmp_path / "pairs.jsonl", lines), "--json", out)
    assert result.exit_code == 0, result.output
    assert "1 pairs of questions of the other split left out" in result.output
    assert orjson.loads(out.read_bytes())["sections"][0]["items"] == 1


def test_a_recorded_run_is_measured_by_options_and_answers(tmp_path: Path, split: Suite) -> None:
    """With a recording, each option and each answer of the calibration half is judged, by condition."""
    model = SimulatedModel("m", {"closed_book": 0.7, "clean_evidence": 0.9})
    recorded = write_run(tmp_path / "run", simulate(AnswerKey.of(split), [model], samples=0)[0], split)
    calibration, out = tmp_path / "calibration.json", tmp_path / "out.json"
    made = CliRunner().invoke(
        main, ["calibrate", str(recorded), "--suite", str(split.path), "--risk", "--out", str(calibration)]
    )
    assert made.exit_code == 0, made.output
    result = run(
        "--run", recorded, "--no-pairs", "--suite", split.path, "--calibration", calibration, "--json", out
    )
    assert result.exit_code == 0, result.output
    options, answers = orjson.loads(out.read_bytes())["sections"]
    assert (options["section"], answers["section"], answers["items"]) == ("options", "answers", 80)
    fusion = next(one for one in answers["detectors"] if one["name"] == "fusion")
    assert (fusion["n"], fusion["left_out_as_seen"]) == (0, 80)
    assert fusion["tpr"] is None
    assert answers["out_of_fold"]["fusion"]["auroc"] > 0.5
    assert "by its own account: AUROC" in result.output
    slots = next(one for one in answers["detectors"] if one["name"] == "slots")
    assert [one["condition"] for one in slots["by_condition"]] == ["closed_book", "clean_evidence"]


def test_a_check_that_could_judge_nothing_is_named(pairs: Path, tmp_path: Path) -> None:
    """A judge without a model is not silently missing from the table."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        'name: judged\nversion: "1"\nchecks: {judge: {enabled: true}}\n'
        "rules:\n  - {id: r, when: {p_contradicted: {at_least: 0.5}}, then: escalate}\n"
    )
    result = run("--pairs", pairs, "--policy", policy)
    assert result.exit_code == 0, result.output
    assert "judge: could judge nothing here" in result.output


def test_an_interrupt_shows_what_there_is(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C prints figures of what was examined, marks the file as incomplete and exits with 130."""
    whole = examine_all

    def interrupted(
        items: Iterable[Item], bundle: Any, calls: None, on_item: Callable[[], None]
    ) -> tuple[list[Examined], bool]:
        seen = iter(range(100))
        return whole(
            items, bundle, on_item=lambda: os.kill(os.getpid(), signal.SIGINT) if next(seen) == 4 else None
        )

    monkeypatch.setattr(detectors, "examine_all", interrupted)
    out = tmp_path / "out.json"
    result = run("--pairs", pairs, "--json", out)
    assert (result.exit_code, "5 of 12 items" in result.output) == (130, True)
    assert orjson.loads(out.read_bytes())["complete"] is False


def test_nothing_to_measure_is_a_wrong_command_line() -> None:
    """Neither pairs nor a run is a mistake, not an empty table."""
    assert run("--no-pairs").exit_code == 3
