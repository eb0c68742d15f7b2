"""The slot kinds: each pairs the slots of a claim's clause with those of a statement's.

A further kind is one more module with its slot, one more field of Clause, and one more function here.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from gatekeeper.checks.slots import agent, category, indication, laterality, polarity, quantity, temporal
from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.clause import Assertion, Clause
from gatekeeper.checks.slots.member import KINDS
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.slot import Match, Slot

Kind = Callable[[Assertion, Clause], Iterator[Match]]

_Anchored = TypeVar("_Anchored", Quantity, Agent)


def compare_slots(claim: Assertion, statement: Clause) -> list[Match]:
    """Return all slots of two clauses that met."""
    matches: list[Match] = []
    for name, kind in _PAIRED:
        if getattr(claim.clause, name) and getattr(statement, name):
            matches += kind(claim, statement)
    for kind in _LOPSIDED:
        matches += kind(claim, statement)
    return matches


def _match(claim: Slot, statement: Slot, differs: str | None) -> Match:
    return Match(claim.signature, (claim.first, claim.last), (statement.first, statement.last), differs)


def _numbers(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Pair the quantities with the statement's of the same measure: equal ones first, then the rest."""
    turned = claim.clause.is_negative != statement.is_negative
    used: set[int] = set()
    left: list[tuple[Quantity, list[Quantity]]] = []
    for claimed in claim.clause.quantities:
        candidates = [stated for stated in statement.quantities if quantity.comparable(claimed, stated)]
        nearest = _nearest(_telling(claimed, claim), candidates)
        agreeing = [stated for stated in nearest if quantity.agrees(claimed, stated, turned=turned)]
        if agreeing:
            used.update(stated.first for stated in agreeing)
            yield _match(claimed, agreeing[0], None)
        else:
            left.append((claimed, nearest))
    # A statement's number that already met another of the claim's says nothing of the rest.
    for claimed, nearest in left:
        free = [stated for stated in nearest if stated.first not in used]
        found = {quantity.difference(claimed, stated): stated for stated in reversed(free)}
        if not nearest and not claim.clause.gives_concentration:
            unused = (stated for stated in statement.quantities if stated.first not in used)
            misread = next((stated for stated in unused if quantity.misread_unit(claimed, stated)), None)
            found = {"unit": misread} if misread else {}
        if "comparator" in found and statement.has_complement:
            continue  # "Normal from 2 cm, low-lying if nearer": which side is which is not read.
        if found and "" not in found:
            differs = next((kind for kind in found if kind != quantity.OTHER_CASE), quantity.OTHER_CASE)
            yield _match(claimed, found[differs], differs)


def _telling(claimed: Quantity, claim: Assertion) -> frozenset[str]:
    """Return the words that tell which of a statement's quantities is meant."""
    measures = [other.unit.measure for other in claim.clause.quantities]
    return claim.named if measures.count(claimed.unit.measure) == 1 else claimed.anchors


def _nearest(named: frozenset[str], candidates: list[_Anchored]) -> list[_Anchored]:
    """Return the candidates whose own words the claim uses, all where its words tell nothing."""
    if len(candidates) < 2:
        return candidates
    shared = frozenset.intersection(*(candidate.anchors for candidate in candidates))
    telling = [len((candidate.anchors - shared) & named) for candidate in candidates]
    best = max(telling)
    return [candidate for candidate, count in zip(candidates, telling, strict=True) if count == best]


def _categories(claim: Assertion, statement: Clause) -> Iterator[Match]:
    for claimed in claim.clause.categories:
        candidates = [stated for stated in statement.categories if category.comparable(claimed, stated)]
        if candidates:
            agreeing = [stated for stated in candidates if category.agrees(claimed, stated)]
            yield _match(claimed, (agreeing or candidates)[0], None if agreeing else "category")


