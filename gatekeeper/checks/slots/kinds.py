"""The slot kinds: each pairs the slots of a claim's clause with those of a statement's.

A further kind is one more module with its slot, one more field of Clause, and one more function here.
"""

from collections.abc import Sequence
from typing import TypeVar

from gatekeeper.checks.slots import (
    agent,
    category,
    indication,
    laterality,
    polarity,
    quantity,
    stance,
    temporal,
)
from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.clause import Assertion, Clause
from gatekeeper.checks.slots.member import KINDS
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.slot import Match, Slot

_Anchored = TypeVar("_Anchored", Quantity, Agent)


def compare_slots(claim: Assertion, statement: Clause) -> list[Match]:
    """Return all slots of two clauses that met."""
    mine = claim.clause
    matches = _paired(claim, statement)
    if statement.stance is not None:
        matches += _stances(claim, statement)
    if mine.negations or statement.negations:
        matches += _negations(claim, statement)
    if mine.urgency or statement.urgency:
        matches += _urgency(mine, statement)
    if mine.scopes:
        matches += _scopes(mine, statement)
    return matches


def _paired(claim: Assertion, statement: Clause) -> list[Match]:
    """Compare the kinds of which both clauses must hold a slot."""
    mine = claim.clause
    matches: list[Match] = []
    if mine.quantities and statement.quantities:
        matches += _numbers(claim, statement)
    if mine.categories and statement.categories:
        matches += _categories(mine, statement)
    if mine.sides and statement.sides:
        matches += _sides(mine, statement)
    if mine.agents and statement.agents:
        matches += _agents(mine, statement)
    if mine.members and statement.members:
        matches += _members(mine, statement)
    if mine.axes and statement.axes:
        matches += _opposites(claim, statement)
    if mine.indications and statement.indications:
        matches += _indications(claim, statement)
    if mine.relations and statement.relations:
        matches += _relations(mine, statement)
    return matches


def _match(
    claim: Slot, statement: Slot, differs: str | None, concepts: frozenset[str] = frozenset()
) -> Match:
    place, stated = (claim.first, claim.last), (statement.first, statement.last)
    return Match(claim.signature, place, stated, differs, concepts)


def _numbers(claim: Assertion, statement: Clause) -> list[Match]:
    """Pair the quantities with the statement's of the same measure: equal ones first, then the rest."""
    turned = claim.clause.is_negative != statement.is_negative
    matches: list[Match] = []
    used: set[int] = set()
    left: list[tuple[Quantity, list[Quantity]]] = []
    for claimed in claim.clause.quantities:
        candidates = [stated for stated in statement.quantities if quantity.comparable(claimed, stated)]
        if not candidates and claimed.unit.measure == "number":
            candidates = _counted(claim.clause, statement)
        nearest = _pointed_at(claimed, claim, candidates)
        meant = nearest + _named_too(claim, nearest, candidates)
        agreeing = [stated for stated in meant if quantity.agrees(claimed, stated, turned=turned)]
        if agreeing:
            used.update([stated.first for stated in agreeing])
            matches.append(_match(claimed, agreeing[0], None))
        else:
            left.append((claimed, nearest))
    # A statement's number that already met another of the claim's says nothing of the rest.
    for claimed, nearest in left:
        if claimed.relation == quantity.REPLACED or _is_given(claimed, claim):
            continue
        free = [stated for stated in nearest if stated.first not in used]
        if turned and any(quantity.is_beyond(claimed, stated) for stated in free):
            continue  # "stopped at 25" and "continued from 30" agree
        found = {quantity.difference(claimed, stated): stated for stated in reversed(free)}
        if claimed.is_concentration or not (nearest or claim.clause.gives_concentration):
            unused = [stated for stated in statement.quantities if stated.first not in used]
            misread = next((stated for stated in unused if quantity.misread_unit(claimed, stated)), None)
            found = {"unit": misread} if misread else found
        if "comparator" in found and statement.has_complement:
            continue  # "Normal from 2 cm, low-lying if nearer": which side is which is not read.
        if found and "" not in found:
            differs = next((kind for kind in found if kind != quantity.OTHER_CASE), quantity.OTHER_CASE)
            differs = "comparator" if "comparator" in found else differs  # the same figure: the nearest one
            matches.append(_match(claimed, found[differs], differs))
    return matches


