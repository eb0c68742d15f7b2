"""Whether a claim and a statement hold under conditions that can be true together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gatekeeper.checks.slots import agent, quantity
from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.clause import Assertion, Clause
from gatekeeper.checks.slots.lexicon import BROAD
from gatekeeper.checks.slots.member import KINDS

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

_Conditions = Mapping[str, frozenset[str]]


def is_open(claim: Assertion, statement: Clause, spoken_of: frozenset[str]) -> bool:
    """Whether the statement can be about the claim's case.

    A statement about ground-glass nodules says nothing of solid ones, and one about another drug, of
    another class, nothing of the claim's, unless `spoken_of` (what surrounds the statement) names it.
    What the context names (a patient's eGFR, the drug that is asked about) chooses in the same way.
    """
    return not excluding(claim.clause, statement) and is_about_same(claim, statement, spoken_of)


def is_ajar(claim: Assertion, stated: Clause, statement: "Statement") -> bool:
    """Whether nothing but one level, or one population, keeps a statement's clause from the claim's case.

    A claim that says of the left atrium what the evidence says of the ventricle may be mistaken.
    """
    groups = excluding(claim.clause, stated)
    if groups and (len(groups) > 1 or groups[0] not in KINDS):
        return False
    named, heading = statement.outline.named, statement.heading
    return is_about_same(claim, stated, named | heading if heading else named)


def excluding(claim: Clause, statement: Clause) -> list[str]:
    """Return the classes of conditions of which both name members, and none in common."""
    return [group for group in claim.conditions if _exclude(claim.conditions, statement.conditions, group)]


def is_about_same(claim: Assertion, statement: Clause, spoken_of: frozenset[str]) -> bool:
    """Whether agents and context leave it open that the statement is about the claim's case."""
    mine = claim.clause
    if mine.agents and statement.agents and _is_about_others(mine, statement, spoken_of):
        return False
    agents = [agent for context in claim.context for agent in context.agents]
    return not [context for context in claim.context if not _fits(context, agents, mine, statement)]


def context_fits(claim: Assertion, statement: Clause) -> bool:
    """Whether a value of the context, of a measure that the claim leaves out, lies in an interval."""
    if not statement.quantities or not claim.context:
        return False
    own = {one.unit.measure for one in claim.clause.quantities} | {"time"}
    return any(
        quantity.comparable(given, stated) and quantity.difference(given, stated) is None
        for clause in claim.context
        for given in clause.quantities
        if given.unit.measure not in own
        for stated in statement.quantities
    )


def context_differs(claim: Assertion, statement: Clause) -> bool:
    """Whether the statement has another value than the context names, so that it does not support."""
    if not statement.quantities or not claim.context:
        return False
    return any(
        quantity.comparable(given, stated) and quantity.difference(given, stated) is not None
        for clause in claim.context
        for given in clause.quantities
        for stated in statement.quantities
    )


def _exclude(one: _Conditions, other: _Conditions, group: str) -> bool:
    return group in other and not one[group] & other[group]


def _is_about_others(claim: Clause, statement: Clause, spoken_of: frozenset[str]) -> bool:
    mine = [member.group for member in claim.agents if member.group not in BROAD]
    theirs = [member.group for member in statement.agents if member.group not in BROAD]
    if not mine or not theirs or [group for group in mine if group in theirs]:
        return False
    return spoken_of.isdisjoint([member.name for member in claim.agents if member.group in mine])


def _fits(context: Clause, agents: list[Agent], claim: Clause, statement: Clause) -> bool:
    for group in context.conditions:
        if group not in claim.conditions and _exclude(context.conditions, statement.conditions, group):
            return False
    own = [one.unit.measure for one in claim.quantities]
    for given in context.quantities:
        if given.unit.measure in own or (given.has_no_unit and not given.subject):
            continue  # The claim tells its own; and the 65 of "CURB-65" measures nothing.
        stated = [one for one in statement.quantities if quantity.comparable(given, one) and not one.is_point]
        chooses = stated and (
            given.unit.measure != "time" or (given.relation == "age" and not given.is_point)
        )
        if chooses and all(quantity.difference(given, one) for one in stated):
            return False
    named = {member.group for member in claim.agents} | BROAD
    for group in {member.group for member in context.agents} - named:
        theirs = [member for member in statement.agents if member.group == group]
        ours = [member for member in agents if member.group == group]
        if theirs and agent.swapped(ours, theirs):
            return False
    return True
