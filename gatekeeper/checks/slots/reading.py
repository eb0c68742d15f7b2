"""A sentence read once: its clauses with their slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

from gatekeeper.checks.slots.agent import read_agents
from gatekeeper.checks.slots.category import Category, read_categories
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.condition import OPENING, read_requirements, read_scopes
from gatekeeper.checks.slots.indication import GIVING, read_indications
from gatekeeper.checks.slots.laterality import read_sides
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.member import read_members
from gatekeeper.checks.slots.polarity import read_polarity
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.quantity_reading import read_quantities
from gatekeeper.checks.slots.sharing import (
    Mark,
    Placed,
    anchored,
    clause_starts,
    fronted,
    lend,
    marks_of,
    may_divide,
    share_rows,
)
from gatekeeper.checks.slots.temporal import read_relations, read_urgency
from gatekeeper.checks.slots.tokens import (
    Lexeme,
    Outline,
    Tokens,
    outline,
)
from gatekeeper.exchange import Span


@final
@dataclass(slots=True, eq=False)
class Reading:
    """A sentence with its clauses; `terms` are those of all clauses together."""

    tokens: Tokens
    clauses: tuple[Clause, ...]
    terms: Mapping[str, float]
    named: frozenset[str]

    def span(self, tokens: tuple[int, int]) -> Span:
        """Return the characters of a token range."""
        return self.tokens.span(*tokens)


@final
@dataclass(slots=True, eq=False)
class _Parts:
    """What was found in a sentence, before it is divided into clauses."""

    tokens: Tokens
    lexemes: Sequence[Lexeme]
    quantities: Sequence[Quantity]
    categories: Sequence[Category]
    taken: frozenset[int]


def read(text: str | Outline) -> Reading:
    """Read a sentence. Keeps nothing between calls."""
    outlined = outline(text) if isinstance(text, str) else text
    parts = _parts(outlined)
    clauses = _clauses(parts)
    terms = {concept: weight for clause in clauses for concept, weight in clause.terms.items()}
    return Reading(parts.tokens, tuple(clauses), terms, outlined.named)


def _parts(outlined: Outline) -> _Parts:
    tokens, found = outlined.tokens, outlined.lexemes
    named = {
        position
        for one in found
        if one.last - one.first > 1 and any(form.is_number for form in tokens.forms[one.first : one.last])
        for position in range(one.first, one.last)
    }
    taken = set(named)
    categories = read_categories(tokens, taken)
    concepts = {one.last - 1: one.concept for one in found if one.is_subject}
    quantities = read_quantities(tokens, concepts, taken)
    taken -= named
    if taken:
        found = tuple([one for one in found if taken.isdisjoint(range(one.first, one.last))])
    return _Parts(tokens, found, quantities, categories, frozenset(taken))


def _clauses(parts: _Parts) -> list[Clause]:
    if not may_divide(parts.tokens):
        return [_clause(parts, 0, len(parts.tokens))]
    placed: list[Placed] = [
        *parts.quantities,
        *parts.categories,
        *read_sides(parts.tokens, parts.lexemes),
        *read_agents(parts.lexemes),
    ]
    marks = marks_of(parts.lexemes, placed)
    starts = clause_starts(parts.tokens, parts.lexemes, marks)
    if len(starts) == 1:
        return [_clause(parts, 0, len(parts.tokens))]
    ends = [start.first for start in starts[1:]] + [len(parts.tokens)]
    clauses: list[Clause] = []
    rows: list[Clause] = []
    subject: frozenset[str] = frozenset()
    for start, last in zip(starts, ends, strict=True):
        if not start.is_row:
            clauses += share_rows(rows)
            rows = []
        subject = subject | _named(parts, *start.subject) if any(start.subject) else frozenset()
        rows.append(replace(_clause(parts, start.first, last), topic=subject))
    clauses += share_rows(rows)
    return _on_topic(parts, marks, _under_opening(parts, clauses))


def _named(parts: _Parts, first: int, last: int) -> frozenset[str]:
    return frozenset(one.concept for one in parts.lexemes if first <= one.first < last and one.is_subject)


def _clause(parts: _Parts, first: int, last: int) -> Clause:
    own = [lexeme for lexeme in parts.lexemes if first <= lexeme.first < last]
    roles = {lexeme.role for lexeme in own}
    tokens = parts.tokens
    words = tokens.lower[first:last]
    conditional = not OPENING.isdisjoint(words)
    stance, axes, negations = read_polarity(tokens, own) if roles & _POLAR else (None, (), ())
    return Clause(
        first,
        last,
        terms={one.concept: one.weight for one in own if one.is_subject},
        conditions=_conditions(own) if Role.QUALIFIER in roles else {},
        quantities=anchored(tokens, own, [one for one in parts.quantities if first <= one.first < last]),
        categories=tuple([one for one in parts.categories if first <= one.first < last]),
        sides=read_sides(tokens, own) if Role.SIDE in roles else (),
        agents=anchored(tokens, own, read_agents(own)) if Role.AGENT in roles else (),
        members=read_members(own) if Role.QUALIFIER in roles else (),
        stance=stance,
        axes=axes,
        negations=negations,
        relations=read_relations(own) if Role.RELATION in roles else (),
        urgency=read_urgency(tokens, own) if Role.URGENCY in roles else (),
        excepted=_exception(own) if Role.EXCEPTION in roles else frozenset(),
        indications=() if GIVING.isdisjoint(words) else read_indications(tokens, own, first, last),
        scopes=read_scopes(tokens, own) if roles & _SCOPED else (),
        required=read_requirements(tokens, own, first, last) if conditional else frozenset(),
        conditional=conditional,
        has_complement=not _COMPLEMENTS.isdisjoint(tokens.lower[first:last])
        and any(tokens.lower[at] in _COMPLEMENTS for at in range(first, last) if at not in parts.taken),
    )


_SCOPED: Final = frozenset({Role.SCOPE, Role.EXCEPTION})
_COMPLEMENTS: Final = wordset(
    "nearer smaller larger less lower higher shorter longer younger older fewer bigger otherwise closer"
)
_POLAR: Final = frozenset({Role.NEGATOR, Role.STANCE, Role.AXIS})


def _conditions(own: Sequence[Lexeme]) -> dict[str, frozenset[str]]:
    conditions: dict[str, frozenset[str]] = {}
    for lexeme in own:
        if lexeme.role is Role.QUALIFIER:
            group = lexeme.groups[0]
            conditions[group] = conditions.get(group, frozenset()) | {lexeme.concept}
    return conditions


def _exception(own: Sequence[Lexeme]) -> frozenset[str]:
    """Return the terms after "unless" or "except"."""
    at = next(position for position, one in enumerate(own) if one.role is Role.EXCEPTION)
    return frozenset(one.concept for one in own[at + 1 :] if one.is_subject)


def _under_opening(parts: _Parts, clauses: list[Clause]) -> list[Clause]:
    """Let the condition that opens a sentence hold for all its clauses."""
    end = fronted(parts.tokens)
    if not end:
        return clauses
    opening = _clause(parts, 0, end)
    return [
        clauses[0],
        *(
            replace(
                lend(clause, [opening]),
                conditions={**opening.conditions, **clause.conditions},
                topic=clause.topic.union(opening.terms),
            )
            for clause in clauses[1:]
        ),
    ]


def _on_topic(parts: _Parts, marks: Sequence[Mark], clauses: list[Clause]) -> list[Clause]:
    """Let what a sentence names before it says anything be the topic of all its clauses.

    It says something with its first value, or with a condition that a later clause replaces.
    """
    later = {mark.signature for mark in marks if mark.first >= clauses[1].first}
    before = next((mark.first for mark in marks if mark.is_value or mark.signature in later), 0)
    topic = _named(parts, 0, before)
    return [replace(clause, topic=clause.topic | topic) for clause in clauses] if topic else clauses