def _sides(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Compare every side with the statement's side of the same thing."""
    for claimed in claim.clause.sides:
        candidates = [stated for stated in statement.sides if stated.signature == claimed.signature]
        nearest = laterality.nearest(claimed, candidates, only=len(claim.clause.sides) == 1)
        if nearest:
            agreeing = [stated for stated in nearest if laterality.agrees(claimed, stated)]
            yield _match(claimed, (agreeing or nearest)[0], None if agreeing else "laterality")


def _agents(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Compare the members of every class that both name."""
    mine = claim.clause
    for group in dict.fromkeys(member.group for member in mine.agents):
        claimed = [member for member in mine.agents if member.group == group]
        stated = [member for member in statement.agents if member.group == group]
        if not stated:
            continue
        stated = _meant(claimed, mine, stated)
        strange = agent.swapped(claimed, stated)
        if strange and mine.is_negative != statement.is_negative:
            continue  # "Not barium" and "water-soluble contrast" agree.
        yield _match(strange or claimed[0], stated[0], agent.kind_of(group) if strange else None)


def _meant(claimed: list[Agent], claim: Clause, stated: list[Agent]) -> list[Agent]:
    """Return the agents whose own words a claim about one agent uses; all, where its words tell nothing."""
    if len(claimed) > 1 or len(stated) == 1:
        return stated
    nearest = _nearest(frozenset(claim.terms), stated)
    shared = frozenset.intersection(*(member.anchors for member in stated))
    # An agent that the statement names too is another's only where its own words speak of something else.
    undecided = any(
        not member.anchors - shared or (member.anchors - shared) & claim.terms.keys()
        for member in stated
        if member not in nearest
    )
    return stated if undecided else nearest


def _members(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Compare the levels, and the populations, of every class of which both name members."""
    theirs = statement.members
    for group in dict.fromkeys(one.group for one in claim.clause.members):
        claimed = [one for one in claim.clause.members if one.group == group]
        stated = {one.name: one for one in theirs if one.group == group}
        if stated:
            differs = None if any(one.name in stated for one in claimed) else KINDS[group]
            yield _match(claimed[0], next(iter(stated.values())), differs)


def _excepted(claim: Assertion, statement: Clause) -> bool:
    """Whether one side names an exception that the other speaks of, so that both may hold."""
    return bool(claim.clause.excepted) or not statement.excepted.isdisjoint(claim.named)


def _stances(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Compare what is asked for, allowed and forbidden; a bare option takes its stem's stance."""
    if statement.stance is None or _excepted(claim, statement):
        return
    mine = claim.clause.stance
    if mine is not None:
        if polarity.same_action(mine, statement.stance):
            conflict = polarity.stances_conflict(mine, statement.stance)
            if conflict and _bounds_are_turned(claim.clause, statement):
                return
            yield _match(mine, statement.stance, "polarity" if conflict else None)
        return
    lent = claim.lent_stance
    if lent is not None and polarity.stances_conflict(lent, statement.stance):
        yield _whole(claim, lent, statement.stance)


def _bounds_are_turned(claim: Clause, statement: Clause) -> bool:
    """Whether bounds are opposite too: "above 10 HU it is needed", "at 10 HU or less it is needless"."""
    return any(
        quantity.comparable(mine, theirs) and quantity.difference(mine, theirs) == "comparator"
        for mine in claim.quantities
        for theirs in statement.quantities
    )


def _whole(claim: Assertion, slot: Slot, statement: Slot) -> Match:
    """Match a whole clause of the claim that differs by what it does not say itself."""
    place = (claim.clause.first, claim.clause.last)
    return Match(slot.signature, place, (statement.first, statement.last), "polarity")


def _opposites(claim: Assertion, statement: Clause) -> Iterator[Match]:
    if _excepted(claim, statement):
        return
    for claimed in claim.clause.axes:
        candidates = [stated for stated in statement.axes if polarity.same_axis(claimed, stated)]
        if candidates:
            agreeing = [stated for stated in candidates if stated.positive == claimed.positive]
            yield _match(claimed, (agreeing or candidates)[0], None if agreeing else "polarity")


def _negations(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Find what one side denies and the other, without any negation of its own, affirms."""
    mine, theirs = claim.clause, statement
    if not (mine.negations or theirs.negations) or _excepted(claim, statement):
        return
    # A negation that turned a stance or an axis has been compared with it.
    compared = mine.stance is not None and theirs.stance is not None
    compared = compared or any(one.axis == other.axis for one in mine.axes for other in theirs.axes)
    ours = [
        one for one in mine.negations if not one.denied_in(theirs.negations) and not (compared and one.used)
    ]
    others = [
        one for one in theirs.negations if not one.denied_in(mine.negations) and not (compared and one.used)
    ]
    if ours and not others and not theirs.is_negative:
        for negation in ours:
            if negation.affirmed_by(theirs.terms, conditional=theirs.conditional):
                yield _match(negation, negation, "polarity")
    elif others and not ours and not mine.is_negative:
        for negation in others:
            if negation.affirmed_by(mine.terms, conditional=mine.conditional):
                yield _whole(claim, negation, negation)


def _scopes(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Find a condition that one side calls decisive and the other without effect."""
    for claimed in claim.clause.scopes:
        alike = [one for one in statement.scopes if claimed.about & one.about]
        if any(one.bearing == claimed.bearing for one in alike):
            yield _match(claimed, alike[0], None)
        elif alike:
            yield _match(claimed, alike[0], "condition")._replace(concepts=claimed.about)
        elif claimed.bearing == "any" and claimed.about & statement.required:
            yield _match(claimed, claimed, "condition")._replace(concepts=claimed.about)


def _indications(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Find an indication that leaves no room for the other side's."""
    if statement.is_negative != claim.is_negative:
        return
    for claimed in claim.clause.indications:
        if any(claimed.purpose & stated.purpose for stated in statement.indications):
            continue
        for stated in statement.indications:
            if (
                indication.exclude(claimed, stated)
                and claimed.purpose.isdisjoint(statement.terms)
                and stated.purpose.isdisjoint(claim.named)
            ):
                yield _match(claimed, stated, "indication")._replace(concepts=claimed.purpose)
                break


def _relations(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Compare before, after and during the same event."""
    for claimed in claim.clause.relations:
        candidates = [stated for stated in statement.relations if temporal.same_event(claimed, stated)]
        if candidates:
            agreeing = [stated for stated in candidates if stated.relation == claimed.relation]
            yield _match(claimed, (agreeing or candidates)[0], None if agreeing else "temporal")


def _urgency(claim: Assertion, statement: Clause) -> Iterator[Match]:
    """Compare urgent with routine, and "at once" with a time of a day or more."""
    mine = claim.clause
    for claimed in mine.urgency:
        if statement.urgency:
            agreeing = [stated for stated in statement.urgency if stated.urgent == claimed.urgent]
            yield _match(claimed, (agreeing or statement.urgency)[0], None if agreeing else "temporal")
        elif claimed.at_once and not mine.quantities:
            yield from (_match(claimed, wait, "temporal") for wait in temporal.waits(statement.quantities))
    if mine.urgency or any(one.unit.measure == "time" for one in statement.quantities):
        return
    for stated in statement.urgency:
        if stated.at_once:
            yield from (_match(wait, stated, "temporal") for wait in temporal.waits(mine.quantities))


_PAIRED: Final[tuple[tuple[str, Kind], ...]] = (
    ("quantities", _numbers),
    ("categories", _categories),
    ("sides", _sides),
    ("agents", _agents),
    ("members", _members),
    ("axes", _opposites),
    ("indications", _indications),
    ("relations", _relations),
)
"""Kinds of which both clauses must hold a slot, by the clause's field."""
_LOPSIDED: Final[tuple[Kind, ...]] = (_stances, _negations, _urgency, _scopes)
"""Kinds that can differ where only one clause holds a slot, or where the context lends one."""
