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
_DENIED: Final = 3
"""Words before an urgent one among which a "not" is its own: "cannot be done at once"."""
_ENDING: Final = frozenset(
    {",", ";", ":", "(", ".", "so", "since", "because", "as", "if", "unless", "whether"}
)
_DENYING: Final = frozenset(
    {"not", "never", "cannot", "can't", "can’t", "isn't", "isn’t", "won't", "won’t", "shouldn't", "shouldn’t"}
)
_COORDINATING: Final = [["and"], ["or"], ["and", "/", "or"], ["/"], ["&"]]
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


def read_relations(tokens: Tokens, lexemes: Sequence[Lexeme]) -> tuple[Relation, ...]:
    """Return the temporal relations of a clause."""
    relations = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is _RELATION:
            relations.append(
                Relation(lexeme.first, lexeme.last, lexeme.concept, _event(tokens, lexemes, position))
            )
    return tuple(relations)


def _event(tokens: Tokens, lexemes: Sequence[Lexeme], position: int) -> tuple[str, ...]:
    """Return the first terms after a relation, as far as its phrase goes."""
    event: list[str] = []
    end = lexemes[position].last
    for following in lexemes[position + 1 : position + 1 + _REACH]:
        if following.role is _RELATION and not event and tokens.lower[end : following.first] in _COORDINATING:
            end = following.last  # "before and after the scan"
            continue
        if following.role is _RELATION or not _ENDING.isdisjoint(tokens.lower[end : following.first]):
            break
        if following.is_subject:
            event.append(following.concept)
        end = following.last
    return tuple(event)


def read_urgency(tokens: Tokens, lexemes: Sequence[Lexeme]) -> tuple[Urgency, ...]:
    """Return what a clause says of urgency; what is not to be delayed is urgent."""
    found = []
    for lexeme in lexemes:
        if lexeme.role is _URGENCY:
            denied = not _DENYING.isdisjoint(tokens.lower[max(0, lexeme.first - _DENIED) : lexeme.last])
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
