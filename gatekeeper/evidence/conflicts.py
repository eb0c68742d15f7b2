"""Evidence that contradicts itself, found before any answer is read."""

from collections.abc import Sequence
from itertools import combinations, islice
from typing import Final

from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.comparison import disagreement
from gatekeeper.evidence.statements import Statement
from gatekeeper.exchange import Conflict, EvidenceSpan

MAX_CONFLICTS: Final = 16
MAX_STATEMENTS: Final = 256
"""Statements that are compared with each other, in order; the pairs grow with the square."""


def find_conflicts(statements: Sequence[Statement]) -> tuple[Conflict, ...]:
    """Return pairs of statements that speak of the same thing and fill in one slot differently."""
    compared = statements[:MAX_STATEMENTS]
    rarity = Rarity(compared)
    found = (
        Conflict(f"slots.{kind}", _place(first), _place(second))
        for first, second in combinations(compared, 2)
        if (kind := disagreement(first, second, rarity))
    )
    return tuple(islice(found, MAX_CONFLICTS))


def _place(statement: Statement) -> EvidenceSpan:
    return EvidenceSpan(statement.document, statement.span)
