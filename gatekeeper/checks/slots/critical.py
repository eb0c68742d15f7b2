"""The words of an answer that harm turns on: numbers with units, sides, negations, drugs, categories."""

from gatekeeper.checks.slots.lexicon import BROAD, Role
from gatekeeper.checks.slots.reading import read
from gatekeeper.checks.slots.tokens import Lexeme, lexemes
from gatekeeper.exchange import Span


def critical_spans(text: str) -> list[Span]:
    """Return the spans of the critical words of a text, in order, without overlaps."""
    reading = read(text)
    found = [
        (slot.first, slot.last)
        for clause in reading.clauses
        for slot in (*clause.quantities, *clause.categories)
    ]
    found += [
        (lexeme.first, lexeme.last) for lexeme in lexemes(reading.tokens) if _is_critical(lexeme)
    ]
    spans: list[Span] = []
    for first, last in sorted(found):
        span = reading.span((first, last))
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return spans


def _is_critical(lexeme: Lexeme) -> bool:
    role, groups = lexeme.term.role, set(lexeme.term.groups)
    if role is Role.AGENT:
        return bool(groups - BROAD)
    return role in {Role.SIDE, Role.NEGATOR} or (
        role is Role.STANCE and lexeme.term.concept in {"avoided", "left out"}
    )
