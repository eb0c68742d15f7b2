"""The words of an answer that harm turns on: numbers with units, sides, negations, drugs, categories."""

from collections.abc import Iterator
from typing import Final

from gatekeeper.checks.slots.lexicon import BROAD, Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.tokens import Lexeme, Outline, outline
from gatekeeper.checks.slots.units import unit_of
from gatekeeper.exchange import Span

_COMPARING: Final = wordset("< > ≤ ≥ below above under over less more least most within")
_ROMAN: Final = frozenset({"II", "III", "IV", "IIF"})


def critical_spans(text: str) -> list[Span]:
    """Return the spans of the critical words of a text, in order, without overlaps."""
    outlined = outline(text)
    places = sorted(
        {*_figures(outlined), *((one.first, one.last) for one in outlined.lexemes if _is_critical(one))}
    )
    spans: list[Span] = []
    for first, last in places:
        span = outlined.tokens.span(first, last)
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return spans


def _figures(outlined: Outline) -> Iterator[tuple[int, int]]:
    """Yield numbers, the units and letters that belong to them, and the words that compare."""
    tokens = outlined.tokens
    for position, word in enumerate(tokens.raw):
        after_number = tokens.is_number(position - 1)
        belongs = after_number and (unit_of(word) is not None or len(word) == 1)
        if tokens.is_number(position) or belongs or word in _COMPARING or word in _ROMAN:
            yield position, position + 1


def _is_critical(lexeme: Lexeme) -> bool:
    if lexeme.role is Role.AGENT:
        return not BROAD.issuperset(lexeme.groups)
    return lexeme.role in {Role.SIDE, Role.NEGATOR} or (
        lexeme.role is Role.STANCE and lexeme.concept in {"avoided", "left out"}
    )
