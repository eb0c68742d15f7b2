"""A clause: what it speaks of, under which conditions, with which slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.category import Category
from gatekeeper.checks.slots.condition import Scope
from gatekeeper.checks.slots.indication import Indication
from gatekeeper.checks.slots.laterality import Side
from gatekeeper.checks.slots.member import Member
from gatekeeper.checks.slots.polarity import Axis, Negation, Stance
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.temporal import Relation, Urgency


@final
@dataclass(slots=True, eq=False)  # frozen, making one would take several times as long
class Clause:
    """One statement of a sentence. `terms` maps what it speaks of to weights; `conditions` its qualifiers.

    `topic` are terms that the sentence opens with and that all its clauses are about, `beside` those of
    the rows that it shares its values with. `required` are the terms of its conditions, `excepted` those of
    an exception that it makes ("unless a pacemaker is present"); `conditional` says that it opens a
    condition ("if", "when"), `has_complement` that it names the other side of a bound without a number ("if
    it is nearer").
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
    members: tuple[Member, ...] = ()
    stance: Stance | None = None
    axes: tuple[Axis, ...] = ()
    negations: tuple[Negation, ...] = ()
    relations: tuple[Relation, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    indications: tuple[Indication, ...] = ()
    scopes: tuple[Scope, ...] = ()
    required: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    conditional: bool = False
    has_complement: bool = False

    @property
    def is_negative(self) -> bool:
        """Whether it forbids, or calls something needless."""
        return _forbids(self.stance)

    @property
    def gives_concentration(self) -> bool:
        """Whether it names a mass in a volume, so that a volume is as good as a mass."""
        return any(one.unit.measure == "mass/volume" for one in self.quantities)

    @property
    def says_something(self) -> bool:
        """Whether there is anything in it to compare."""
        return bool(self.terms or self.quantities or self.categories or self.sides or self.stance)

    def values(self) -> tuple[Quantity | Category | Side, ...]:
        """Return the slots that a supporting statement has to meet one by one."""
        return (*self.quantities, *self.categories, *self.sides)


@final
@dataclass(slots=True, eq=False)
class Assertion:
    """A clause of a claim with what it is read with.

    `context` are the clauses of the claim's context and the earlier ones of its sentence: they choose
    the statements that apply. `around` maps what they speak of to weights, `named` is all that the
    clause and they speak of, and `words` are all concepts of the claim, those in its values too.
    """

    clause: Clause
    context: tuple[Clause, ...]
    around: Mapping[str, float]
    named: frozenset[str]
    words: frozenset[str] = frozenset()

    @property
    def lent_stance(self) -> Stance | None:
        """What the context says of an action, where the clause itself says nothing of one."""
        return None if self.clause.stance else next((one.stance for one in self.context if one.stance), None)

    @property
    def is_negative(self) -> bool:
        """Whether the clause forbids, or fills in what its context says of leaving out."""
        return self.clause.is_negative or _forbids(self.lent_stance)


def _forbids(stance: Stance | None) -> bool:
    return stance is not None and stance.value in {"avoided", "unnecessary"}


def assertions(
    clauses: Sequence[Clause], context: tuple[Clause, ...], words: frozenset[str]
) -> list[Assertion]:
    """Return every clause of a claim that says something; a later one that names nothing adds none.

    An earlier clause is context where it fills in other kinds of slots: in "an 8 mm nodule is 4A; CT
    follows in 3 months" the size chooses the row for the CT, in a list of rows it does not.
    """
    terms = {concept: weight for one in (*context, *clauses) for concept, weight in one.terms.items()}
    named = frozenset(terms)
    found: list[Assertion] = []
    for place, clause in enumerate(clauses):
        values = clause.values()
        if not clause.says_something or (place and not clause.terms and not values):
            continue
        own = {slot.signature for slot in values}
        earlier = [
            one for one in clauses[:place] if own.isdisjoint([slot.signature for slot in one.values()])
        ]
        around = {concept: weight for concept, weight in terms.items() if concept not in clause.terms}
        found.append(Assertion(clause, (*context, *earlier), around, named, words))
    return found
