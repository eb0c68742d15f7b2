"""Comparing a claim with the statements of the evidence: who speaks of the same thing, and who differs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final, NamedTuple

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots.kinds import KINDS, context_fits, gate_is_open, is_negative
from gatekeeper.checks.slots.lexicon import BROAD, ONE_SIDED
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.quantity import OTHER_CASE
from gatekeeper.checks.slots.reading import Reading, read
from gatekeeper.checks.slots.slot import Match
from gatekeeper.checks.slots.tokens import TERM_WEIGHT
from gatekeeper.exchange import Span

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

GLANCE: Final = 0.3
"""Share of terms below which slots are not even looked at."""
ALIGNED: Final = 0.5
"""Share of what a claim speaks of that a statement must speak of too, to be compared with it."""
BROADLY_ALIGNED: Final = 0.65
CLOSE: Final = 0.25
"""How much worse than the best aligned statement another may be aligned and still be heard."""
BESIDE: Final = 0.4
"""What a word met in the rows beside a clause counts, next to one met in the clause itself."""
SUPPORTS: Final = 0.6
SAME_SUBJECT: Final = 0.6
"""Share of the words that a rescuing statement and the claim must have in common."""
_SUBJECT: Final = 3.0
"""Weight of terms that a subject needs; what a claim lacks of it, its context has to supply."""

P_SUPPORTED: Final = 0.02
P_NOT_ADDRESSED: Final = 0.05
"""Probabilities of a contradiction that the rules overlooked, as the constructed pairs suggest."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the evidence says of one claim.

    `kind` is the slot that decided (`number`, `laterality` …), `span` its characters in the claim's
    text, `statement` the position of the deciding statement among those given. `value` is the
    probability that the evidence contradicts the claim.
    """

    verdict: Verdict
    value: float
    kind: str = ""
    span: Span | None = None
    statement: int | None = None


class _Overlap(NamedTuple):
    """Weight of what a claim and its context speak of, how much of it was met.

    `own` counts what the clause itself met of the claim's own `terms`, words beside it by half.
    """

    whole: float
    hit: float
    own: float
    terms: float

    @property
    def own_share(self) -> float:
        return self.own / self.terms if self.terms else 1.0

    @property
    def share(self) -> float:
        return self.hit / self.whole if self.whole else 0.0


@dataclass(frozen=True, slots=True)
class Aligned:
    """A clause of a statement beside a clause of the claim.

    `score` and `back` are the shares in [0, 1] of what the claim, and the statement, speak of and the
    other does too; `own_share` is the share met in the clause itself. `fits` says that a value of the claim
    or of its context meets a condition of the statement.
    """

    statement: int
    clause: Clause
    score: float
    back: float
    own_share: float
    fits: bool
    agreed: tuple[Match, ...]
    differing: tuple[Match, ...]

    @property
    def rank(self) -> float:
        """How well both speak of the same thing."""
        return 0.75 * self.score + 0.25 * self.back


class Rarity:
    """How much a concept tells apart: one that every statement names tells little."""

    def __init__(self, statements: Iterable["Statement"]) -> None:
        self._named: Counter[str] = Counter()
        for statement in statements:
            self._named.update(statement.reading.terms.keys())

    def of(self, concept: str) -> float:
        """Return a factor in (0, 1], 1 for concepts that at most one statement names."""
        named = self._named[concept]
        return 1.0 if named < 2 else 1.0 / (1.0 + 0.4 * log(named))


def compare(
    text: str, context: str, statements: Sequence["Statement"], rarity: Rarity | None = None
) -> Comparison:
    """Say whether the statements support, contradict or do not address a claim, and which slot decides.

    `context` is read with the claim and is no claim of its own: its values and conditions only choose
    the statements that apply.
    """
    claim, around = read(text), read(context) if context else None
    rarity = rarity or Rarity(statements)
    best: Comparison | None = None
    for clause in claim.clauses:
        found = _compare_clause(claim, clause, around, statements, rarity)
        if found is not None and (best is None or _ORDER[found.verdict] > _ORDER[best.verdict]):
            best = found
    return best or Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)


_ORDER: Final = {Verdict.SUPPORTED: 0, Verdict.NOT_ADDRESSED: 1, Verdict.CONTRADICTED: 2}


def _compare_clause(
    claim: Reading, clause: Clause, around: Reading | None, statements: Sequence["Statement"], rarity: Rarity
) -> Comparison | None:
    """Compare one clause of a claim; None for a clause that says nothing that could be compared."""
    if not (clause.terms or clause.quantities or clause.categories or clause.sides or clause.stance):
        return None
    aligned = list(_aligned(claim, clause, around, statements, rarity))
    if not aligned:
        return Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)
    top = max((one.rank for one in aligned if len(_slots_differing(one)) < 2), default=0.0)
    contradicting = [
        candidate
        for candidate in aligned
        if _contradicts(candidate, top) and not _rescued(candidate, aligned)
    ]
    if contradicting:
        worst = max(contradicting, key=lambda candidate: candidate.rank)
        match = _deciding(worst)
        value = min(0.98, 0.5 + 0.5 * worst.score)
        return Comparison(
            Verdict.CONTRADICTED, value, match.differs or "", claim.span(match.claim), worst.statement
        )
    return _supported(clause, aligned) or Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)


def _aligned(
    claim: Reading, clause: Clause, around: Reading | None, statements: Sequence["Statement"], rarity: Rarity
) -> Iterator[Aligned]:
    beside = {concept: weight for concept, weight in claim.terms.items() if concept not in clause.terms}
    context = {**(around.terms if around else {}), **beside}
    for position, statement in enumerate(statements):
        for other in statement.reading.clauses:
            subject = _overlap(clause.terms, context, other, statement, rarity)
            if subject.share < GLANCE or not gate_is_open(clause, around, other, statement):
                continue
            matches = [match for kind in KINDS for match in kind(clause, around, other)]
            agreed = tuple(match for match in matches if match.differs is None)
            differing = tuple(match for match in matches if match.differs)
            score = _with_slots(subject, clause, agreed, differing)
            if score >= ALIGNED:
                back = _back(other.terms, clause.terms, context, rarity)
                fits = any(match.signature.startswith("number") for match in agreed)
                fits = fits or context_fits(around, other)
                yield Aligned(position, other, score, back, subject.own_share, fits, agreed, differing)


def _overlap(
    terms: Mapping[str, float], context: Mapping[str, float], clause: Clause, statement: "Statement", rarity: Rarity
) -> _Overlap:
    """Weigh what the claim speaks of, and how much of it the clause and what surrounds it speak of."""
    near, heading, before = statement.reading.terms, statement.heading, statement.before

    def met(concept: str) -> float:
        if concept in clause.terms:
            return 1.0
        if concept in heading:
            return 0.9
        if concept in clause.beside:
            return 0.75
        return 0.5 if concept in near or concept in before else 0.0

    total = hit = own = around = around_hit = 0.0
    for concept, weight in terms.items():
        weight *= rarity.of(concept)
        total += weight
        hit += weight * met(concept)
        own += weight * (1.0 if concept in clause.terms else BESIDE * (concept in clause.beside))
    for concept, weight in context.items():
        weight *= rarity.of(concept)
        around += weight
        around_hit += weight * met(concept)
    needed = min(around, max(0.75, _SUBJECT - total))
    return _Overlap(total + needed, hit + min(around_hit, needed), own, total)


def _with_slots(subject: _Overlap, clause: Clause, agreed: Sequence[Match], differing: Sequence[Match]) -> float:
    """Return the share with the slots counted in: an equal value speaks for the same subject.

    A value that differs shows at least that the statement has one there. An agent in another's place
    is no missing term.
    """
    slots = {
        (slot.first, slot.last)
        for slot in (*clause.quantities, *clause.categories, *clause.sides, *clause.axes)
    }
    swapped = sum(TERM_WEIGHT for match in differing if match.claim not in slots and match.signature.startswith("agent"))
    whole = subject.whole - swapped + len(slots)
    hit = subject.hit + sum(match.claim in slots for match in agreed)
    hit += 0.5 * sum(match.claim in slots for match in differing)
    return min(1.0, hit / whole) if whole > 0 else 0.0


def _back(
    stated: Mapping[str, float], terms: Mapping[str, float], context: Mapping[str, float], rarity: Rarity
) -> float:
    total = hit = 0.0
    for concept, weight in stated.items():
        weight *= rarity.of(concept)
        total += weight
        if concept in terms or concept in context:
            hit += weight
    return hit / total if total else 0.0


def _slots_differing(candidate: Aligned) -> set[tuple[int, int]]:
    """Return the places in the claim that differ; another time word comes along with another value."""
    decisive = {match.claim for match in candidate.differing if match.differs != "temporal"}
    return decisive or {match.claim for match in candidate.differing}


def _contradicts(candidate: Aligned, top: float) -> bool:
    """Whether exactly one slot differs. Two or more: the statement is about another row or case."""
    if candidate.rank < top - CLOSE or len(_slots_differing(candidate)) != 1:
        return False
    match = _deciding(candidate)
    if match.differs == OTHER_CASE and not candidate.fits:
        return False
    return match.signature.partition(":")[2] not in BROAD or candidate.score >= BROADLY_ALIGNED


def _deciding(candidate: Aligned) -> Match:
    return next((match for match in candidate.differing if match.differs != "temporal"), candidate.differing[0])


def _rescued(candidate: Aligned, aligned: Sequence[Aligned]) -> bool:
    """Whether another statement agrees on the very slot, and on what else the candidate agreed on.

    A further clause of the same sentence need not repeat the sentence's other values.
    """
    slot = _deciding(candidate)
    return any(
        not other.differing
        and (other.own_share >= SAME_SUBJECT * candidate.own_share or other.back >= SAME_SUBJECT)
        and any(match.claim == slot.claim for match in other.agreed)
        and (
            {match.claim for match in candidate.agreed} <= {match.claim for match in other.agreed}
            or (other.statement == candidate.statement and slot.differs != "polarity")
        )
        for other in aligned
    )


def _supported(clause: Clause, aligned: Sequence[Aligned]) -> Comparison | None:
    """Supported: a statement speaks of the same in the same sense, and every value was met."""
    agreeing = [
        candidate
        for candidate in aligned
        if not candidate.differing and is_negative(candidate.clause) == is_negative(clause)
    ]
    if not agreeing:
        return None
    best = max(agreeing, key=lambda candidate: candidate.rank)
    met = {match.claim for candidate in agreeing for match in candidate.agreed}
    slots = [*clause.quantities, *clause.categories, *clause.sides]
    if best.score < SUPPORTS or best.own_share < 0.5 or any((slot.first, slot.last) not in met for slot in slots):
        return None
    return Comparison(Verdict.SUPPORTED, P_SUPPORTED, statement=best.statement)


MUTUAL: Final = 0.75
"""Share of each other's terms that two statements must both name to be about the same thing."""


def disagreement(first: "Statement", second: "Statement", rarity: Rarity) -> str | None:
    """Return the kind of the one slot in which two statements about the same thing differ, if any.

    Stricter than `compare`: both must speak of the same, under the same conditions, and differ in one
    slot only, because a table's rows differ in what they are about and in what they say.
    """
    shared = len(first.reading.terms.keys() & second.reading.terms.keys())
    if shared < 2 or shared < 0.4 * min(len(first.reading.terms), len(second.reading.terms)):
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
    if not gate_is_open(clause, None, other, second):
        return None
    there = _back(clause.terms, {**other.terms, **second.heading}, {}, rarity)
    back = _back(other.terms, {**clause.terms, **first.heading}, {}, rarity)
    if max(there, back) < MUTUAL or min(there, back) < ALIGNED:
        return None
    differing = [match for kind in KINDS for match in kind(clause, None, other) if match.differs]
    if len({match.claim for match in differing}) != 1 or differing[0].differs == OTHER_CASE:
        return None
    return differing[0].differs
