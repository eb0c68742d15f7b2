"""The logs of several processes: found by one name, verified together.

Of several workers each writes a log, and tells its head, beside the configured file: `decisions.w1.jsonl`,
`decisions.w2.jsonl`, …
"""

import glob
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gatekeeper.audit.rotation import Position, name_of_trail, read_head, segments_of, verify_trail
from gatekeeper.errors import AuditError

_OF_WORKER: Final = re.compile(r"\.w([1-9]\d?)(?=\.[^.]+$|$)")


def worker_file(path: Path, worker: int) -> Path:
    """Return the file of one of several workers, beside the configured one."""
    return path.with_name(f"{path.stem}.w{worker}{path.suffix}")


def trails_of(path: Path) -> list[Path]:
    """Return the logs that a path names: it and its workers', or all in a directory; raise AuditError."""
    if path.is_dir():
        trails = [path / name for name in sorted({name_of_trail(file) for file in path.glob("*.jsonl")})]
    else:
        workers = _workers_of(path)
        trails = [path, *workers] if segments_of(path) or not workers else workers
    if not trails:
        raise AuditError(f"{path}: holds no decision log")
    return trails


def verify_all(path: Path, heads: Path | None = None) -> dict[Path, Position]:
    """Verify every log that a path names and return their ends.

    `heads` is the path that `serve --audit-head` was given: every log must have got as far as its head there
    says, and none that a head was told of may be gone. Raises AuditError.
    """
    trails = trails_of(path)
    told = _told(path, trails, heads) if heads else {}
    return {trail: verify_trail(trail, told.get(trail)) for trail in trails}


def _told(path: Path, trails: Sequence[Path], heads: Path) -> dict[Path, Position]:
    numbers = {trail: 0 if trail == path else _worker(trail.name) for trail in trails}
    alone = {0} if heads.exists() else set()  # it served without workers once
    gone = alone.union(_worker(head.name) for head in _workers_of(heads)) - set(numbers.values())
    if gone:
        whose = f"of worker {min(gone)}" if min(gone) else "of the process without workers"
        raise AuditError(f"{path}: the log {whose} is missing, whose head was told")
    return {
        trail: read_head(worker_file(heads, number) if number else heads) for trail, number in numbers.items()
    }


def _workers_of(path: Path) -> list[Path]:
    """Return the workers' files beside a configured one; of a log in segments, its name once."""
    beside = path.parent.glob(f"{glob.escape(path.stem)}.*{glob.escape(path.suffix)}")
    names = {name_of_trail(file) for file in beside}
    return sorted(
        (path.with_name(name) for name in names if _worker(name) and _OF_WORKER.sub("", name) == path.name),
        key=lambda file: _worker(file.name),
    )


def _worker(name: str) -> int:
    """Return the number of the worker that a file is of, 0 if it is of a process alone."""
    found = _OF_WORKER.search(name)
    return int(found[1]) if found else 0