def _counted(claim: Clause, statement: Clause) -> list[Quantity]:
    """Return the counts of what a claim names beside a bare number: "target lesions: maximum 5"."""
    return [one for one in statement.quantities if one.unit.measure.removeprefix("count of ") in claim.terms]


def _pointed_at(claimed: Quantity, claim: Assertion, candidates: list[Quantity]) -> list[Quantity]:
    """Return the statement's quantities that may be meant: the clause's own words tell first."""
    measures = [other.unit.measure for other in claim.clause.quantities]
    if measures.count(claimed.unit.measure) > 1:
        return _nearest(claimed.anchors, candidates)
    return _nearest(claim.named, _nearest(frozenset(claim.clause.terms), candidates))


def _is_given(claimed: Quantity, claim: Assertion) -> bool:
    """Whether a value is only the patient's, as the context tells it: "your patient: 12 mm at 20 weeks".

    What is done, or done again, at a time that the question names is a claim all the same.
    """
    if claimed.unit.measure == "time" and (
        claim.clause.stance or "follow-up" in claim.clause.terms or claimed.relation == "every"
    ):
        return False
    if not claimed.is_point or claimed.unit.measure not in quantity.OBSERVED:
        return False
    return any(
        given.is_point and quantity.is_same_value(claimed, given)
        for clause in claim.context
        for given in clause.quantities
    )


def _named_too(claim: Assertion, nearest: list[Quantity], candidates: list[Quantity]) -> list[Quantity]:
    """Return other candidates without words, or with one that the clause names and the nearest do not."""
    if len(nearest) == len(candidates):
        return []
    theirs = frozenset.union(*[stated.anchors for stated in nearest])
    terms = claim.clause.terms
    others = [one for one in candidates if one not in nearest]
    return [one for one in others if not one.anchors or not (one.anchors - theirs).isdisjoint(terms)]


def _nearest(named: frozenset[str], candidates: list[_Anchored]) -> list[_Anchored]:
    """Return the candidates whose own words the claim uses, all where its words tell nothing."""
    if len(candidates) < 2:
        return candidates
    shared = frozenset.intersection(*[candidate.anchors for candidate in candidates])
    telling = [len((candidate.anchors - shared) & named) for candidate in candidates]
    best = max(telling)
    return [candidate for candidate, count in zip(candidates, telling, strict=True) if count == best]


def _categories(claim: Clause, statement: Clause) -> list[Match]:
    """Compare the categories of one scale; one that met another of the claim's says nothing of the rest."""
    matches = []
    for claimed in claim.categories:
        candidates = [stated for stated in statement.categories if category.comparable(claimed, stated)]
        agreeing = [stated for stated in candidates if category.agrees(claimed, stated)]
        if not agreeing:
            candidates = [stated for stated in candidates if not _is_claimed(stated, claim)]
        if candidates:
            matches.append(_match(claimed, (agreeing or candidates)[0], None if agreeing else "category"))
    return matches


def _is_claimed(stated: category.Category, claim: Clause) -> bool:
    return any(category.comparable(one, stated) and category.agrees(one, stated) for one in claim.categories)


def _sides(claim: Clause, statement: Clause) -> list[Match]:
    """Compare every side with the statement's side of the same thing."""
    matches = []
    for claimed in claim.sides:
        candidates = [stated for stated in statement.sides if stated.signature == claimed.signature]
        nearest = laterality.nearest(claimed, candidates, only=len(claim.sides) == 1)
        if nearest:
            agreeing = [stated for stated in nearest if laterality.agrees(claimed, stated)]
            matches.append(_match(claimed, (agreeing or nearest)[0], None if agreeing else "laterality"))
    return matches


