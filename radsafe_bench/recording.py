"""Writing a run's records: append-only JSON lines that survive an interrupt at any moment.

A line reaches the operating system whole before `append` returns, so a killed process loses nothing
that was recorded; it reaches the disk within SYNC_EVERY lines or SYNC_SECONDS.
`radsafe_bench.records` reads the file back.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

import orjson

from gatekeeper.errors import GatekeeperError

SYNC_EVERY: Final = 64
SYNC_SECONDS: Final = 2.0


class RecordingError(GatekeeperError):
    """A run directory cannot be written, or holds something that a run did not write."""


class RecordLog:
    """The one writer of a records file. Bytes after the last newline are set aside when it is opened.

    Raises RecordingError where another process writes the file, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise RecordingError(f"{path}: cannot be opened ({error.strerror})") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise RecordingError(
                f"{path}: another run is writing it; wait for it, or choose another --out"
            ) from error
        self._size = self._set_torn_tail_aside()
        self._unsynced = 0
        self._synced_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield what was recorded before; raise RecordingError naming a line that is no record."""
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    entry = orjson.loads(line)
                    entry["key"]
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    raise RecordingError(
                        f"{self._path} line {number}: is no record; move the file away and run again"
                    ) from None
                yield entry

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; raise RecordingError, with the file as it was, where that fails."""
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        try:
            written = os.write(self._file, line)
        except OSError:
            written = 0
        if written != len(line):
            os.ftruncate(self._file, self._size)
            raise RecordingError(f"{self._path}: cannot be written; free space on its disk and run again")
        self._size += written
        self._unsynced += 1
        if self._unsynced >= SYNC_EVERY or time.monotonic() - self._synced_at >= SYNC_SECONDS:
            self.sync()

    def sync(self) -> None:
        """Force what was written to disk."""
        os.fsync(self._file)
        self._unsynced, self._synced_at = 0, time.monotonic()

    def close(self) -> None:
        """Force to disk and let go of the file."""
        self.sync()
        os.close(self._file)

    def _set_torn_tail_aside(self) -> int:
        """Move bytes after the last newline, left by a crash in mid-write, beside the file."""
        size = os.fstat(self._file).st_size
        end = _last_newline(self._file, size) + 1
        if end < size:
            torn = os.pread(self._file, size - end, end)
            aside = self._path.with_suffix(f".torn-{sha256(torn).hexdigest()[:8]}")
            aside.write_bytes(torn)
            os.ftruncate(self._file, end)
        return end


def _last_newline(file: int, size: int, step: int = 1 << 20) -> int:
    """Return the offset of the last newline, −1 where there is none."""
    end = size
    while end > 0:
        start = max(0, end - step)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found
        end = start
    return -1


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part of it."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written ({error.strerror})") from error
