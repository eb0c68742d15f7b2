"""The slot kinds, each a function from a claim's clause and a statement's to the slots that met.

A further kind is one more module with its slot and one more function in KINDS.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from gatekeeper.checks.slots import agent, category, laterality, polarity, quantity, temporal
from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.lexicon import BROAD
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.reading import Reading
from gatekeeper.checks.slots.slot import Match, Slot

Kind = Callable[[Clause, Reading | None, Clause], Iterator[Match]]
"""From the claim's clause, the claim's context and the statement's clause to matches."""


def _match(claim: Slot, statement: Slot, differs: str | None) -> Match:
    return Match(claim.signature, (claim.first, claim.last), (statement.first, statement.last), differs)


def is_negative(clause: Clause) -> bool:
    """Whether a clause forbids, or calls something needless."""
    return clause.stance is not None and clause.stance.value in {"avoided", "unnecessary"}


def numbers(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Pair the quantities with the statement's of the same measure: equal ones first, then the rest."""
    used: set[int] = set()
    open_ones: list[tuple[Quantity, list[Quantity]]] = []
    for claimed in claim.quantities:
        candidates = [stated for stated in statement.quantities if quantity.comparable(claimed, stated)]
        if not candidates:
            yield from _misread(claimed, statement)
            continue
        nearest = _nearest(_named(claimed, claim, context), candidates)
        agreeing = [stated for stated in nearest if quantity.difference(claimed, stated) is None]
        if agreeing:
            used.update(stated.first for stated in agreeing)
            yield _match(claimed, agreeing[0], None)
        else:
            open_ones.append((claimed, nearest))
    for claimed, nearest in open_ones:
        # A statement's number that already met another of the claim's says nothing of this one.
        free = [stated for stated in nearest if stated.first not in used]
        differences = [(stated, quantity.difference(claimed, stated)) for stated in free]
        if free and not any(differs == "" for _, differs in differences):
            yield _match(claimed, *next((one for one in differences if one[1] != quantity.OTHER_CASE), differences[0]))


def _named(claimed: Quantity, claim: Clause, context: Reading | None) -> frozenset[str]:
    """Return the words that tell which of a statement's quantities is meant."""
    if sum(other.signature == claimed.signature for other in claim.quantities) > 1:
        return claimed.anchors
    return frozenset(claim.terms) | frozenset(context.terms if context else ())


def _misread(claimed: Quantity, statement: Clause) -> Iterator[Match]:
    measures = {stated.unit.measure for stated in statement.quantities}
    for stated in statement.quantities:
        if claimed.unit.measure not in measures and quantity.misread_unit(claimed, stated):
            yield _match(claimed, stated, "unit")
            return


_Candidate = TypeVar("_Candidate", Quantity, Agent)


def _nearest(named: frozenset[str], candidates: list[_Candidate]) -> list[_Candidate]:
    """Return the candidates whose own words the claim uses, all where its words tell nothing."""
    if len(candidates) == 1:
        return candidates
    shared = frozenset.intersection(*(candidate.anchors for candidate in candidates))
    telling = [len((candidate.anchors - shared) & named) for candidate in candidates]
    best = max(telling)
    return [candidate for candidate, count in zip(candidates, telling, strict=True) if count == best]


def categories(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare the values of every scale."""
    for claimed in claim.categories:
        candidates = [stated for stated in statement.categories if category.comparable(claimed, stated)]
        if candidates:
            agreeing = [stated for stated in candidates if category.agrees(claimed, stated)]
            yield _match(claimed, (agreeing or candidates)[0], None if agreeing else "category")


def sides(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare every side with the statement's side of the same thing."""
    for claimed in claim.sides:
        candidates = [stated for stated in statement.sides if stated.signature == claimed.signature]
        if not candidates:
            continue
        nearest = laterality.nearest(claimed, candidates, only=len(claim.sides) == 1)
        if not nearest:
            continue
        agreeing = [stated for stated in nearest if laterality.agrees(claimed, stated)]
        yield _match(claimed, (agreeing or nearest)[0], None if agreeing else "laterality")


def agents(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare the members of every class that both name."""
    for group in dict.fromkeys(member.group for member in claim.agents):
        claimed = [member for member in claim.agents if member.group == group]
        stated = [member for member in statement.agents if member.group == group]
        if stated:
            stated = _meant(claimed, claim, stated)
            strange = agent.swapped(claimed, stated)
            if strange and is_negative(claim) != is_negative(statement):
                continue  # "Not barium" and "water-soluble contrast" agree.
            yield _match(strange or claimed[0], stated[0], _agent_kind(group) if strange else None)


def _meant(claimed: list[Agent], claim: Clause, stated: list[Agent]) -> list[Agent]:
    """Return the agents whose own words a claim about one agent uses; all, where its words tell nothing."""
    if len(claimed) > 1 or len(stated) == 1:
        return stated
    nearest = _nearest(frozenset(claim.terms), stated)
    others = [member for member in stated if member not in nearest]
    shared = frozenset.intersection(*(member.anchors for member in stated))
    # An agent that the statement names too is another's only where its own words speak of something else.
    undecided = any(
        not member.anchors - shared or (member.anchors - shared) & claim.terms.keys() for member in others
    )
    return stated if undecided else nearest


def _agent_kind(group: str) -> str:
    return group if group in BROAD | {"device"} and group != "contrast medium" else "agent"


def _excepted(claim: Clause, context: Reading | None, statement: Clause) -> bool:
    """Whether one side names an exception that the other speaks of, so that both may hold."""
    mine = claim.terms.keys() | (context.terms.keys() if context else set())
    return bool(claim.excepted) or not statement.excepted.isdisjoint(mine)


def stances(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare what is asked for, allowed and forbidden; a bare option takes its stem's stance."""
    if statement.stance is None or _excepted(claim, context, statement):
        return
    if claim.stance is not None:
        if polarity.same_action(claim.stance, statement.stance):
            conflict = polarity.stances_conflict(claim.stance, statement.stance)
            yield _match(claim.stance, statement.stance, "polarity" if conflict else None)
        return
    lent = next((clause.stance for clause in context.clauses if clause.stance), None) if context else None
    if lent is not None and polarity.stances_conflict(lent, statement.stance):
        place = (statement.stance.first, statement.stance.last)
        yield Match(lent.signature, (claim.first, claim.last), place, "polarity")


def opposites(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare antonyms."""
    if _excepted(claim, context, statement):
        return
    for claimed in claim.axes:
        candidates = [stated for stated in statement.axes if stated.axis == claimed.axis]
        if candidates:
            agreeing = [stated for stated in candidates if stated.positive == claimed.positive]
            yield _match(claimed, (agreeing or candidates)[0], None if agreeing else "polarity")


def negations(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Find what one side denies and the other, without any negation of its own, affirms."""
    if _excepted(claim, context, statement):
        return
    both_ask = claim.stance is not None and statement.stance is not None
    both_ask = both_ask or bool({one.axis for one in claim.axes} & {one.axis for one in statement.axes})
    mine = [one for one in claim.negations if not _denied_too(one, statement) and not (both_ask and one.used)]
    theirs = [one for one in statement.negations if not _denied_too(one, claim) and not (both_ask and one.used)]
    if mine and not theirs and not is_negative(statement):
        for negation in mine:
            if set(negation.denied) & statement.terms.keys():
                yield _match(negation, negation, "polarity")
    elif theirs and not mine and not is_negative(claim):
        for negation in theirs:
            if negation.denied[0] in claim.terms:
                yield Match(negation.signature, (claim.first, claim.last), (negation.first, negation.last), "polarity")


def _denied_too(negation: polarity.Negation, clause: Clause) -> bool:
    return any(set(negation.denied) & set(other.denied) for other in clause.negations)


def relations(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare before, after and during the same event."""
    for claimed in claim.relations:
        candidates = [stated for stated in statement.relations if temporal.same_event(claimed, stated)]
        if candidates:
            agreeing = [stated for stated in candidates if stated.relation == claimed.relation]
            yield _match(claimed, (agreeing or candidates)[0], None if agreeing else "temporal")


def urgency(claim: Clause, context: Reading | None, statement: Clause) -> Iterator[Match]:
    """Compare urgent with routine, and "at once" with a time of a day or more."""
    for claimed in claim.urgency:
        if statement.urgency:
            agreeing = [stated for stated in statement.urgency if stated.urgent == claimed.urgent]
            yield _match(claimed, (agreeing or statement.urgency)[0], None if agreeing else "temporal")
        elif claimed.at_once and not claim.quantities:
            yield from (_match(claimed, wait, "temporal") for wait in temporal.waits(statement.quantities))
    for stated in statement.urgency:
        if stated.at_once and not claim.urgency and not any(one.unit.measure == "time" for one in statement.quantities):
            yield from (_match(wait, stated, "temporal") for wait in temporal.waits(claim.quantities))


KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("quantities", numbers),
    ("categories", categories),
    ("sides", sides),
    ("agents", agents),
    ("axes", opposites),
    ("relations", relations),
)
"""Kinds of which both clauses must hold a slot, by the clause's field."""
ONE_SIDED_KINDS: Final[tuple[Kind, ...]] = (stances, negations, urgency)
"""Kinds that can differ where only one clause holds a slot, or where the context lends one."""


def compare_slots(claim: Clause, context: Reading | None, statement: Clause) -> list[Match]:
    """Return all slots of two clauses that met."""
    matches: list[Match] = []
    for name, kind in KINDS:
        if getattr(claim, name) and getattr(statement, name):
            matches += kind(claim, context, statement)
    for kind in ONE_SIDED_KINDS:
        matches += kind(claim, context, statement)
    return matches


def gate_is_open(claim: Clause, context: Reading | None, statement: Clause) -> bool:
    """Whether both hold under conditions that can be true together.

    A statement about ground-glass nodules says nothing of solid ones. What the context of the claim
    names (a patient's eGFR, the drug that is asked about) chooses statements in the same way.
    """
    if any(_exclude(claim.conditions, statement.conditions, group) for group in claim.conditions):
        return False
    if context is None:
        return True
    return all(_fits(clause, claim, statement) for clause in context.clauses)


def context_fits(context: Reading | None, statement: Clause) -> bool:
    """Whether a value of the claim's context lies in an interval of the statement."""
    return any(
        quantity.comparable(given, stated) and quantity.difference(given, stated) is None
        for clause in (context.clauses if context else ())
        for given in clause.quantities
        if given.unit.measure != "time"
        for stated in statement.quantities
    )


def _exclude(one: "_Conditions", other: "_Conditions", group: str) -> bool:
    return group in other and not one[group] & other[group]


_Conditions = dict[str, frozenset[str]]


def _fits(context: Clause, claim: Clause, statement: Clause) -> bool:
    for group in context.conditions:
        if group not in claim.conditions and _exclude(context.conditions, statement.conditions, group):
            return False
    for given in context.quantities:
        stated = [one for one in statement.quantities if quantity.comparable(given, one) and not one.is_point]
        if given.unit.measure != "time" and stated and all(quantity.difference(given, one) for one in stated):
            return False
    for group in (
        {member.group for member in context.agents} - BROAD - {member.group for member in claim.agents}
    ):
        stated_agents: list[Agent] = [member for member in statement.agents if member.group == group]
        if stated_agents and agent.swapped([m for m in context.agents if m.group == group], stated_agents):
            return False
    return True
