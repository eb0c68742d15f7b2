"""The decision log: an unbroken chain, and every way to break it found."""

import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from gatekeeper.audit import DecisionLog, verify
from gatekeeper.audit.log import MAX_LINE
from gatekeeper.errors import AuditError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return the path of a closed log of five records."""
    path = tmp_path / "decisions.jsonl"
    decisions = DecisionLog(path)
    for number in range(5):
        decisions.append({"event": "decision", "id": f"gkd_{number}"})
    decisions.close()
    return path


def lines(path: Path) -> list[bytes]:
    """Return the lines of a file with their ends."""
    return path.read_bytes().splitlines(keepends=True)


def test_an_untouched_log_verifies(log: Path) -> None:
    """All lines of an untouched log follow from each other."""
    assert verify(log).lines == 5


def test_a_log_goes_on_where_it_stopped(log: Path) -> None:
    """A restart continues the same chain."""
    decisions = DecisionLog(log)
    decisions.append({"event": "decision", "id": "gkd_5"})
    decisions.close()
    assert verify(log).lines == 6


@pytest.mark.parametrize(
    "tamper",
    [
        lambda rows: [rows[0], rows[1].replace(b"gkd_1", b"gkd_9"), *rows[2:]],
        lambda rows: [rows[0], *rows[2:]],
        lambda rows: [rows[0], rows[2], rows[1], *rows[3:]],
        lambda rows: [rows[0], rows[0], *rows[1:]],
        lambda rows: rows[1:],
        lambda rows: [*rows[:4], rows[4].rstrip(b"\n")],
        lambda rows: [*rows, b"{}\n"],
        lambda rows: [*rows[:2], b"not json\n", *rows[2:]],
    ],
    ids=["changed", "removed", "swapped", "doubled", "beheaded", "unended", "foreign", "garbage"],
)
def test_tampering_is_found(log: Path, tamper: Callable[[list[bytes]], list[bytes]]) -> None:
    """A changed, removed, moved or added line breaks the chain."""
    log.write_bytes(b"".join(tamper(lines(log))))
    with pytest.raises(AuditError, match="does not follow"):
        verify(log)


def test_a_cut_tail_shows_in_the_head(log: Path) -> None:
    """Cutting the last line leaves a valid chain, but not the head that was kept elsewhere."""
    head = verify(log)
    log.write_bytes(b"".join(lines(log)[:-1]))
    assert verify(log) != head


def test_two_processes_cannot_write_one_log(log: Path) -> None:
    """A second writer is refused before it can break the chain."""
    first = DecisionLog(log)
    with pytest.raises(AuditError, match="another process"):
        DecisionLog(log)
    first.close()


def test_a_torn_last_line_is_set_aside_and_recorded(log: Path) -> None:
    """What a crash left half-written is kept beside the log, and the chain goes on."""
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"seq": 5, "pre')
    DecisionLog(log).close()
    assert verify(log).lines == 6
    assert b"torn_tail_set_aside" in lines(log)[-1]
    assert [path.read_bytes() for path in log.parent.glob("*.torn-*")] == [b'{"seq": 5, "pre']


def test_a_full_disk_is_an_error_and_leaves_the_chain_whole(tmp_path: Path) -> None:
    """A record that does not fit raises, and no half of it stays behind."""
    path = tmp_path / "decisions.jsonl"
    decisions = DecisionLog(path)
    decisions.append({"event": "decision"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(AuditError, match="no answer leaves"):
            decisions.append({"event": "decision", "filler": "x" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert verify(path).lines == 1
    decisions.append({"event": "decision"})
    decisions.close()
    assert verify(path).lines == 2


def test_the_log_is_readable_by_its_owner_only(log: Path) -> None:
    """Nobody else on the machine reads the log."""
    assert log.stat().st_mode & 0o077 == 0


def test_a_line_that_could_not_be_verified_is_not_written(log: Path) -> None:
    """A decision of too many parts is refused; it does not make the log unreadable for the next start."""
    before = verify(log)
    writing = DecisionLog(log)
    with pytest.raises(AuditError, match="too many parts"):
        writing.append({"event": "decision", "parts": "x" * MAX_LINE})
    writing.append({"event": "decision", "parts": "x" * (MAX_LINE - 1_000)})
    writing.close()
    assert verify(log).lines == before.lines + 1
