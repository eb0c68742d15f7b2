"""Every candidate that was tried on a recording is counted, and the count cannot be turned back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.errors import AuditError
from radsafe_bench.gate.looks import Looks, look, looks_so_far

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = {"policy": "a", "criteria": "x", "calibration": None}
SECOND = {"policy": "b", "criteria": "x", "calibration": None}
LAXER = {"policy": "c", "criteria": "y", "calibration": None}


def test_candidates_and_their_criteria_are_counted(tmp_path: Path) -> None:
    """The third try under loosened criteria is seen as such."""
    path = tmp_path / "looks.jsonl"
    counts = [look(path, candidate, NOW) for candidate in (FIRST, SECOND, LAXER)]
    assert counts == [Looks(1, 1), Looks(2, 1), Looks(3, 2)]
    assert looks_so_far(path) == Looks(3, 2)


def test_the_same_candidate_again_is_the_same_look(tmp_path: Path) -> None:
    """Running the gate twice in CI does not look like a search."""
    path = tmp_path / "looks.jsonl"
    assert look(path, FIRST, NOW) == look(path, FIRST, NOW) == Looks(1, 1)
    assert len(path.read_bytes().splitlines()) == 1


def test_a_removed_look_is_noticed(tmp_path: Path) -> None:
    """Deleting an earlier try breaks the chain and stops the gate."""
    path = tmp_path / "looks.jsonl"
    for candidate in (FIRST, SECOND):
        look(path, candidate, NOW)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(AuditError, match="line 1"):
        look(path, LAXER, NOW)


def test_nothing_is_written_by_counting(tmp_path: Path) -> None:
    """Checking a recorded report leaves the recording as it was."""
    path = tmp_path / "looks.jsonl"
    assert looks_so_far(path) == Looks(0, 0)
    assert not path.exists()
