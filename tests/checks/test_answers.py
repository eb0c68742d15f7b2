"""Whole answers as chat models write them, beside evidence: faithful ones leave, most wrong ones do not."""

from collections import Counter
from pathlib import Path

import pytest

from gatekeeper.settings import POLICIES
from tests.checks.answers import FAITHFUL, UNTOUCHED, WORKED_WITH, contradicted, judged, read_answers


def _counts(*files: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    for file in files:
        for line, verdict in judged(file, POLICIES / "default.yaml"):
            found, placed = contradicted(line, verdict)
            wrong = line["label"] == "contradicted"
            counts.update(wrong=wrong, right=not wrong, placed=placed and wrong, alarms=found and not wrong)
    return counts


@pytest.mark.parametrize("file", [*WORKED_WITH, FAITHFUL, UNTOUCHED], ids=lambda file: str(file.stem))
def test_the_sets_are_sound(file: Path) -> None:
    """Every wrong answer shows its wrong stretch, which no faithful one has, and no id comes twice."""
    lines = read_answers(file)
    assert len({line["id"] for line in lines}) == len(lines) >= 120
    for line in lines:
        assert line["label"] in {"faithful", "contradicted"}
        assert (line["wrong"] != "") == (line["label"] == "contradicted")
        assert line["wrong"] in line["answer"]
        assert line["question"] and all(line["evidence"])


def test_wrong_answers_are_found_where_they_are_wrong() -> None:
    """About half of the wrong answers are held for the very sentence that is wrong, on the last set too."""
    for files in (WORKED_WITH, (UNTOUCHED,)):
        counts = _counts(*files)
        assert counts["placed"] / counts["wrong"] >= 0.48


def test_faithful_answers_are_hardly_held() -> None:
    """Hardly any faithful answer is called a contradiction."""
    for files, most in ((*WORKED_WITH, FAITHFUL), 0.01), ((UNTOUCHED,), 0.04):
        counts = _counts(*files)
        assert counts["alarms"] / counts["right"] <= most
