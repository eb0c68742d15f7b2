"""Looks: every candidate that was judged on a recording is written down beside it, before labels are read.

Trying many policies on the same questions until one passes is a search; the number of looks shows it.
Judging the very same candidate again shows nothing new and is the same look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from gatekeeper.audit import DecisionLog, verify
from gatekeeper.audit.log import lines_of

LOOKS: Final = "looks.jsonl"
EVENT: Final = "look"


@dataclass(frozen=True, slots=True)
class Looks:
    """How many candidates have been judged on a recording, and under how many sets of criteria."""

    candidates: int
    criteria: int


def look(path: Path, candidate: Mapping[str, str | None], now: datetime) -> Looks:
    """Write a look into a chained, append-only file unless this very candidate is there, and count.

    `candidate` holds the digests that make it, `criteria` among them. Raises AuditError where the file
    cannot be written or was changed.
    """
    earlier = _candidates(path)
    if dict(candidate) not in earlier:
        log = DecisionLog(path)
        try:
            log.append({"event": EVENT, "at": now.isoformat(), "candidate": dict(candidate)})
        finally:
            log.close()
        earlier.append(dict(candidate))
    return _count(earlier)


def looks_so_far(path: Path) -> Looks:
    """Count without adding a look; raises AuditError where the file was changed."""
    return _count(_candidates(path))


def _candidates(path: Path) -> list[dict[str, str | None]]:
    if not path.exists():
        return []
    verify(path)
    entries = (orjson.loads(line) for line in lines_of(path))
    return [entry["candidate"] for entry in entries if entry.get("event") == EVENT]


def _count(candidates: list[dict[str, str | None]]) -> Looks:
    return Looks(len(candidates), len({candidate["criteria"] for candidate in candidates}))