def _agents(claim: Clause, statement: Clause) -> list[Match]:
    """Compare the members of every class that both name."""
    matches: list[Match] = []
    if claim.excepted and not statement.excepted and not claim.excepted.isdisjoint(statement.terms):
        return matches  # what is said of an exception says nothing of the rule
    for place, first in enumerate(claim.agents):
        group = first.group
        stated = [member for member in statement.agents if member.group == group]
        if not stated or [member for member in claim.agents[:place] if member.group == group]:
            continue
        claimed = [member for member in claim.agents if member.group == group]
        if claim.required and not claim.required.isdisjoint([one.name for one in claimed]):
            continue  # "CT if the radiograph is abnormal" asks for no radiograph
        stated = _meant(claimed, claim, stated)
        strange = agent.swapped(claimed, stated)
        if strange and claim.is_negative != statement.is_negative:
            continue  # "Not barium" and "water-soluble contrast" agree.
        if strange and statement.is_negative and claim.stance and claim.stance.value == "unnecessary":
            continue  # "No barium" and "gadolinium is not needed" may both hold
        differs = agent.kind_of(group) if strange else None
        matches.append(_match(strange or claimed[0], stated[0], differs))
    return matches


def _meant(claimed: list[Agent], claim: Clause, stated: list[Agent]) -> list[Agent]:
    """Return the agents whose own words a claim about one agent uses; all, where its words tell nothing."""
    if len(claimed) > 1 or len(stated) == 1:
        return stated
    nearest = _nearest(frozenset(claim.terms), stated)
    shared = frozenset.intersection(*[member.anchors for member in stated])
    # An agent that the statement names too is another's only where its own words speak of something else.
    undecided = any(
        not member.anchors - shared or not (member.anchors - shared).isdisjoint(claim.terms)
        for member in stated
        if member not in nearest
    )
    return stated if undecided else nearest


def _members(claim: Clause, statement: Clause) -> list[Match]:
    """Compare the levels, and the populations, of every class of which both name members."""
    matches = []
    for group in dict.fromkeys([one.group for one in claim.members]):
        claimed = [one for one in claim.members if one.group == group]
        stated = {one.name: one for one in statement.members if one.group == group}
        if stated:
            differs = None if any(one.name in stated for one in claimed) else KINDS[group]
            named = frozenset([one.name for one in claimed])
            matches.append(_match(claimed[0], next(iter(stated.values())), differs, named))
    return matches


def _excepted(claim: Assertion, statement: Clause) -> bool:
    """Whether one side names an exception that the other speaks of, so that both may hold."""
    return bool(claim.clause.excepted) or not statement.excepted.isdisjoint(claim.named)


def _stances(claim: Assertion, statement: Clause) -> list[Match]:
    """Compare what is asked for, allowed and forbidden; a bare option takes its stem's stance."""
    if _excepted(claim, statement) or _is_opposite_case(claim.clause, statement):
        return []
    mine = claim.clause.stances or _only(claim.clause.stance)
    theirs = statement.stances or _only(statement.stance)
    if not mine:
        return _lent(claim, theirs[0])
    matches = []
    for one in mine:
        nearest = max(stance.closeness(one, other) for other in theirs)
        meant = [other for other in theirs if stance.closeness(one, other) == nearest]
        if nearest < stance.SAME_ACTION or not (one.about or claim.clause.terms):
            continue
        agreeing = [other for other in meant if not stance.stances_conflict(one, other)]
        if not agreeing and (
            _is_under_condition(claim, statement) or _is_refused_too(claim.clause, mine, meant[0])
        ):
            continue
        if agreeing or not _is_turned_too(claim.clause, statement):
            matches.append(_match(one, (agreeing or meant)[0], None if agreeing else "polarity"))
    return matches


def _is_refused_too(claim: Clause, mine: Sequence[stance.Stance], stated: stance.Stance) -> bool:
    """Whether a claim that asks for something also says, or denies, what the statement does."""
    own = [one for one in claim.negations if not one.used and not one.head]
    if any(stance.refuses([stated], one.denied) for one in own):
        return True
    return any(
        one.value == stated.value and stance.closeness(one, stated) >= stance.SAME_ACTION for one in mine
    )


def _is_under_condition(claim: Assertion, statement: Clause) -> bool:
    """Whether a statement asks for something only in a case of which a claim and its context do not speak."""
    if not statement.required or not statement.required.isdisjoint(claim.clause.terms):
        return False
    return all(statement.required.isdisjoint(one.terms) for one in claim.context)


