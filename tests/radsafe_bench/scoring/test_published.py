"""Reading the published code's result files gives the published code's numbers."""

from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pytest

from gatekeeper.errors import ConfigurationError
from radsafe_bench.scoring import PUBLISHED, Scores, read_published, score
from radsafe_bench.scoring.published import CONDITION_NAMES
from tests.radsafe_bench.scoring import slow
from tests.radsafe_bench.scoring.published_files import write_published

EXACT = 1e-9


class Reference:
    """The same files, read slowly: questions by (model, our condition), in order of their ids as text."""

    def __init__(self, results: Path, labels: Path) -> None:
        merged = {entry["question_id"]: entry for entry in orjson.loads(labels.read_bytes())}
        self.entries: list[dict[str, Any]] = []
        self.cells: dict[tuple[str, str], list[slow.Question]] = {}
        for file in sorted(results.glob("*/*.jsonl")):
            lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
            lines.sort(key=lambda line: str(line["question_id"]))
            self.entries = [merged[int(line["question_id"].split("_")[-1])] for line in lines]
            for entry, line in zip(self.entries, lines, strict=True):
                for condition, block in line["conditions"].items():
                    cell = (file.parent.name, CONDITION_NAMES[condition])
                    self.cells.setdefault(cell, []).append(slow.Question(entry, line, block))


@pytest.fixture(scope="module", params=range(3))
def scored(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Scores, Reference]:
    """Random folders, scored and read by the slow reference."""
    folder = tmp_path_factory.mktemp("published")
    results, labels = write_published(folder, models=4, questions=60, seed=request.param)
    key, models = read_published(results, labels)
    return score(key, models, convention=PUBLISHED), Reference(results, labels)


def test_every_metric_of_every_row(scored: tuple[Scores, Reference]) -> None:
    """Each number of a row is the published one to 1e-9."""
    scores, reference = scored
    assert len(scores.rows) == len(reference.cells) == 20
    for row in scores.rows:
        expected = slow.metrics(reference.cells[row["model"], row["condition"]], recorded=60)
        assert expected == pytest.approx({name: row[name] for name in expected}, abs=EXACT), row["model"]


def test_bootstrap_intervals(scored: tuple[Scores, Reference]) -> None:
    """Accuracy intervals come from the published resamples of the questions in the published order."""
    scores, reference = scored
    for row in scores.rows:
        cell = reference.cells[row["model"], row["condition"]]
        greedy = slow.bootstrap([question.greedy == question.correct for question in cell])
        majority = slow.bootstrap([bool(question.ballots) and question.right for question in cell])
        assert greedy == pytest.approx(tuple(row["accuracy_ci95"]), abs=EXACT)
        assert majority == pytest.approx(tuple(row["accuracy_majority_ci95"]), abs=EXACT)


def test_mcnemar_between_conditions(scored: tuple[Scores, Reference]) -> None:
    """Greedy correctness, and that of the majority after NULLs were dropped, are compared pair by pair."""
    scores, reference = scored
    accuracy = [row for row in scores.tables["pairs"] if row["outcome"] == "accuracy"]
    assert len(accuracy) == 4 * 10 * 2
    for row in accuracy:
        left, right = (reference.cells[row["model"], row[side]] for side in ("left", "right"))
        events = [
            [(q.greedy if row["answers"] == "greedy" else q.risk_majority) == q.correct for q in cell]
            for cell in (left, right)
        ]
        assert slow.mcnemar(*events) == pytest.approx(row["p_value"], abs=EXACT)


def test_ensembles_of_three(scored: tuple[Scores, Reference]) -> None:
    """Every three models vote as published, thresholds at their rounded means included."""
    scores, reference = scored
    rows = scores.tables["ensembles"]
    assert {tuple(row["members"]) for row in rows} == set(combinations([f"model-{i}" for i in range(4)], 3))
    for row in rows:
        members = [reference.cells[name, row["condition"]] for name in row["members"]]
        expected = slow.ensemble(members, reference.entries)
        assert expected == pytest.approx({name: row[name] for name in expected}, abs=EXACT)


def test_questions_over_models(scored: tuple[Scores, Reference]) -> None:
    """Per question: how many models were wrong or unsafe, and the most common wrong letter."""
    scores, reference = scored
    for condition in CONDITION_NAMES.values():
        rows = [row for row in scores.tables["questions"] if row["condition"] == condition]
        cells = [cell for (_, name), cell in reference.cells.items() if name == condition]
        for row, answers in zip(rows, zip(*cells, strict=True), strict=True):
            wrong = [a.greedy for a in answers if a.greedy not in (a.correct, "NULL")]
            assert row["n_wrong"] == sum(a.greedy != a.correct for a in answers)
            assert row["n_high_risk"] == sum(a.greedy_flags["high_risk"] for a in answers)
            assert row["n_contradicting"] == sum(a.greedy_flags["contradicts"] for a in answers)
            assert row["most_common_wrong"] == (slow.valid_majority(wrong) if wrong else None)


def test_incomplete_files(tmp_path: Path) -> None:
    """A question without a condition is wrong for accuracy and not asked for safety, as published."""
    results, labels = write_published(tmp_path, models=1, questions=30, seed=7)
    file = next(results.glob("*/*.jsonl"))
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    for line in lines[:10]:
        del line["conditions"]["top_10"]
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    key, models = read_published(results, labels)
    row = next(r for r in score(key, models, convention=PUBLISHED).rows if r["condition"] == "standard_rag")
    cell = Reference(results, labels).cells["model-0", "standard_rag"]
    assert len(cell) == row["n"] == 20
    expected = slow.metrics(cell, recorded=30)
    assert expected == pytest.approx({name: row[name] for name in expected}, abs=EXACT)


def test_labels_must_cover_the_results(tmp_path: Path) -> None:
    """Results without labels are an error that names the file, never rates of zero."""
    results, labels = write_published(tmp_path, models=1, questions=5, seed=0)
    labels.write_bytes(orjson.dumps(orjson.loads(labels.read_bytes())[1:]))
    with pytest.raises(ConfigurationError, match="labels for every question"):
        read_published(results, labels)


def test_models_must_agree_on_what_is_correct(tmp_path: Path) -> None:
    """Two result files with different answer keys are not scored together."""
    results, labels = write_published(tmp_path, models=2, questions=5, seed=0)
    file = results / "model-1" / "risk_radiorag_checked.jsonl"
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    lines[0]["correct_answer"] = "B" if lines[0]["correct_answer"] == "A" else "A"
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    with pytest.raises(ConfigurationError, match="correct answer"):
        read_published(results, labels)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"no_id": 1}'])
def test_malformed_results_are_named(tmp_path: Path, content: bytes) -> None:
    """A broken line stops the scoring and says which file it is in."""
    results, labels = write_published(tmp_path, models=1, questions=5, seed=0)
    (results / "model-0" / "risk_radiorag_checked.jsonl").write_bytes(content)
    with pytest.raises(ConfigurationError, match="risk_radiorag_checked"):
        read_published(results, labels)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    """A folder without results says what it was searched for."""
    with pytest.raises(ConfigurationError, match="risk_radiorag_checked"):
        read_published(tmp_path, tmp_path / "merged.json")
