"""A clause: what it speaks of, under which conditions, with which slots."""

from typing import NamedTuple

from collections.abc import Mapping

from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.category import Category
from gatekeeper.checks.slots.laterality import Side
from gatekeeper.checks.slots.polarity import Axis, Negation, Stance
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.temporal import Relation, Urgency


class Clause(NamedTuple):
    """One statement of a sentence. `terms` maps what it speaks of to weights; `conditions` its qualifiers.

    `topic` are terms that the sentence opens with and that all its clauses are about, `beside` those of
    the rows that it shares its values with.

    `excepted` are the terms of an exception that it makes ("unless a pacemaker is present").
    """

    first: int
    last: int
    terms: Mapping[str, float]
    conditions: Mapping[str, frozenset[str]]
    topic: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()
    categories: tuple[Category, ...] = ()
    sides: tuple[Side, ...] = ()
    agents: tuple[Agent, ...] = ()
    stance: Stance | None = None
    axes: tuple[Axis, ...] = ()
    negations: tuple[Negation, ...] = ()
    relations: tuple[Relation, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    excepted: frozenset[str] = frozenset()
