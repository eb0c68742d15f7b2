"""A clause: what it speaks of, under which conditions, with which slots."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.category import Category
from gatekeeper.checks.slots.condition import Scope
from gatekeeper.checks.slots.indication import Indication
from gatekeeper.checks.slots.laterality import Side
from gatekeeper.checks.slots.member import Member
from gatekeeper.checks.slots.negation import Negation
from gatekeeper.checks.slots.polarity import Axis
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.stance import Stance
from gatekeeper.checks.slots.temporal import Relation, Urgency
from gatekeeper.checks.slots.tokens import TERM_WEIGHT

_NONE: Final[frozenset[str]] = frozenset()


@final
class Clause:
    """One statement of a sentence. `terms` maps what it speaks of to weights; `conditions` its qualifiers.

    `topic` are terms that the sentence opens with and that all its clauses are about, `beside` those of
    the rows that it shares its values with. `required` are the terms of its conditions, `excepted` those of
    an exception that it makes ("unless a pacemaker is present"); `conditional` says that it opens a
    condition ("if", "when"), `stances` are all of a clause that asks for several things, its own `stance`
    first, `has_complement` that it names the other side of a bound without a number ("if it is nearer").
    `opening` is the token that ends the case which a claim opens with, 0 without one; `is_remark` says that
    it is the reason or purpose which a claim ends with, `is_half_read` that what it asks for or denies was
    left out, so that nothing supports it. Its reader fills in what it holds; nothing changes
    afterwards.
    """

    __slots__ = (
        "agents", "axes", "beside", "categories", "conditional", "conditions", "excepted", "first",
        "has_complement", "indications", "is_half_read", "is_remark", "last", "members", "negations",
        "opening", "quantities", "relations", "required", "scopes", "sides", "stance", "stances", "terms",
        "topic", "urgency",
    )  # fmt: skip

    def __init__(self, first: int, last: int, terms: dict[str, float]) -> None:
        self.first = first
        self.last = last
        self.terms = terms
        self.conditions: dict[str, frozenset[str]] = {}
        self.topic = _NONE
        self.beside = _NONE
        self.quantities: tuple[Quantity, ...] = ()
        self.categories: tuple[Category, ...] = ()
        self.sides: tuple[Side, ...] = ()
        self.agents: tuple[Agent, ...] = ()
        self.members: tuple[Member, ...] = ()
        self.stance: Stance | None = None
        self.stances: tuple[Stance, ...] = ()
        self.axes: tuple[Axis, ...] = ()
        self.negations: tuple[Negation, ...] = ()
        self.relations: tuple[Relation, ...] = ()
        self.urgency: tuple[Urgency, ...] = ()
        self.indications: tuple[Indication, ...] = ()
        self.scopes: tuple[Scope, ...] = ()
        self.required = _NONE
        self.excepted = _NONE
        self.conditional = False
        self.has_complement = False
        self.opening = 0
        self.is_remark = False
        self.is_half_read = False

    @property
    def is_negative(self) -> bool:
        """Whether it forbids, or calls something needless."""
        return _forbids(self.stance)

    @property
    def supposed(self) -> frozenset[str]:
        """The terms of its conditions, and of the events that it orders by time: it does not assert them."""
        events = [concept for one in self.relations for concept in one.event[:1]]
        return self.required.union(events)

    @property
    def gives_concentration(self) -> bool:
        """Whether it names a mass in a volume, so that a volume is as good as a mass."""
        return any(one.unit.measure == "mass/volume" for one in self.quantities)

    @property
    def names_anything(self) -> bool:
        """Whether it has a subject of its own: "it is not needed then" has none."""
        return sum(self.terms.values()) >= TERM_WEIGHT

    @property
    def says_something(self) -> bool:
        """Whether there is anything in it to compare."""
        return bool(self.terms or self.quantities or self.categories or self.sides or self.stance)

    def values(self) -> tuple[Quantity | Category | Side, ...]:
        """Return the slots that a supporting statement has to meet one by one.

        The age of the patient that a claim opens with chooses the statements that apply.
        """
        own = self.quantities
        if self.opening:
            own = tuple([one for one in own if one.first > self.opening or one.relation != "age"])
        return (*own, *self.categories, *self.sides)


@final
class Assertion:
    """A clause of a claim with what it is read with.

    `context` are the clauses of the claim's context and the earlier ones of its sentence: they choose
    the statements that apply. `around` maps what they speak of to weights, `named` is all that the
    clause and they speak of, and `words` are all concepts of the claim, those in its values too.
    """

    __slots__ = ("around", "clause", "context", "named", "words")

    def __init__(
        self,
        clause: Clause,
        context: tuple[Clause, ...],
        around: dict[str, float],
        named: frozenset[str],
        words: frozenset[str] = _NONE,
    ) -> None:
        self.clause = clause
        self.context = context
        self.around = around
        self.named = named
        self.words = words

    @property
    def lent_stance(self) -> Stance | None:
        """What the context says of an action, where the clause itself says nothing of one."""
        if self.clause.stance is not None or self.clause.is_remark:
            return None
        return next((one.stance for one in self.context if one.stance), None)

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
    terms: dict[str, float] = {}
    for one in (*context, *clauses):
        if not one.is_remark:
            terms.update(one.terms)
    named = frozenset(terms)
    found: list[Assertion] = []
    for place, clause in enumerate(clauses):
        values = clause.values()
        if not clause.says_something or (place and not clause.terms and not values):
            continue
        earlier = clauses[:place]
        if earlier and values:
            own = {slot.signature for slot in values}
            earlier = [one for one in earlier if own.isdisjoint([slot.signature for slot in one.values()])]
        around = {concept: weight for concept, weight in terms.items() if concept not in clause.terms}
        found.append(Assertion(clause, (*context, *earlier), around, named, words))
    return found
