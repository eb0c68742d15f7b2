"""Evidence that contradicts itself, found before any answer is read."""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Final

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.comparison import compare
from gatekeeper.checks.slots.disagreement import SHARED, disagreement
from gatekeeper.evidence.statements import Statement
from gatekeeper.exchange import Conflict, EvidenceSpan

MAX_CONFLICTS: Final = 16
MAX_STATEMENTS: Final = 256
"""Statements that are compared with each other, in order; the pairs grow with the square."""


def find_conflicts(statements: Sequence[Statement]) -> tuple[Conflict, ...]:
    """Return pairs of statements that speak of the same thing and fill in one slot differently."""
    return tuple(islice(_conflicts(statements[:MAX_STATEMENTS]), MAX_CONFLICTS))


def _conflicts(statements: Sequence[Statement]) -> Iterator[Conflict]:
    rarity = Rarity(statements)
    speaking = [one for one in statements if len(one.outline.named) >= SHARED]
    for first, second in combinations(speaking, 2):
        kind = disagreement(first, second, rarity)
        if kind and _stands(first, second, statements, rarity):
            yield Conflict(f"slots.{kind}", _place(first), _place(second))


def _stands(first: Statement, second: Statement, statements: Sequence[Statement], rarity: Rarity) -> bool:
    """Whether nothing else that the first one's document says agrees with the second."""
    beside = [one for one in statements if one.document == first.document and one is not second]
    return compare(second.text, "", beside, rarity).verdict is Verdict.CONTRADICTED


def _place(statement: Statement) -> EvidenceSpan:
    return EvidenceSpan(statement.document, statement.span)