def _only(borrowed: stance.Stance | None) -> tuple[stance.Stance, ...]:
    return () if borrowed is None else (borrowed,)


def _lent(claim: Assertion, stated: stance.Stance) -> list[Match]:
    lent = claim.lent_stance
    if lent is None:
        return []
    if not stance.stances_conflict(lent, stated):
        return [_whole(claim, lent, stated, None)] if lent.value == stated.value else []
    return [] if stated.about.isdisjoint(claim.clause.terms) else [_whole(claim, lent, stated)]


def _is_opposite_case(claim: Clause, statement: Clause) -> bool:
    """Whether one side speaks of "X without Y", the other of X with Y: what is said of them may differ."""
    return _is_case_without(claim, statement) or _is_case_without(statement, claim)


def _is_case_without(one: Clause, other: Clause) -> bool:
    return any(
        negation.head in other.terms and negation.denied[0] in other.terms
        for negation in one.negations
        if negation.head and not negation.denied_in(other.negations)
    )


def _is_turned_too(claim: Clause, statement: Clause) -> bool:
    """Whether bounds, or words, are opposite too: "needed above 10 HU", "needless at 10 HU or less"."""
    return bool(_opposed(claim, statement)) or any(
        quantity.comparable(mine, theirs)
        and (quantity.difference(mine, theirs) == "comparator" or quantity.is_beyond(mine, theirs))
        for mine in claim.quantities
        for theirs in statement.quantities
    )


def _whole(claim: Assertion, slot: Slot, statement: Slot, differs: str | None = "polarity") -> Match:
    """Match a whole clause of the claim by what it does not say itself."""
    place = (claim.clause.first, claim.clause.last)
    return Match(slot.signature, place, (statement.first, statement.last), differs)


def _opposites(claim: Assertion, statement: Clause) -> list[Match]:
    if _excepted(claim, statement):
        return []
    turned = claim.clause.is_negative != statement.is_negative
    matches = []
    for claimed in claim.clause.axes:
        candidates = [stated for stated in statement.axes if polarity.same_axis(claimed, stated)]
        if candidates:
            agreeing = [stated for stated in candidates if stated.positive == claimed.positive]
            if agreeing or not turned:  # "keep it below" and "do not lift it above" agree
                matches.append(_match(claimed, (agreeing or candidates)[0], None if agreeing else "polarity"))
    return matches


def _opposed(claim: Clause, statement: Clause) -> list[polarity.Axis]:
    """Return the antonyms of a claim of which the statement names the opposite alone."""
    opposed = []
    for claimed in claim.axes:
        stated = [one.positive for one in statement.axes if polarity.same_axis(claimed, one)]
        if stated and claimed.positive not in stated:
            opposed.append(claimed)
    return opposed


def _negations(claim: Assertion, statement: Clause) -> list[Match]:
    """Find what one side denies and the other, without any negation of its own, affirms."""
    mine, theirs = claim.clause, statement
    if _excepted(claim, statement) or _denies_stopping(mine) or _denies_stopping(theirs):
        return []
    if "non" in mine.terms or "non" in theirs.terms or not mine.terms or mine.is_remark:
        return []  # "non-weight-bearing" denies too
    # A negation that turned a stance or an axis has been compared with it.
    compared = mine.stance is not None and theirs.stance is not None
    if compared and mine.is_negative != theirs.is_negative and _is_opposite_case(mine, theirs):
        return []
    compared = compared or any(one.axis == other.axis for one in mine.axes for other in theirs.axes)
    ours = [
        one for one in mine.negations if not one.denied_in(theirs.negations) and not (compared and one.used)
    ]
    others = [
        one for one in theirs.negations if not one.denied_in(mine.negations) and not (compared and one.used)
    ]
    if (
        ours
        and not others
        and (mine.conditional or not theirs.conditional)
        and not any(stance.refuses(theirs.stances, one.denied) for one in ours)
    ):
        supposed = theirs.supposed - mine.supposed
        affirmed = [
            negation
            for negation in ours
            if not mine.terms.keys() <= set(negation.denied)
            if negation.affirmed_by(theirs.terms, supposed)
        ]
        # "No fever, so not grade II" and "II: fever" agree.
        return [_match(negation, negation, "polarity") for negation in affirmed if len(affirmed) == 1]
    if others and not ours and not any(stance.refuses(mine.stances, one.denied) for one in others):
        supposed = mine.supposed - theirs.supposed
        return [
            _whole(claim, negation, negation)
            for negation in others
            if not mine.terms.keys() <= set(negation.denied)  # a bare word says neither
            if negation.affirmed_by(mine.terms, supposed)
        ]
    return []


