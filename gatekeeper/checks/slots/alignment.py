"""Which statements speak of what a claim speaks of, and how closely."""

from collections.abc import Mapping, Sequence, Set
from heapq import nlargest
from math import log
from typing import TYPE_CHECKING, Final, final

from gatekeeper.checks.slots import gate
from gatekeeper.checks.slots.clause import Assertion, Clause
from gatekeeper.checks.slots.kinds import compare_slots
from gatekeeper.checks.slots.slot import Match
from gatekeeper.checks.slots.tokens import TERM_WEIGHT, Outline
from gatekeeper.errors import InvalidRequest

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

MAX_CANDIDATES: Final = 24
"""Statements that a claim is compared with, however long the evidence is."""
MOST_WORK: Final = 800_000
"""Pairs of values that are compared for one answer, or within the evidence: a few seconds of work."""
CLAUSE_WORK: Final = 4
"""Pairs of values that two clauses count for, whatever they hold."""
GLANCE: Final = 0.35
"""Share of terms below which slots are not even looked at."""
ALIGNED: Final = 0.5
"""Share of what a claim speaks of that a statement must speak of too, to be compared with it."""
SLIPPED: Final = 0.25
"""The same where both hold the same figures in different units."""
LIKELY: Final = 0.35
"""The same where both hold the same figures with different units: that is hardly ever chance."""
RIVAL: Final = 0.15
"""The same where both name levels, or drugs, of one class, other ones: these cannot be shared."""
_SUBJECT: Final = 2.5
"""Weight of terms that a subject needs; what a claim lacks of it, its context has to supply."""
_HEADING: Final = 0.9
_BESIDE: Final = 0.75
_BEFORE: Final = 0.5
"""What a term counts that a heading, a row beside, or an earlier sentence names, next to 1 in the clause."""
_BESIDE_ITSELF: Final = 0.4
_TOPIC_ITSELF: Final = 0.55
"""What terms from a row beside, and from the sentence's topic, count where it matters which row is meant."""


def reading_work(outlined: Outline) -> int:
    """Return how many pairs of values the reading of a sentence counts for: its words look at each other."""
    return len(outlined.tokens) ** 2 // 8


@final
class Rarity:
    """How much a concept tells apart: one that every statement names tells little.

    It also counts the work of all comparisons that are made with it (`spend`).
    """

    __slots__ = ("_left", "_read", "_repeated", "_statements")

    def __init__(self, statements: Sequence["Statement"]) -> None:
        self._left = MOST_WORK
        self._read: set[Statement] = set()
        self._statements = statements
        self._repeated: dict[str, int] | None = None

    def spend(self, pairs: int) -> None:
        """Count pairs of slots or clauses that are about to be compared; raise InvalidRequest past MOST_WORK.

        Sentences full of values are compared value by value, so that a short text could keep the process
        busy for hours. Pairs are counted, not seconds: the same texts end alike everywhere.
        """
        self._left -= pairs
        if self._left < 0:
            raise InvalidRequest(
                "The evidence holds more values side by side than can be compared: send less."
            )

    def clauses_of(self, statement: "Statement") -> tuple[Clause, ...]:
        """Return the clauses of a statement; its reading counts once."""
        if statement not in self._read:
            self._read.add(statement)
            self.spend(reading_work(statement.outline))
        return statement.reading.clauses

    def weighed(self, terms: dict[str, float]) -> dict[str, float]:
        """Return the terms with their weights reduced by how common they are, beside the rarest of them."""
        if not terms:
            return {}
        if self._repeated is None:
            self._repeated = _repeated(self._statements)
        repeated, fewest = self._repeated, len(self._statements)
        for concept in terms:
            fewest = min(fewest, repeated.get(concept, 1))
        rarest = _commonness(fewest)
        weighed = terms.copy()
        for concept, weight in terms.items():
            count = repeated.get(concept, 1)
            if count > 1:
                weighed[concept] = weight * (rarest / _commonness(count))
        return weighed


def _repeated(statements: Sequence["Statement"]) -> dict[str, int]:
    """Return in how many statements each concept is named that more than one names."""
    repeated: dict[str, int] = {}
    met: set[str] = set()
    for statement in statements:
        for concept in statement.outline.named:
            if concept in met:
                repeated[concept] = repeated.get(concept, 1) + 1
            else:
                met.add(concept)
    return repeated


_COMMONNESS: Final = [1.0 + 0.4 * log(max(1, named)) for named in range(256)]


def _commonness(named: int) -> float:
    """Return how little a concept tells that so many statements name: 1 where one does."""
    return _COMMONNESS[named] if named < len(_COMMONNESS) else 1.0 + 0.4 * log(named)


