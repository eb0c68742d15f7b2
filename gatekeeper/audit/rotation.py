"""The decision log in segments: a chain of chains, of which old segments may go without breaking the rest.

Each segment is a hash chain of its own (`log.py`). The first line of every segment but the first names the
segment before it by number, lines and last digest. The segment being written has the log's own name; ended
ones carry their number: `decisions.000001.jsonl`, `decisions.000002.jsonl`, …, `decisions.jsonl`.
"""

import glob
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from gatekeeper.audit.log import GENESIS, DecisionLog, Head, lines_of, verify
from gatekeeper.errors import AuditError

_NUMBERED: Final = re.compile(r"\.(\d{6})$")
_HEAD_WIDTH: Final = 128


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a segment ends (bytes, end of its UTC day) and for how many days ended ones are kept."""

    max_bytes: int = 256_000_000
    daily: bool = False
    keep_days: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The end of a segmented log: number of the segment, its lines, SHA-256 of the last one."""

    segment: int
    head: Head

    def __str__(self) -> str:
        return f"{self.segment} {self.head.lines} {self.head.digest}"


class SegmentedLog:
    """A DecisionLog that begins a new segment when one is full, and tells its head to a second place."""

    def __init__(self, path: Path, rotation: Rotation | None = None, head_file: Path | None = None) -> None:
        self._path = path
        self._rotation = rotation or Rotation()
        self._head_file = _open_head(head_file) if head_file else None
        self._lock = threading.Lock()  # a sync in its thread must not meet a segment that is being ended
        self._log: DecisionLog | None = None
        self._unsafe = False
        self._open()

    @property
    def position(self) -> Position:
        """Where the log ends now."""
        return Position(self._number, self._log.head if self._log else Head(0, GENESIS))

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; raise AuditError when it cannot be written."""
        if self._unsafe:
            self.sync()
        log = self._log or self._open()
        if self._due(log):
            log = self._rotate(log)
        log.append(record)
        self._tell(log)

    def sync(self) -> None:
        """Force what was written to disk; where that fails, nothing is appended before it succeeds."""
        with self._lock:
            if self._log is None:
                return
            try:
                self._log.sync()
            except AuditError:
                self._unsafe = True
                raise
            self._unsafe = False

    def close(self) -> None:
        """Force to disk and let go of the files."""
        with self._lock:
            if self._log:
                self._log.close()
            self._log = None
        if self._head_file is not None:
            os.close(self._head_file)
            self._head_file = None

    def _open(self, before: Head | None = None) -> DecisionLog:
        """Open the segment being written; begin it where there is none, after a crash too."""
        log, ended = DecisionLog(self._path), _ended(self._path)
        try:
            if log.head.lines == 0 and ended:
                before, last = before or verify(ended[-1]), _number(ended[-1])
                log.append(
                    {"event": "segment", "at": _now(), "segment": last + 1, "follows": _named(last, before)}
                )
            first = _first(self._path)
            self._number = int(first.get("segment", 1))
            self._day = str(first.get("at", _now()))[:10]
            self._tell(log)
        except BaseException:
            log.close()
            raise
        self._log = log
        return log

    def _due(self, log: DecisionLog) -> bool:
        if log.head.lines <= 1:
            return False
        full = self._path.stat().st_size >= self._rotation.max_bytes
        return full or (self._rotation.daily and self._day != _now()[:10])

    def _rotate(self, log: DecisionLog) -> DecisionLog:
        with self._lock:
            log.close()
            self._log = None
            try:
                self._path.rename(_segment(self._path, self._number))
            except OSError as error:
                raise AuditError(f"{self._path}: cannot be rotated ({error.strerror})") from error
            opened = self._open(log.head)
        self._forget(opened)
        return opened

    def _forget(self, log: DecisionLog) -> None:
        """Remove the oldest segments that retention allows to go, each named in the log before it goes.

        The segment after it knows its head, so that none is read in full while requests wait.
        """
        if self._rotation.keep_days is None:
            return
        oldest = datetime.now(UTC) - timedelta(days=self._rotation.keep_days)
        ended = _ended(self._path)
        for path, after in zip(ended, [*ended[1:], self._path], strict=True):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) >= oldest:
                return
            log.append({"event": "retention", "at": _now(), "removed": _first(after)["follows"]})
            path.unlink()

    def _tell(self, log: DecisionLog) -> None:
        if self._head_file is None:
            return
        line = str(Position(self._number, log.head)).ljust(_HEAD_WIDTH - 1) + "\n"
        try:
            os.pwrite(self._head_file, line.encode(), 0)
        except OSError as error:
            raise AuditError(
                f"the head of the decision log cannot be written ({error.strerror})", code="audit_unavailable"
            ) from error


def verify_trail(path: Path, head: Position | None = None) -> Position:
    """Verify all segments of one log and return its end.

    Raise AuditError naming the segment where lines were changed, removed or moved, where a segment is
    missing that no retention record names, or where the log ends before `head`, a position told elsewhere.
    """
    paths = segments_of(path)
    if not paths:
        raise AuditError(f"{path}: there is no such decision log")
    before: dict[str, Any] | None = None
    for number, segment in paths:
        reached = verify(segment)
        follows = _first(segment).get("follows")
        if before is None and follows is not None:
            _retained(paths, follows)
        elif follows != before:
            raise AuditError(f"{segment}: does not follow the segment before it: one was removed or replaced")
        before = _named(number, reached)
        if head is not None and head.segment == number:
            _holds(segment, head.head)
    end = Position(number, reached)
    if head is not None and (head.segment > number or head.segment < paths[0][0]):
        raise AuditError(f"{path}: segment {head.segment}, where the log once ended, is not there")
    return end


def name_of_trail(segment: Path) -> str:
    """Return the name of the log that a segment is of."""
    return _NUMBERED.sub("", segment.stem) + segment.suffix


def segments_of(path: Path) -> list[tuple[int, Path]]:
    """Return number and path of each segment of a log that is there, the oldest first."""
    ended = [(_number(segment), segment) for segment in _ended(path)]
    if not path.exists() or path.stat().st_size == 0:
        return ended
    return [*ended, (ended[-1][0] + 1 if ended else _first(path).get("segment", 1), path)]


def read_head(path: Path) -> Position:
    """Read the position that a log told to its second place; raise AuditError."""
    try:
        segment, lines, digest = path.read_text(encoding="ascii").split()
        return Position(int(segment), Head(int(lines), digest))
    except (OSError, ValueError) as error:
        raise AuditError(f"{path}: is no head of a decision log") from error


def _holds(segment: Path, head: Head) -> None:
    """Check that a segment reached a head: lines may have been added since, none may be missing."""
    following = None
    for number, line in enumerate(lines_of(segment)):
        if number == head.lines:
            following = orjson.loads(line)["prev"]
    reached = verify(segment)
    digest = reached.digest if reached.lines == head.lines else following
    if digest != head.digest:
        raise AuditError(
            f"{segment}: {reached.lines} lines, but it once had {head.lines} that ended otherwise: "
            "lines were cut off or replaced"
        )


def _retained(paths: Sequence[tuple[int, Path]], follows: Mapping[str, Any]) -> None:
    """Check that retention, recorded further on, is why the segments before the first one are gone."""
    for _, segment in paths:
        for line in lines_of(segment):
            record = orjson.loads(line)
            if record.get("event") == "retention" and record.get("removed") == follows:
                return
    raise AuditError(
        f"{paths[0][1]}: segment {follows['segment']} before it is missing, and no retention record names it"
    )


def _first(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = next((orjson.loads(line) for line in lines_of(path)), {})
    return record


def _named(number: int, head: Head) -> dict[str, Any]:
    return {"segment": number, "lines": head.lines, "sha256": head.digest}


def _segment(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number:06d}{path.suffix}")


def _ended(path: Path) -> list[Path]:
    return sorted(
        path.parent.glob(f"{glob.escape(path.stem)}.[0-9][0-9][0-9][0-9][0-9][0-9]{glob.escape(path.suffix)}")
    )


def _number(path: Path) -> int:
    found = _NUMBERED.search(path.stem)
    return int(found[1]) if found else 1


def _open_head(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise AuditError(f"{path}: cannot be opened ({error.strerror}); check path and rights") from error


def _now() -> str:
    return datetime.now(UTC).isoformat()
