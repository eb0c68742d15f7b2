"""Which statements speak of what a claim speaks of, and how closely."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from math import log
from typing import TYPE_CHECKING, Final, NamedTuple

from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.kinds import compare_slots, context_fits, gate_is_open
from gatekeeper.checks.slots.reading import Reading
from gatekeeper.checks.slots.slot import Match
from gatekeeper.checks.slots.tokens import TERM_WEIGHT

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

MAX_CANDIDATES: Final = 24
"""Statements that a claim is compared with, however long the evidence is."""
GLANCE: Final = 0.3
"""Share of terms below which slots are not even looked at."""
ALIGNED: Final = 0.5
"""Share of what a claim speaks of that a statement must speak of too, to be compared with it."""
_SUBJECT: Final = 3.0
"""Weight of terms that a subject needs; what a claim lacks of it, its context has to supply."""
_HEADING: Final = 0.9
_BESIDE: Final = 0.75
_BEFORE: Final = 0.5
"""What a term counts that a heading, a row beside, or an earlier sentence names, next to 1 in the clause."""
_BESIDE_ITSELF: Final = 0.4
_TOPIC_ITSELF: Final = 0.55
"""What terms from a row beside, and from the sentence's topic, count where it matters which row is meant."""


class Rarity:
    """How much a concept tells apart: one that every statement names tells little."""

    def __init__(self, statements: Iterable["Statement"]) -> None:
        self._named: Counter[str] = Counter()
        for statement in statements:
            self._named.update(statement.outline.named)

    def of(self, concept: str) -> float:
        """Return a factor in (0, 1], 1 for concepts that at most one statement names."""
        named = self._named[concept]
        return 1.0 if named < 2 else 1.0 / (1.0 + 0.4 * log(named))

    def weighed(self, terms: Mapping[str, float]) -> dict[str, float]:
        """Return the terms with their weights reduced by how common they are here."""
        return {concept: weight * self.of(concept) for concept, weight in terms.items()}


class Aligned(NamedTuple):
    """A clause of a statement beside a clause of the claim.

    `score` and `back` are the shares in [0, 1] of what the claim, and the statement, speak of and the
    other does too. `own` holds what the clause itself met of the claim's terms, whose weight is `whole`;
    `weight` is what was met in all, `unmet` what no sentence so far names. `agreed` and `differing` are the slots that met. `fits`: a value of the claim or its context
    meets a condition of the statement. `conditions_met`: the statement names all the claim's conditions.
    """

    statement: int
    clause: Clause
    score: float
    back: float
    own: Mapping[str, float]
    whole: float
    weight: float
    unmet: float
    agreed: tuple[Match, ...]
    differing: tuple[Match, ...]
    fits: bool
    conditions_met: bool

    def own_share(self, without: float = 0.0) -> float:
        """Return the share of the claim's own terms that the clause itself met."""
        whole = self.whole - without
        return sum(self.own.values()) / whole if whole > 0 else 1.0

    @property
    def rank(self) -> float:
        """How well both speak of the same thing."""
        return 0.75 * self.score + 0.25 * self.back


def align(
    claim: Reading, clause: Clause, around: Reading | None, statements: Sequence["Statement"], rarity: Rarity
) -> Iterator[Aligned]:
    """Yield every clause of the statements that speaks of what a clause of the claim speaks of.

    `around` is the claim's context. Clauses that hold under other conditions are left out.
    """
    beside = {concept: weight for concept, weight in claim.terms.items() if concept not in clause.terms}
    context = rarity.weighed({**(around.terms if around else {}), **beside})
    terms = rarity.weighed(clause.terms)
    for position in _candidates(claim.named | (around.named if around else frozenset()), statements):
        statement = statements[position]
        if not _may_align(terms, context, statement):
            continue
        for other in statement.reading.clauses:
            overlap = _overlap(terms, context, other, statement)
            if overlap.share < GLANCE or not gate_is_open(clause, around, other):
                continue
            matches = compare_slots(clause, around, other)
            agreed = tuple(match for match in matches if match.differs is None)
            differing = tuple(match for match in matches if match.differs)
            score = _with_slots(overlap, clause, agreed, differing)
            if score < ALIGNED:
                continue
            yield Aligned(
                position,
                other,
                score,
                back=back_share(rarity.weighed(other.terms), terms.keys() | context.keys()),
                own=overlap.own,
                whole=sum(terms.values()),
                weight=overlap.hit,
                unmet=overlap.unmet,
                agreed=agreed,
                differing=differing,
                fits=any(match.signature.startswith("number") for match in agreed) or context_fits(around, other),
                conditions_met=_conditions_met(clause, other, statement),
            )


