"""When something is done: before, after or during an event; at once or in the routine way."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

_RELATION: Final = Role.RELATION
_URGENCY: Final = Role.URGENCY
_REACH: Final = 3
_DENYING: Final = frozenset({"not", "never", "cannot"})
_DAY: Final = 86400.0


@final
class Relation(Slot):
    """Before, after or during, with the concepts that name the event."""

    __slots__ = ("event", "relation")

    def __init__(self, first: int, last: int, relation: str, event: tuple[str, ...]) -> None:
        super().__init__(first, last, "temporal:relation")
        self.relation = relation
        self.event = event


@final
class Urgency(Slot):
    """Urgent or routine; `at_once` leaves no time at all."""

    __slots__ = ("at_once", "urgent")

    def __init__(self, first: int, last: int, urgent: bool, at_once: bool) -> None:
        super().__init__(first, last, "temporal:urgency")
        self.urgent = urgent
        self.at_once = at_once


def read_relations(lexemes: Sequence[Lexeme]) -> tuple[Relation, ...]:
    """Return the temporal relations of a clause."""
    relations = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is _RELATION:
            event: list[str] = []
            for following in lexemes[position + 1 : position + 1 + _REACH]:
                if following.role is _RELATION:
                    break
                if following.is_subject:
                    event.append(following.concept)
            relations.append(Relation(lexeme.first, lexeme.last, lexeme.concept, tuple(event)))
    return tuple(relations)


def read_urgency(tokens: Tokens, lexemes: Sequence[Lexeme]) -> tuple[Urgency, ...]:
    """Return what a clause says of urgency; what is not to be delayed is urgent."""
    found = []
    for lexeme in lexemes:
        if lexeme.role is _URGENCY:
            denied = not _DENYING.isdisjoint(tokens.lower[max(0, lexeme.first - 2) : lexeme.last])
            urgent = (lexeme.concept != "routine") != denied
            found.append(
                Urgency(lexeme.first, lexeme.last, urgent, lexeme.concept == "immediate" and not denied)
            )
    return tuple(found)


def same_event(claim: Relation, statement: Relation) -> bool:
    """Whether both relate to one event, or both end a clause and leave it open ("13 h before")."""
    if not claim.event or not statement.event:
        return not claim.event and not statement.event
    return bool(set(claim.event) & set(statement.event))


def waits(quantities: Sequence[Quantity]) -> list[Quantity]:
    """Return the times of at least a day that say when something is done."""
    return [
        quantity
        for quantity in quantities
        if quantity.unit.measure == "time" and quantity.relation in {"", "after"} and quantity.low >= _DAY
    ]
