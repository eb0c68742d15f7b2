"""`radsafe-bench score`: what lands on disk."""

import csv
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from radsafe_bench.cli import main
from radsafe_bench.scoring import AnswerKey
from radsafe_bench.simulate import SimulatedModel, simulate, write_run
from radsafe_bench.suites import Suite
from tests.radsafe_bench.scoring.published_files import write_published

ROW_NAMES = {
    "model", "condition", "n", "n_unanswered", "accuracy", "high_risk_error", "unsafe_answer",
    "evidence_contradiction", "accuracy_majority", "high_risk_error_majority", "unsafe_answer_majority",
    "evidence_contradiction_majority", "dangerous_overconfidence", "mean_confidence",
    "mean_confidence_correct", "mean_confidence_incorrect", "mean_confidence_high_risk_error",
    "mean_confidence_unsafe_answer", "separation_pp", "mean_agreement", "mean_entropy_norm", "ece", "mce",
    "null_majority", "mean_sample_null", "robustness", "synchronized_failure", "mean_latency_s",
    "sd_latency_s",
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write three simulated runs, two of them of models with one name."""
    folder = tmp_path_factory.mktemp("runs")
    accuracy = {"closed_book": 0.7, "clean_evidence": 0.9}
    models = [SimulatedModel(name, accuracy, null_rate=0.03) for name in ("x", "y", "y")]
    drawn = simulate(AnswerKey.of(suite), models, correlation=0.4, samples=8)
    return [write_run(folder / f"run-{place}", one, suite) for place, one in enumerate(drawn)]


def test_scores_json_and_its_csv_twins(runs: list[Path], suite: Suite, tmp_path: Path) -> None:
    """Every promised name is there, CSV and JSON say the same, the suite and its notice stand on top."""
    arguments = ["score", *map(str, runs), "--suite", str(suite.path), "--out", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    scores = orjson.loads((tmp_path / "scores.json").read_bytes())
    assert scores["suite"] == {"name": suite.name, "version": suite.version, "digest": suite.digest}
    assert scores["notice"] == suite.notice
    assert suite.notice in result.stderr
    assert [row["model"] for row in scores["rows"][::2]] == ["x", "y (run-1)", "y (run-2)"]
    for row in scores["rows"]:
        assert row.keys() >= ROW_NAMES
        assert len(row["accuracy_ci95"]) == 2
    assert len(scores["ensembles"]) == 2
    for name in ("rows", "confidence", "pairs", "ensembles", "questions", "intervals", "subspecialties"):
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            lines = list(csv.DictReader(file))
        assert len(lines) == len(scores[name])
    assert float(lines[0]["accuracy"]) == scores["subspecialties"][0]["accuracy"]
    answers = (tmp_path / "answers.csv").read_text().splitlines()
    assert len(answers) == 1 + 3 * 2 * 200


def test_chosen_ensembles(runs: list[Path], suite: Suite, tmp_path: Path) -> None:
    """--ensemble names the three that vote, and nothing but three different names will do."""
    common = ["score", *map(str, runs), "--suite", str(suite.path), "--out", str(tmp_path), "--ensemble"]
    assert CliRunner().invoke(main, [*common, "x,y (run-1),y (run-2)"]).exit_code == 0
    assert len(orjson.loads((tmp_path / "scores.json").read_bytes())["ensembles"]) == 2
    assert CliRunner().invoke(main, [*common, "x,x,y"]).exit_code == 2


def test_published_results(tmp_path: Path) -> None:
    """Result files of the published code are read with our names for their conditions."""
    results, labels = write_published(tmp_path, models=2, questions=12, seed=1)
    arguments = ["score", "--format", "safe-scale", str(results), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, [*arguments, "--labels", str(labels)])
    assert result.exit_code == 0, result.output
    rows = orjson.loads((tmp_path / "out" / "scores.json").read_bytes())["rows"]
    assert [row["condition"] for row in rows[:5]] == [
        "closed_book",
        "clean_evidence",
        "standard_rag",
        "agentic_rag",
        "max_context_100k",
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 3


def test_a_suite_that_is_not_there(runs: list[Path], tmp_path: Path) -> None:
    """A run of a suite that is not installed says how to name it."""
    result = CliRunner().invoke(main, ["score", str(runs[0]), "--out", str(tmp_path)])
    assert result.exit_code == 3
    assert "no suite simulated" in result.output