def _candidates(named: frozenset[str], statements: Sequence["Statement"]) -> list[int]:
    """Return the statements that share most words with a claim, at most MAX_CANDIDATES, in order."""
    shared = [
        (len(named & statement.outline.named) + len(named & statement.heading), -position)
        for position, statement in enumerate(statements)
    ]
    if len(shared) > MAX_CANDIDATES:
        shared = nlargest(MAX_CANDIDATES, shared)
    return sorted(-position for count, position in shared if count)


def _may_align(terms: Mapping[str, float], context: Mapping[str, float], statement: "Statement") -> bool:
    """Whether any clause of a statement can reach GLANCE: a look before its slots are read."""
    near = statement.outline.named
    total = hit = 0.0
    for concept, weight in terms.items():
        total += weight
        if concept in near or concept in statement.heading:
            hit += weight
        elif statement.follows(concept):
            hit += _BEFORE * weight
    if total < _SUBJECT and context:
        return True
    return hit >= GLANCE * total


class _Overlap(NamedTuple):
    whole: float
    hit: float
    own: dict[str, float]
    unmet: float

    @property
    def share(self) -> float:
        return self.hit / self.whole if self.whole else 0.0


def _overlap(
    terms: Mapping[str, float], context: Mapping[str, float], clause: Clause, statement: "Statement"
) -> _Overlap:
    """Weigh what the claim speaks of, and how much of it the clause and what surrounds it speak of."""
    nearby = statement.outline.named
    total = hit = around = around_hit = unmet = 0.0
    own: dict[str, float] = {}
    for concept, weight in terms.items():
        total += weight
        if concept in clause.terms:
            credit = own[concept] = weight
        elif concept in clause.topic:
            credit, own[concept] = weight, _TOPIC_ITSELF * weight
        elif concept in statement.heading:
            credit = own[concept] = _HEADING * weight
        elif concept in clause.beside:
            credit, own[concept] = _BESIDE * weight, _BESIDE_ITSELF * weight
        elif concept in nearby or statement.follows(concept):
            credit = _BEFORE * weight
        else:
            credit = 0.0
            unmet += weight
        hit += credit
    for concept, weight in context.items():
        around += weight
        if concept in clause.terms or concept in clause.topic or concept in statement.heading:
            around_hit += weight
        elif concept in nearby or statement.follows(concept):
            around_hit += _BEFORE * weight
    needed = min(around, max(0.75, _SUBJECT - total))
    return _Overlap(total + needed, hit + min(around_hit, needed), own, unmet)


def _with_slots(overlap: _Overlap, clause: Clause, agreed: Sequence[Match], differing: Sequence[Match]) -> float:
    """Return the share with the slots counted in: an equal value speaks for the same subject.

    A value that differs shows at least that the statement has one there. An agent in another's place
    is no missing term.
    """
    placed = (*clause.quantities, *clause.categories, *clause.sides, *clause.axes)
    slots = {(slot.first, slot.last) for slot in placed}
    swapped = sum(TERM_WEIGHT for match in differing if match.claim not in slots and match.is_agent)
    whole = overlap.whole - swapped + len(slots)
    hit = overlap.hit + sum(match.claim in slots for match in agreed)
    hit += 0.5 * sum(match.claim in slots for match in differing)
    return min(1.0, hit / whole) if whole > 0 else 0.0


def back_share(stated: Mapping[str, float], named: Iterable[str]) -> float:
    """Return the share of what a statement speaks of that is named."""
    whole = sum(stated.values())
    named = set(named)
    return sum(weight for concept, weight in stated.items() if concept in named) / whole if whole else 0.0


def _conditions_met(claim: Clause, other: Clause, statement: "Statement") -> bool:
    return all(
        group in other.conditions
        or any(concept in statement.heading or statement.follows(concept) for concept in concepts)
        for group, concepts in claim.conditions.items()
    )