@final
class Aligned:
    """A clause of a statement beside a clause of the claim.

    `score` and `back` are the shares in [0, 1] of what the claim, and the statement, speak of and the
    other does too. `own` holds what the clause itself met of the claim's terms, whose weight is `whole`;
    `weight` is what was met in all, `unmet` what no sentence so far names. `agreed` and `differing` are
    the slots that met. `chosen` says that a value of the claim's context lies in an interval of the
    statement, so that this is the row that applies; `conditions_met` that the statement names all the
    claim's conditions.
    """

    __slots__ = (
        "agreed", "back", "chosen", "clause", "conditions_met", "differing", "own", "score", "statement",
        "unmet", "weight", "whole",
    )  # fmt: skip

    def __init__(
        self, statement: int, clause: Clause, score: float, back: float, whole: float, overlap: "_Overlap",
        matches: Sequence[Match], *, chosen: bool, conditions_met: bool,
    ) -> None:  # fmt: skip
        self.statement = statement
        self.clause = clause
        self.score = score
        self.back = back
        self.own = overlap.own
        self.whole = whole
        self.weight = overlap.hit
        self.unmet = overlap.unmet
        self.agreed = [match for match in matches if not match.differs]
        self.differing = [match for match in matches if match.differs]
        self.chosen = chosen
        self.conditions_met = conditions_met

    def own_share(self, without: float = 0.0) -> float:
        """Return the share of the claim's own terms that the clause itself met.

        A bare value ("48 hours") has none: it speaks of what its context asks for.
        """
        if not self.whole:
            return self.score
        whole = self.whole - without
        return sum(self.own.values()) / whole if whole > 0 else 0.0

    def share_beside(self, concepts: Set[str], terms: Mapping[str, float]) -> float:
        """Return the share that the clause met of the claim's terms without `concepts`, and of its values."""
        values = sum([match.is_placed for match in self.agreed])
        whole = self.whole - sum([self.own.get(one, terms.get(one, 0.0)) for one in concepts]) + values
        met = sum([weight for one, weight in self.own.items() if one not in concepts]) + values
        return met / whole if whole > 0 else 0.0

    @property
    def rank(self) -> float:
        """How well both speak of the same thing."""
        return 0.75 * self.score + 0.25 * self.back

    @property
    def margin(self) -> float:
        """How safely both speak of the same thing: what either says and the other does not weighs too."""
        return self.score + 0.5 * self.back - (0.5 * self.unmet / self.whole if self.whole else 0.0)


def align(claim: Assertion, statements: Sequence["Statement"], rarity: Rarity) -> list[Aligned]:
    """Return every clause of the statements that speaks of what a clause of a claim speaks of.

    Clauses that hold under other conditions are left out.
    """
    mine = claim.clause
    terms, around = rarity.weighed(mine.terms), rarity.weighed(claim.around)
    whole = sum(terms.values())
    slots = {(slot.first, slot.last) for slot in (*mine.values(), *mine.axes)}
    values = sum([len(one.quantities) for one in (mine, *claim.context)])
    exchangeable: float = sum([terms.get(one.name, 0.0) for one in mine.members], 0.0)
    exchangeable += sum([terms.get(one.name, 0.0) for one in mine.agents], 0.0)
    aligned: list[Aligned] = []
    for position in _candidates(claim.words, statements):
        statement = statements[position]
        if not _may_align(terms, whole - exchangeable, around, statement):
            continue
        for other in rarity.clauses_of(statement):
            overlap = _overlap(terms, around, other, statement)
            least = RIVAL if _is_rival(mine, other) else SLIPPED if _is_slip(mine, other) else GLANCE
            if overlap.share < least or not gate.is_ajar(claim, other, statement):
                continue
            rarity.spend(CLAUSE_WORK + values * len(other.quantities))
            matches = compare_slots(claim, other)
            score = _with_slots(overlap, mine, slots, matches)
            if score >= ALIGNED or (score >= LIKELY and any(match.differs == "unit" for match in matches)):
                back = back_share(rarity.weighed(other.terms), claim.named)
                chosen = gate.context_fits(claim, other)
                met = _conditions_met(mine, other, statement)
                one = Aligned(
                    position, other, score, back, whole, overlap, matches, chosen=chosen, conditions_met=met
                )
                aligned.append(one)
    return aligned


