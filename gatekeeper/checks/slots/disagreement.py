"""Two statements of the evidence that cannot both be right."""

from typing import TYPE_CHECKING, Final

from gatekeeper.checks.slots import gate, quantity
from gatekeeper.checks.slots.alignment import Rarity, back_share
from gatekeeper.checks.slots.clause import Assertion, Clause
from gatekeeper.checks.slots.kinds import compare_slots
from gatekeeper.checks.slots.lexicon import ONE_SIDED

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

SAME_WORDS: Final = 0.6
"""Share of the shorter statement's words below which two statements are not looked at."""
MUTUAL: Final = 0.6
HALF_MUTUAL: Final = 0.4
"""Shares of each other's terms that two statements about one thing name, one way and the other."""


def disagreement(first: "Statement", second: "Statement", rarity: Rarity) -> str | None:
    """Return the kind of the one slot in which two statements about the same thing differ, if any.

    Stricter than `compare`: both must speak of the same, under the same conditions, and differ in one
    slot only, because a table's rows differ in what they are about and in what they say.
    """
    ours, theirs = first.outline.named, second.outline.named
    shared = len(ours & theirs)
    if shared < 2 or shared < SAME_WORDS * min(len(ours), len(theirs)):
        return None
    for clause in first.reading.clauses:
        for other in second.reading.clauses:
            kind = _disagreement(clause, other, first, second, rarity)
            if kind:
                return kind
    return None


def _disagreement(
    clause: Clause, other: Clause, first: "Statement", second: "Statement", rarity: Rarity
) -> str | None:
    if any(clause.conditions.get(group) != other.conditions.get(group) for group in ONE_SIDED):
        return None
    claim = Assertion(clause, (), {}, frozenset(clause.terms))
    if not gate.is_open(claim, other, second.outline.named):
        return None
    matches = compare_slots(claim, other)
    differing = [match for match in matches if match.differs]
    if len({match.claim for match in differing}) != 1 or differing[0].differs == quantity.OTHER_CASE:
        return None
    if _are_rows(clause, other):
        return None
    # An agent in another's place is the difference itself, no other subject.
    swapped = {slot for match in differing if match.is_agent for slot in (match.claim, match.statement)}
    agents = {one.name for one in (*clause.agents, *other.agents) if (one.first, one.last) in swapped}
    there = back_share(_without(rarity.weighed(clause.terms), agents), other.terms.keys() | second.heading)
    back = back_share(_without(rarity.weighed(other.terms), agents), clause.terms.keys() | first.heading)
    if max(there, back) < MUTUAL or min(there, back) < HALF_MUTUAL:
        return None
    return differing[0].differs


def _are_rows(clause: Clause, other: Clause) -> bool:
    """Whether bounds leave a gap between them: "≥ 45: none" and "< 30: saline" are rows of one table."""
    return any(
        quantity.comparable(mine, theirs) and quantity.are_opposite(mine, theirs)
        for mine in clause.quantities
        for theirs in other.quantities
    )


def _without(terms: dict[str, float], concepts: set[str]) -> dict[str, float]:
    return {concept: weight for concept, weight in terms.items() if concept not in concepts}