def _denies_stopping(clause: Clause) -> bool:
    """Whether a negation turns what is stopped into what goes on, and denies nothing else."""
    turned = clause.stance is not None and not clause.is_negative
    return turned and any(one.used for one in clause.negations)


def _scopes(claim: Clause, statement: Clause) -> list[Match]:
    """Find a condition that one side calls decisive and the other without effect."""
    matches = []
    for claimed in claim.scopes:
        alike = [one for one in statement.scopes if claimed.about & one.about]
        if any(one.bearing == claimed.bearing for one in alike):
            matches.append(_match(claimed, alike[0], None))
        elif alike:
            matches.append(_match(claimed, alike[0], "condition", claimed.about))
        elif claimed.bearing == "any" and claimed.about & statement.required:
            matches.append(_match(claimed, claimed, "condition", claimed.about))
    return matches


def _indications(claim: Assertion, statement: Clause) -> list[Match]:
    """Find an indication that leaves no room for the other side's."""
    if statement.is_negative != claim.is_negative:
        return []
    matches = []
    for claimed in claim.clause.indications:
        if any(claimed.purpose & stated.purpose for stated in statement.indications):
            continue
        for stated in statement.indications:
            if (
                indication.exclude(claimed, stated)
                and claimed.purpose.isdisjoint(statement.terms)
                and stated.purpose.isdisjoint(claim.named)
            ):
                matches.append(_match(claimed, stated, "indication", claimed.purpose))
                break
    return matches


def _relations(claim: Clause, statement: Clause) -> list[Match]:
    """Compare before, after and during the same event; a claim that names both differs in none."""
    matches = []
    for claimed in claim.relations:
        candidates = [stated for stated in statement.relations if temporal.same_event(claimed, stated)]
        agreeing = [stated for stated in candidates if stated.relation == claimed.relation]
        open_ended = [
            one for one in statement.relations if one.relation == claimed.relation and not one.event
        ]
        agreeing = agreeing or open_ended
        if agreeing or (candidates and not _is_also_named(claim, candidates)):
            differs = None if agreeing else "temporal"
            matches.append(_match(claimed, (agreeing or candidates)[0], differs, frozenset(claimed.event)))
    return matches


def _is_also_named(claim: Clause, stated: Sequence[temporal.Relation]) -> bool:
    """Whether a claim names the stated relation too: to the same event, to an open one, or by a time."""
    for one in stated:
        if any(mine.relation == one.relation for mine in claim.quantities):
            return True
        for mine in claim.relations:
            if mine.relation == one.relation and (not mine.event or temporal.same_event(mine, one)):
                return True
    return False


def _urgency(claim: Clause, statement: Clause) -> list[Match]:
    """Compare urgent with routine, and "at once" with a time of a day or more."""
    matches = []
    for claimed in claim.urgency:
        if statement.urgency:
            agreeing = [stated for stated in statement.urgency if stated.urgent == claimed.urgent]
            differs = None if agreeing else "temporal"
            alike = bool(claim.negations) == bool(statement.negations)
            if agreeing or (alike and (statement.conditional or not claim.conditional)):
                matches.append(_match(claimed, (agreeing or statement.urgency)[0], differs))
        elif claimed.at_once and not claim.quantities:
            matches += [_match(claimed, wait, "temporal") for wait in temporal.waits(statement.quantities)]
    if claim.urgency or any(one.unit.measure == "time" for one in statement.quantities):
        return matches
    for stated in statement.urgency:
        if stated.at_once:
            matches += [_match(wait, stated, "temporal") for wait in temporal.waits(claim.quantities)]
    return matches
