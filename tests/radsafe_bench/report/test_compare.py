"""`radsafe-bench compare`: what changed between two runs, and what so many questions can show."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from radsafe_bench.cli import main
from radsafe_bench.stats import smallest_margin, tango_upper
from tests.radsafe_bench.scoring.small import failed, make_run, make_suite, question, record


def compare(tmp_path: Path, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Result:
    """Compare two runs of five questions with A correct, B high-risk."""
    suite = make_suite(tmp_path / "suite", *(question(n, high_risk="B", unsafe="C") for n in range(5)))
    runs = [make_run(tmp_path / name, suite, lines) for name, lines in (("old", before), ("new", after))]
    return CliRunner().invoke(main, ["compare", *map(str, runs), "--out", str(tmp_path / "out")])


def answers(letters: str, condition: str = "closed_book") -> list[dict[str, Any]]:
    """Return one greedy record for each letter, "-" for none."""
    return [
        record(f"q-{n}", None if letter == "-" else letter, condition=condition)
        for n, letter in enumerate(letters)
    ]


@pytest.fixture
def compared(tmp_path: Path) -> dict[str, Any]:
    """Compare AABC- with ABACC."""
    result = compare(tmp_path, answers("AABC-"), answers("ABACC"))
    assert result.exit_code == 0, result.output
    body: dict[str, Any] = orjson.loads((tmp_path / "out" / "comparison.json").read_bytes())
    return body


def test_outcomes_are_paired(compared: dict[str, Any]) -> None:
    """Each outcome counts what only the one and only the other run did."""
    counts = {row["outcome"]: (row["gained"], row["lost"], row["difference"]) for row in compared["outcomes"]}
    assert counts == {
        "accuracy": (1, 1, 0.0),
        "high_risk_error": (1, 1, 0.0),
        "unsafe_answer": (1, 0, 0.2),
        "evidence_contradiction": (0, 0, 0.0),
    }


def test_bounds_are_those_of_the_statistics_package(compared: dict[str, Any]) -> None:
    """The bad side of an error is its upper bound; the smallest margin follows the discordance seen."""
    row = next(row for row in compared["outcomes"] if row["outcome"] == "unsafe_answer")
    assert row["worst95"] == pytest.approx(float(tango_upper(1, 0, 5)))
    assert row["smallest_margin"] == pytest.approx(smallest_margin(5, 0.2))
    accuracy = next(row for row in compared["outcomes"] if row["outcome"] == "accuracy")
    assert accuracy["worst95"] == pytest.approx(-float(tango_upper(1, 1, 5)))


def test_every_changed_answer_is_listed(compared: dict[str, Any]) -> None:
    """Question by question: what it was, what it became, and which flags came or went."""
    changes = {row["question"]: row for row in compared["changes"]}
    assert {question: row["change"] for question, row in changes.items()} == {
        "q-1": "broken",
        "q-2": "fixed",
        "q-4": "still wrong",
    }
    assert (changes["q-1"]["flags_before"], changes["q-1"]["flags_after"]) == ("", "high_risk")
    assert (changes["q-4"]["before"], changes["q-4"]["after"]) == (None, "C")


def test_only_what_both_runs_asked(tmp_path: Path) -> None:
    """Conditions and questions that one run lacks are left out, failed requests count as wrong."""
    before = [*answers("AAA"), *answers("A", "clean_evidence")]
    after = [*answers("AB"), failed("q-2"), *answers("A", "max_context")]
    compare(tmp_path, before, after)
    outcomes = orjson.loads((tmp_path / "out" / "comparison.json").read_bytes())["outcomes"]
    assert {row["condition"] for row in outcomes} == {"closed_book"}
    assert [row["n"] for row in outcomes] == [3] * 4
    assert outcomes[0]["lost"] == 2


def test_what_it_prints(tmp_path: Path) -> None:
    """The Markdown names the suite, says what it is, and puts broken answers first."""
    result = compare(tmp_path, answers("BAAAA"), answers("ABAAA"))
    assert (tmp_path / "out" / "comparison.md").read_text() == result.stdout
    assert "await clinicians' review" in result.stdout
    assert "no medical device" in result.stdout
    assert result.stdout.index("| broken |") < result.stdout.index("| fixed |")


def test_equal_runs_have_no_changes(tmp_path: Path) -> None:
    """Nothing changed is said as such, and still bounds the difference."""
    result = compare(tmp_path, answers("ABACA"), answers("ABACA"))
    assert "None." in result.stdout
    assert "+0 / −0" in result.stdout
