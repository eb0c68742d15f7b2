"""When something is done: before, after or during an event; at once or in the routine way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.tokens import Lexeme

_REACH: Final = 3


@dataclass(frozen=True, slots=True)
class Relation:
    """Before, after or during, with the concepts that name the event."""

    first: int
    last: int
    relation: str
    event: tuple[str, ...]

    @property
    def signature(self) -> str:
        """The kind."""
        return "temporal:relation"


@dataclass(frozen=True, slots=True)
class Urgency:
    """Urgent or routine."""

    first: int
    last: int
    urgency: str

    @property
    def signature(self) -> str:
        """The kind."""
        return "temporal:urgency"


def read_relations(lexemes: Sequence[Lexeme]) -> list[Relation]:
    """Return the temporal relations of a clause."""
    relations = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.term.role is Role.RELATION:
            event: list[str] = []
            for following in lexemes[position + 1 : position + 1 + _REACH]:
                if following.term.role is Role.RELATION:
                    break
                event.append(following.term.concept)
            relations.append(Relation(lexeme.first, lexeme.last, lexeme.term.concept, tuple(event)))
    return relations


def read_urgency(lexemes: Sequence[Lexeme]) -> list[Urgency]:
    """Return what a clause says of urgency."""
    return [
        Urgency(lexeme.first, lexeme.last, lexeme.term.concept)
        for lexeme in lexemes
        if lexeme.term.role is Role.URGENCY
    ]


def same_event(claim: Relation, statement: Relation) -> bool:
    """Whether both relate to one event; an event that is left open is any."""
    return not claim.event or not statement.event or bool(set(claim.event) & set(statement.event))
