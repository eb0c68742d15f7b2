"""Sums over requests, per hour, in the database: what several workers saw, as if one had seen it."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gatekeeper.monitoring.risk.upsert import add, insert_once
from gatekeeper.review.tables import Tally

HOUR_S: Final = 3600
REFERENCE: Final = -1
"""The bucket of the drift reference."""
_TAKEN: Final = "taken"

Key = tuple[str, str, int, str]
"""Policy digest, what is counted, hour since the epoch, cell."""
Sums = dict[str, dict[str, tuple[float, float]]]
"""By what is counted and cell: (n, total)."""


class Pending:
    """What this process has seen since its last flush. Its keys are few: closed cells of one or two hours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # the event loop counts while a worker thread takes
        self._sums: dict[Key, list[float]] = {}

    def add(self, key: Key, n: float, total: float = 0.0) -> None:
        """Count `n` more, with a sum of `total`."""
        with self._lock:
            entry = self._sums.setdefault(key, [0.0, 0.0])
            entry[0] += n
            entry[1] += total

    def take(self) -> dict[Key, list[float]]:
        """Return everything and begin anew."""
        with self._lock:
            taken, self._sums = self._sums, {}
        return taken

    def give_back(self, sums: Mapping[Key, list[float]]) -> None:
        """Count again what could not be written."""
        for key, (n, total) in sums.items():
            self.add(key, n, total)


def write(session: Session, sums: Mapping[Key, list[float]]) -> None:
    """Add sums to the database, in one order for all workers so that none waits for another in a ring."""
    for (policy, name, hour, cell), (n, total) in sorted(sums.items()):
        add(session, policy=policy, bucket=hour, name=name, cell=cell, n=n, total=total)


def read(session: Session, policy: str, first: int, last: int | None = None) -> Sums:
    """Return the sums of hours `first` to `last`, both counted."""
    within = [Tally.policy == policy, Tally.bucket >= first]
    if last is not None:
        within.append(Tally.bucket <= last)
    rows = session.execute(
        select(Tally.name, Tally.cell, func.sum(Tally.n), func.sum(Tally.total))
        .where(*within)
        .group_by(Tally.name, Tally.cell)
    )
    sums: Sums = defaultdict(dict)
    for name, cell, n, total in rows:
        sums[name][cell] = (float(n), float(total))
    return dict(sums)


def forget(session: Session, before: int) -> None:
    """Remove hours that no window reaches any more; references stay."""
    session.execute(delete(Tally).where(Tally.bucket < before, Tally.bucket > REFERENCE))


class Reference(NamedTuple):
    """The sums that drift is measured from, and the last hour that they hold."""

    sums: Sums
    hour: int


def take_reference(session: Session, policy: str, hour: int, answers: int) -> Reference | None:
    """Return the reference that the first `answers` answers make; None while there are fewer.

    Whichever worker inserts the mark takes the reference; for the others it is there once that commits.
    """
    found = read(session, policy, REFERENCE, REFERENCE)
    if not found:
        so_far = read(session, policy, 0)
        if sum(n for n, _ in so_far.get("answers", {}).values()) < answers:
            return None
        mark = {"policy": policy, "bucket": REFERENCE, "name": _TAKEN, "cell": ""}
        if insert_once(session, Tally, **mark, n=0.0, total=float(hour)):
            write(
                session,
                {
                    (policy, name, REFERENCE, cell): [n, total]
                    for name, cells in so_far.items()
                    for cell, (n, total) in cells.items()
                },
            )
        found = read(session, policy, REFERENCE, REFERENCE)
    return Reference(found, int(found[_TAKEN][""][1]))
