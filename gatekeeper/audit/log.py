"""The decision log: one JSON line per decision, each bound to the line before it.

Every line carries `prev`, the SHA-256 of the whole previous line, so a line that was changed, removed or
moved breaks the chain at that place. Lines hold hashes, spans, numbers and enums, never text of an exchange.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gatekeeper.errors import AuditError

GENESIS = "0" * 64
MAX_LINE = 8_000_000
"""Bytes: sixteen choices of as many claims as are judged take less than half of it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number of lines and SHA-256 of the last one."""

    lines: int
    digest: str


class DecisionLog:
    """Appends to one chain. One process holds it at a time; a torn last line is set aside, never lost.

    `append` returns only when the line has been handed to the operating system; `sync` forces it to disk.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._torn_after: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise AuditError(f"{path}: cannot be opened ({error.strerror}); check path and rights") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise AuditError(f"{path}: another process writes it; give each its own --audit-log") from error
        torn = self._set_torn_tail_aside()
        self.head = verify(path)
        if torn:
            self.append({"event": "torn_tail_set_aside", "bytes": torn})

    def append(self, record: Mapping[str, Any]) -> Head:
        """Write one record; raise AuditError, with the chain as it was, when it cannot be written."""
        line = orjson.dumps({"seq": self.head.lines, "prev": self.head.digest, **record}) + b"\n"
        if len(line) >= MAX_LINE:  # it would be written, and the log could never be verified again
            raise AuditError("the decision has too many parts to be recorded, so it does not leave")
        try:
            self._cut_back()
            self._torn_after = os.fstat(self._file).st_size
            written = os.write(self._file, line)
        except OSError:
            written = 0
        if written == len(line):
            self._torn_after = None
        else:
            with contextlib.suppress(OSError):  # where even that fails, the next line does it first
                self._cut_back()
            raise AuditError(
                "the decision log cannot be written, so no answer leaves; free space on its disk",
                code="audit_unavailable",
            )
        self.head = Head(self.head.lines + 1, hashlib.sha256(line).hexdigest())
        return self.head

    def sync(self) -> None:
        """Force what was written to disk; raise AuditError when it may be lost."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise AuditError(
                f"the decision log cannot be forced to disk ({error.strerror}), so no answer leaves",
                code="audit_unavailable",
            ) from error

    def close(self) -> None:
        """Force to disk and let go of the file."""
        self.sync()
        os.close(self._file)

    def _cut_back(self) -> None:
        """Remove what a write left that was cut short."""
        if self._torn_after is not None:
            os.ftruncate(self._file, self._torn_after)
            self._torn_after = None

    def _set_torn_tail_aside(self) -> int:
        """Move bytes after the last newline, left by a crash in mid-write, beside the log."""
        data = self._path.read_bytes()
        end = data.rfind(b"\n") + 1
        torn = data[end:]
        if torn:
            aside = self._path.with_suffix(f".torn-{hashlib.sha256(torn).hexdigest()[:8]}")
            aside.write_bytes(torn)
            os.ftruncate(self._file, end)
        return len(torn)


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a log, newline included; raise AuditError when one is over the size limit."""
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE):
                if len(line) == MAX_LINE:
                    raise AuditError(f"{path}: a line is over {MAX_LINE} bytes; this is no decision log")
                yield line
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror})") from error


def verify(path: Path) -> Head:
    """Walk the chain and return its head; raise AuditError naming the first line that does not fit."""
    digest, number = GENESIS, 0
    for line in lines_of(path):
        try:
            record = orjson.loads(line)
            fits = record["prev"] == digest and record["seq"] == number and line.endswith(b"\n")
        except (orjson.JSONDecodeError, KeyError, TypeError):
            fits = False
        if not fits:
            raise AuditError(
                f"{path}: line {number + 1} does not follow from the line before it: it, or the one before, "
                "was changed, removed, moved or cut off"
            )
        digest, number = hashlib.sha256(line).hexdigest(), number + 1
    return Head(number, digest)
