"""A decision log on a disk that fails: nothing that may be lost counts as recorded, and the chain holds."""

import errno
import os
from pathlib import Path

import pytest

from gatekeeper.audit import DecisionLog, SegmentedLog, verify
from gatekeeper.errors import AuditError


def failing(*given: object) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_line_that_could_not_be_cut_back_is_cut_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line that a full disk left behind never becomes part of the next one."""
    log = DecisionLog(tmp_path / "log.jsonl")
    log.append({"event": "first"})
    really = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: really(file, data[:20]))
        full.setattr(os, "ftruncate", failing)
        with pytest.raises(AuditError):
            log.append({"event": "lost"})
        with pytest.raises(AuditError):
            log.append({"event": "lost too"})
    log.append({"event": "second"})
    log.close()
    assert verify(tmp_path / "log.jsonl").lines == 2
    assert b"lost" not in (tmp_path / "log.jsonl").read_bytes()


def test_nothing_is_recorded_while_the_disk_does_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sync that failed no decision counts as recorded until one succeeds."""
    log = SegmentedLog(tmp_path / "log.jsonl")
    log.append({"event": "first"})
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", failing)
        with pytest.raises(AuditError, match="forced to disk"):
            log.sync()
        with pytest.raises(AuditError, match="forced to disk"):
            log.append({"event": "lost"})
    log.append({"event": "second"})
    log.close()
    assert verify(tmp_path / "log.jsonl").lines == 2