def _is_rival(claim: Clause, stated: Clause) -> bool:
    """Whether both name levels or drugs of one class, other ones: their names cannot be shared words."""
    if claim.members and stated.members:
        groups = {one.group: one.name for one in stated.members}
        if any(groups.get(one.group, one.name) != one.name for one in claim.members):
            return True
    if claim.agents and stated.agents:
        named = {one.group: one.name for one in stated.agents}
        return any(named.get(one.group, one.name) != one.name for one in claim.agents)
    return False


def _is_slip(claim: Clause, stated: Clause) -> bool:
    """Whether both hold the same figures in different units, other than times."""
    for mine in claim.quantities:
        for theirs in stated.quantities:
            if (
                mine.literal == theirs.literal
                and mine.unit != theirs.unit
                and mine.unit.measure != "time"
                and not mine.has_no_unit
                and not theirs.has_no_unit
            ):
                return True
    return False


def _candidates(named: frozenset[str], statements: Sequence["Statement"]) -> list[int]:
    """Return the statements that share most words with a claim, at most MAX_CANDIDATES, in order."""
    sharing = [
        position
        for position, statement in enumerate(statements)
        if not named.isdisjoint(statement.outline.named)
        or (statement.heading and not named.isdisjoint(statement.heading))
    ]
    if len(sharing) <= MAX_CANDIDATES:
        return sharing
    shared = [
        (len(named & statements[at].outline.named) + len(named & statements[at].heading), -at)
        for at in sharing
    ]
    return sorted([-position for _, position in nlargest(MAX_CANDIDATES, shared)])


def _may_align(
    terms: dict[str, float], whole: float, around: dict[str, float], statement: "Statement"
) -> bool:
    """Whether any clause of a statement can reach GLANCE: a look before its slots are read."""
    if whole < _SUBJECT and around:
        return True
    hit, needed = 0.0, GLANCE * whole
    named, heading = statement.outline.named, statement.heading
    for concept, weight in terms.items():
        if concept in named or concept in heading:
            hit += weight
        elif statement.follows(concept):
            hit += _BEFORE * weight
        if hit >= needed:
            return True
    return not terms


@final
class _Overlap:
    __slots__ = ("hit", "own", "unmet", "whole")

    def __init__(self, whole: float, hit: float, own: dict[str, float], unmet: float) -> None:
        self.whole = whole
        self.hit = hit
        self.own = own
        self.unmet = unmet

    @property
    def share(self) -> float:
        return self.hit / self.whole if self.whole else 0.0


def _overlap(
    terms: dict[str, float], around: dict[str, float], clause: Clause, statement: "Statement"
) -> _Overlap:
    """Weigh what the claim speaks of, and how much of it the clause and what surrounds it speak of."""
    nearby = statement.outline.named
    total = hit = unmet = 0.0
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
    needed, met = _from_context(around, clause, statement, max(0.75, _SUBJECT - total))
    return _Overlap(total + needed, hit + met, own, unmet)


def _from_context(
    around: dict[str, float], clause: Clause, statement: "Statement", needed: float
) -> tuple[float, float]:
    """Return how much of a subject the context has to supply, and how much of that was met."""
    whole = met = 0.0
    for concept, weight in around.items():
        whole += weight
        if concept in clause.terms or concept in clause.topic or concept in statement.heading:
            met += weight
        elif concept in statement.outline.named or statement.follows(concept):
            met += _BEFORE * weight
    needed = min(whole, needed)
    return needed, min(met, needed)


def _with_slots(
    overlap: _Overlap, clause: Clause, slots: Set[tuple[int, int]], matches: Sequence[Match]
) -> float:
    """Return the share with the claim's `slots` counted in: an equal value speaks for the same subject.

    A value that differs shows at least that the statement has one there. An agent in another's place
    is no missing term.
    """
    whole, hit = overlap.whole + len(slots), overlap.hit
    for match in matches:
        if match.claim in slots:
            hit += 0.5 if match.differs else 1.0
        elif match.differs and match.is_term:
            whole -= TERM_WEIGHT * max(1, len(match.concepts))
        elif match.differs:
            whole -= sum([clause.terms.get(one, 0.0) for one in match.concepts if one not in overlap.own])
    return min(1.0, hit / whole) if whole > 0 else 0.0


def back_share(stated: dict[str, float], named: Set[str]) -> float:
    """Return the share of what a statement speaks of that is named; all, where it speaks of nothing."""
    whole = met = 0.0
    for concept, weight in stated.items():
        whole += weight
        if concept in named:
            met += weight
    return met / whole if whole else 1.0


def _conditions_met(claim: Clause, other: Clause, statement: "Statement") -> bool:
    for group, concepts in claim.conditions.items():
        named = [one for one in concepts if one in statement.heading or statement.follows(one)]
        if group not in other.conditions and not named:
            return False
    return True
