"""Conditions that a statement makes decisive, and claims that override or narrow them."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import LOW_KEYS, Role
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

OPENING: Final = frozenset({"if", "when", "where", "once", "provided"})
"""Words that open a condition."""
_ENDING: Final = frozenset({",", ";", ":", "(", "→"})
_REACH: Final = 5
_SCOPE: Final = Role.SCOPE
_EXCEPTION: Final = Role.EXCEPTION


@final
class Scope(Slot):
    """A condition and how it bears: "any" where it makes no difference, "only" where it must be met.

    `about` are the concepts that name it: in "regardless of renal function" the renal function.
    """

    __slots__ = ("about", "bearing")

    def __init__(self, first: int, last: int, bearing: str, about: frozenset[str]) -> None:
        super().__init__(first, last, "condition:scope")
        self.bearing = bearing
        self.about = about


def read_scopes(tokens: Tokens, lexemes: Sequence[Lexeme]) -> tuple[Scope, ...]:
    """Return what a clause says of conditions: "whatever the size", "only if", "unless"."""
    scopes = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is _SCOPE or lexeme.role is _EXCEPTION:
            about = _about(tokens, lexemes[position + 1 : position + 1 + _REACH], lexeme.last)
            if about:
                bearing = "only" if lexeme.role is _EXCEPTION else lexeme.concept
                scopes.append(Scope(lexeme.first, lexeme.last, bearing, about))
    return tuple(scopes)


def read_requirements(tokens: Tokens, lexemes: Sequence[Lexeme], openings: Sequence[int]) -> frozenset[str]:
    """Return the concepts of the conditions that a clause opens, with "if" and the like, at these tokens."""
    found: frozenset[str] = frozenset()
    for position in openings:
        if tokens.at(position - 1) not in {"even", "matter"}:
            after = [lexeme for lexeme in lexemes if lexeme.first > position]
            found |= _about(tokens, after[:_REACH], position + 1)
    return found


def _about(tokens: Tokens, lexemes: Sequence[Lexeme], start: int) -> frozenset[str]:
    """Return the concepts up to the end of the phrase."""
    about = set()
    for lexeme in lexemes:
        if not _ENDING.isdisjoint(tokens.lower[start : lexeme.first]):
            break
        if lexeme.is_subject and lexeme.concept not in LOW_KEYS:
            about.add(lexeme.concept)
        start = lexeme.last
    return frozenset(about)
