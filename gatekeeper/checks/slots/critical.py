"""The words of an answer that harm turns on: numbers with units, sides, negations, drugs, categories."""

from typing import Final

from gatekeeper.checks.slots.lexicon import BROAD, Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.tokens import Lexeme, Tokens, outline
from gatekeeper.checks.slots.units import unit_of

_COMPARING: Final = wordset("< > ≤ ≥ below above under over less more least most within")
_ROMAN: Final = frozenset({"II", "III", "IV", "IIF"})
_ALONE: Final = _COMPARING | _ROMAN
_AGENT: Final = Role.AGENT
_STANCE: Final = Role.STANCE
_DECIDING: Final = frozenset({Role.SIDE, Role.NEGATOR})


def critical_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end of the critical words of a text, in order, without overlaps."""
    outlined = outline(text)
    tokens = outlined.tokens
    places = _figures(tokens)
    places += [(one.first, one.last) for one in outlined.lexemes if _is_critical(one)]
    places.sort()
    starts = tokens.starts
    spans: list[tuple[int, int]] = []
    end = 0
    for first, last in places:
        if starts[first] >= end:
            end = starts[last - 1] + len(tokens.raw[last - 1])
            spans.append((starts[first], end))
    return spans


def _figures(tokens: Tokens) -> list[tuple[int, int]]:
    """Return numbers, the units and letters that belong to them, and the words that compare."""
    found: list[tuple[int, int]] = []
    after_number = False
    for position, word in enumerate(tokens.raw):
        number = tokens.forms[position].is_number
        if number or word in _ALONE or (after_number and (len(word) == 1 or unit_of(word) is not None)):
            found.append((position, position + 1))
        after_number = number
    return found


def _is_critical(lexeme: Lexeme) -> bool:
    role = lexeme.role
    if role is _AGENT:
        return not BROAD.issuperset(lexeme.groups)
    return role in _DECIDING or (role is _STANCE and lexeme.concept in {"avoided", "left out"})
