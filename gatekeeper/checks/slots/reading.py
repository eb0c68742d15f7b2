"""A sentence read once: its clauses with their slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gatekeeper.checks.slots.agent import read_agents
from gatekeeper.checks.slots.category import Category, read_categories
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.laterality import read_sides
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.polarity import read_polarity
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.quantity_reading import read_quantities
from gatekeeper.checks.slots.sharing import Mark, anchored, clause_starts, fronted, lend, marks_of, share_rows
from gatekeeper.checks.slots.temporal import read_relations, read_urgency
from gatekeeper.checks.slots.tokens import SUBJECT_ROLES, Lexeme, Tokens, lexemes, tokenize, weight_of
from gatekeeper.exchange import Span


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence with its clauses; `terms` are those of all clauses together."""

    tokens: Tokens
    clauses: tuple[Clause, ...]
    terms: Mapping[str, float]

    def span(self, tokens: tuple[int, int]) -> Span:
        """Return the characters of a token range."""
        return self.tokens.span(*tokens)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was found in a sentence, before it is divided into clauses."""

    tokens: Tokens
    lexemes: Sequence[Lexeme]
    quantities: Sequence[Quantity]
    categories: Sequence[Category]


def read(text: str) -> Reading:
    """Read a sentence. Keeps nothing between calls."""
    parts = _parts(tokenize(text))
    tokens = parts.tokens
    placed = [*parts.quantities, *parts.categories, *read_sides(tokens, parts.lexemes), *read_agents(parts.lexemes)]
    marks = marks_of(parts.lexemes, placed)
    starts = clause_starts(tokens, parts.lexemes, marks)
    ends = [start for start, _ in starts[1:]] + [len(tokens)]
    clauses: list[Clause] = []
    rows: list[Clause] = []
    for (first, is_row), last in zip(starts, ends, strict=True):
        if not is_row:
            clauses += share_rows(rows)
            rows = []
        rows.append(_clause(parts, first, last))
    clauses += share_rows(rows)
    clauses = _on_topic(parts, marks, _under_opening(parts, clauses))
    terms = {concept: weight for clause in clauses for concept, weight in clause.terms.items()}
    return Reading(tokens, tuple(clauses), terms)


def _parts(tokens: Tokens) -> _Parts:
    found = list(lexemes(tokens))
    named = {
        position
        for lexeme in found
        if any(tokens.is_number(position) for position in range(lexeme.first, lexeme.last))
        for position in range(lexeme.first, lexeme.last)
    }
    taken = set(named)
    categories = read_categories(tokens, taken)
    concepts = {lexeme.last - 1: lexeme.term.concept for lexeme in found if lexeme.term.role in SUBJECT_ROLES}
    quantities = read_quantities(tokens, concepts, taken)
    taken -= named
    free = [lexeme for lexeme in found if taken.isdisjoint(range(lexeme.first, lexeme.last))]
    return _Parts(tokens, free, quantities, categories)


def _clause(parts: _Parts, first: int, last: int) -> Clause:
    own = [lexeme for lexeme in parts.lexemes if first <= lexeme.first < last]
    stance, axes, negations = read_polarity(parts.tokens, own)
    conditions: dict[str, frozenset[str]] = {}
    for lexeme in own:
        if lexeme.term.role is Role.QUALIFIER:
            group = lexeme.term.groups[0]
            conditions[group] = conditions.get(group, frozenset()) | {lexeme.term.concept}
    here = [quantity for quantity in parts.quantities if first <= quantity.first < last]
    return Clause(
        first,
        last,
        terms={one.term.concept: weight_of(one.term) for one in own if one.term.role in SUBJECT_ROLES},
        conditions=conditions,
        quantities=tuple(anchored(parts.tokens, own, here)),
        categories=tuple(category for category in parts.categories if first <= category.first < last),
        sides=tuple(read_sides(parts.tokens, own)),
        agents=tuple(anchored(parts.tokens, own, read_agents(own))),
        stance=stance,
        axes=tuple(axes),
        negations=tuple(negations),
        relations=tuple(read_relations(own)),
        urgency=tuple(read_urgency(own)),
        excepted=_exception(own),
    )


def _on_topic(parts: _Parts, marks: Sequence[Mark], clauses: list[Clause]) -> list[Clause]:
    """Let what a sentence names before it says anything be the topic of all its clauses."""
    if len(clauses) < 2 or not marks:
        return clauses
    topic = [
        one.term.concept
        for one in parts.lexemes
        if one.last <= marks[0].first and one.term.role in SUBJECT_ROLES
    ]
    return [replace(clause, topic=clause.topic.union(topic)) for clause in clauses] if topic else clauses


def _exception(own: Sequence[Lexeme]) -> frozenset[str]:
    """Return the terms after "unless" or "except"."""
    at = next((position for position, one in enumerate(own) if one.term.role is Role.EXCEPTION), len(own))
    return frozenset(one.term.concept for one in own[at + 1 :] if one.term.role in SUBJECT_ROLES)


def _under_opening(parts: _Parts, clauses: list[Clause]) -> list[Clause]:
    """Let the condition that opens a sentence hold for all its clauses."""
    end = fronted(parts.tokens)
    if not end or len(clauses) < 2:
        return clauses
    opening = _clause(parts, 0, end)
    return [
        clauses[0],
        *(
            replace(
                lend(clause, [opening]),
                conditions={**opening.conditions, **clause.conditions},
                topic=frozenset(opening.terms),
            )
            for clause in clauses[1:]
        ),
    ]
