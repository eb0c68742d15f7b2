"""Two statements of the evidence that cannot both be right."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from gatekeeper.checks.slots import gate, quantity
from gatekeeper.checks.slots.alignment import CLAUSE_WORK, Rarity, back_share
from gatekeeper.checks.slots.clause import Assertion, Clause
from gatekeeper.checks.slots.kinds import compare_slots
from gatekeeper.checks.slots.lexicon import LOW_KEYS, ONE_SIDED
from gatekeeper.checks.slots.tokens import Tokens

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Sentence, Statement

SAME_WORDS: Final = 0.6
"""Share of the shorter statement's words below which two statements are not looked at."""
SHARED: Final = 2
"""Concepts that two statements must share at least."""
MUTUAL: Final = 0.6
HALF_MUTUAL: Final = 0.4
"""Shares of each other's terms that two statements about one thing name, one way and the other."""


_LABEL: Final = re.compile(r"([^:\n]{1,80}?)(?::| [–—-] )")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
REMEMBERED: Final = 2048
"""Pairs of sentences whose comparison is kept, in memory only: what is retrieved together recurs together."""


class Difference(NamedTuple):
    """Clauses of two sentences that differ in one slot of a `kind`; `swapped` are agents that do."""

    kind: str
    clause: Clause
    other: Clause
    swapped: frozenset[str]


def disagreement(first: "Statement", second: "Statement", rarity: Rarity) -> str | None:
    """Return the kind of the one slot in which two statements about the same thing differ, if any.

    Stricter than `compare`: both must speak of the same, under the same conditions, and differ in one
    slot only, because a table's rows differ in what they are about and in what they say.
    """
    ours, theirs = first.outline.named, second.outline.named
    shared = len(ours & theirs)
    if shared < SHARED or shared < SAME_WORDS * min(len(ours), len(theirs)):
        return None
    rarity.spend(_work(rarity.clauses_of(first), rarity.clauses_of(second)))
    for one in _differences(first.sentence, second.sentence):
        said, stated = rarity.weighed(one.clause.terms), rarity.weighed(one.other.terms)
        # An agent in another's place is the difference itself, no other subject.
        there = back_share(_without(said, one.swapped), second.heading.union(one.other.terms))
        back = back_share(_without(stated, one.swapped), first.heading.union(one.clause.terms))
        if max(there, back) >= MUTUAL and min(there, back) >= HALF_MUTUAL:
            return None if _are_labelled(first, second) else one.kind
    return None


def _are_labelled(first: "Statement", second: "Statement") -> bool:
    """Whether both open with a label of their own: "TR3: …" and "TR4: …" are rows of one list.

    Years and words such as "guideline" name sources, which may well contradict each other; and so may two
    documents of which one gives a row a shorter label.
    """
    ours, theirs = _label(first.text), _label(second.text)
    if first.document == second.document:
        return bool(ours and theirs and ours != theirs)
    return not (ours <= theirs or theirs <= ours)


def _label(text: str) -> frozenset[str]:
    """Return what the stretch before a statement's colon or dash names."""
    found = _LABEL.match(text)
    if found is None:
        return frozenset()
    words = [
        one for one in Tokens(found[1]).forms if one.key not in LOW_KEYS and not _YEAR.fullmatch(one.raw)
    ]
    return frozenset([one.key for one in words])


def _work(ours: Sequence[Clause], theirs: Sequence[Clause]) -> int:
    """Return how many pairs of values the comparison of two sentences counts for, remembered or not."""
    return CLAUSE_WORK * len(ours) * len(theirs) + _values(ours) * _values(theirs)


def _values(clauses: Sequence[Clause]) -> int:
    values = 0
    for clause in clauses:
        values += len(clause.quantities)
    return values


@lru_cache(maxsize=REMEMBERED)
def _differences(first: "Sentence", second: "Sentence") -> tuple[Difference, ...]:
    named = second.outline.named
    pairs = [(clause, other) for clause in first.reading.clauses for other in second.reading.clauses]
    found = (_difference(clause, other, named) for clause, other in pairs)
    return tuple([one for one in found if one is not None])


def _difference(clause: Clause, other: Clause, named: frozenset[str]) -> Difference | None:
    if any(clause.conditions.get(group) != other.conditions.get(group) for group in ONE_SIDED):
        return None
    claim = Assertion(clause, (), {}, frozenset(clause.terms))
    if not gate.is_open(claim, other, named):
        return None
    differing = [match for match in compare_slots(claim, other) if match.differs]
    kind = differing[0].differs if len({match.claim for match in differing}) == 1 else None
    if kind is None or kind == quantity.OTHER_CASE or _are_rows(clause, other):
        return None
    slots = {slot for match in differing if match.is_agent for slot in (match.claim, match.statement)}
    agents = (one.name for one in (*clause.agents, *other.agents) if (one.first, one.last) in slots)
    return Difference(kind, clause, other, frozenset(agents))


def _are_rows(clause: Clause, other: Clause) -> bool:
    """Whether bounds leave a gap between them: "≥ 45: none" and "< 30: saline" are rows of one table."""
    return any(
        quantity.comparable(mine, theirs) and quantity.are_opposite(mine, theirs)
        for mine in clause.quantities
        for theirs in other.quantities
    )


def _without(terms: dict[str, float], concepts: frozenset[str]) -> dict[str, float]:
    return {concept: weight for concept, weight in terms.items() if concept not in concepts}
