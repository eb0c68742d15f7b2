"""A sentence read once: its clauses, what each speaks of, under which conditions, with which slots."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gatekeeper.checks.slots.agent import Agent, read_agents
from gatekeeper.checks.slots.category import Category, read_categories
from gatekeeper.checks.slots.laterality import Side, read_sides
from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.polarity import Axis, Negation, Stance, read_polarity
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.quantity_reading import read_quantities
from gatekeeper.checks.slots.temporal import Relation, Urgency, read_relations, read_urgency
from gatekeeper.checks.slots.tokens import Lexeme, Tokens, lexemes, tokenize, weight_of
from gatekeeper.exchange import Span

_STRONG: Final = frozenset({";", "whereas", "but", "however", "although", "though", "yet"})
_WEAK: Final = frozenset({",", "and", "or", "while", "then", "."})
_SUBJECT_ROLES: Final = frozenset({Role.WORD, Role.AGENT, Role.QUALIFIER})


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement of a sentence. `terms` maps what it speaks of to weights; `conditions` its qualifiers.

    `excepted` marks a clause that names an exception to itself ("unless").
    """

    first: int
    last: int
    terms: Mapping[str, float]
    conditions: Mapping[str, frozenset[str]]
    quantities: tuple[Quantity, ...] = ()
    categories: tuple[Category, ...] = ()
    sides: tuple[Side, ...] = ()
    agents: tuple[Agent, ...] = ()
    stance: Stance | None = None
    axes: tuple[Axis, ...] = ()
    negations: tuple[Negation, ...] = ()
    relations: tuple[Relation, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence with its clauses; `terms` are those of all clauses together."""

    tokens: Tokens
    clauses: tuple[Clause, ...]
    terms: Mapping[str, float] = field(default_factory=dict)

    def span(self, tokens: tuple[int, int]) -> Span:
        """Return the characters of a token range."""
        return self.tokens.span(*tokens)


_Placed = Quantity | Category | Side | Agent


def read(text: str) -> Reading:
    """Read a sentence. Costs about a microsecond per character; keeps nothing between calls."""
    tokens = tokenize(text)
    found = list(lexemes(tokens, frozenset()))
    names = {position for lexeme in found if tokens.is_number(lexeme.first) or lexeme.last - lexeme.first > 1
             and any(tokens.is_number(at) for at in range(lexeme.first, lexeme.last))
             for position in range(lexeme.first, lexeme.last)}  # fmt: skip
    taken = set(names)
    categories = read_categories(tokens, taken)
    concepts = {lexeme.last - 1: lexeme.term.concept for lexeme in found}
    quantities = read_quantities(tokens, concepts, taken)
    taken -= names
    found = [lexeme for lexeme in found if not taken.intersection(range(lexeme.first, lexeme.last))]
    placed: list[_Placed] = [*quantities, *categories, *read_sides(found), *read_agents(found)]
    starts = _clause_starts(tokens, found, placed)
    bounds = list(zip(starts, [*starts[1:], len(tokens)], strict=True))
    clauses = tuple(_clause(tokens, found, quantities, categories, bound) for bound in bounds)
    terms: dict[str, float] = {}
    for clause in clauses:
        terms.update(clause.terms)
    return Reading(tokens, clauses, terms)


def _clause(
    tokens: Tokens,
    found: Sequence[Lexeme],
    quantities: Iterable[Quantity],
    categories: Iterable[Category],
    bound: tuple[int, int],
) -> Clause:
    first, last = bound
    own = [lexeme for lexeme in found if first <= lexeme.first < last]
    stance, axes, negations = read_polarity(tokens, own)
    conditions: dict[str, frozenset[str]] = {}
    for lexeme in own:
        if lexeme.term.role is Role.QUALIFIER:
            group = lexeme.term.groups[0]
            conditions[group] = conditions.get(group, frozenset()) | {lexeme.term.concept}
    here = [quantity for quantity in quantities if first <= quantity.first < last]
    return Clause(
        first,
        last,
        terms={
            lexeme.term.concept: weight_of(lexeme.term)
            for lexeme in own
            if lexeme.term.role in _SUBJECT_ROLES
        },
        conditions=conditions,
        quantities=tuple(_anchored(tokens, own, here)),
        categories=tuple(category for category in categories if first <= category.first < last),
        sides=tuple(read_sides(own)),
        agents=tuple(read_agents(own)),
        stance=stance,
        axes=tuple(axes),
        negations=tuple(negations),
        relations=tuple(read_relations(own)),
        urgency=tuple(read_urgency(own)),
        excepted=any(lexeme.term.role is Role.EXCEPTION for lexeme in own),
    )


def _clause_starts(tokens: Tokens, found: Sequence[Lexeme], placed: Sequence[_Placed]) -> list[int]:
    """Return where the clauses begin: at "whereas", and where a row repeats the pattern of the one before.

    "4A > 2–10 %, 4B > 10–50 %" and "solid nodules at 6 months, part-solid at 3" are two clauses each:
    both sides of the separator fill in the same two kinds of slot.
    """
    marks = sorted(
        [(slot.first, slot.signature) for slot in placed]
        + [
            (lexeme.first, f"condition:{lexeme.term.groups[0]}")
            for lexeme in found
            if lexeme.term.role is Role.QUALIFIER
        ]
        + [
            (lexeme.first, "stance")
            for lexeme in found
            if lexeme.term.role is Role.STANCE and lexeme.term.concept not in {"possible"}
        ]
    )
    separators = [at for at, word in enumerate(tokens.lower) if word in _STRONG or word in _WEAK]
    starts = [0]
    for place, at in enumerate(separators):
        stop = separators[place + 1] if place + 1 < len(separators) else len(tokens)
        left = [signature for position, signature in marks if starts[-1] <= position < at]
        right = [signature for position, signature in marks if at <= position < stop]
        rest = [signature for position, signature in marks if at <= position]
        if tokens.lower[at] in _STRONG:
            if left and rest:
                starts.append(at)
        elif _same_pattern(left, right, rest):
            starts.append(at)
    return starts


def _same_pattern(left: list[str], right: list[str], rest: list[str]) -> bool:
    if len(set(left) & set(right)) >= 2:
        return True
    return bool(right) and len(set(left)) >= 2 and left[0] == right[0] and len(set(rest)) >= 2


def _anchored(tokens: Tokens, own: Sequence[Lexeme], quantities: Sequence[Quantity]) -> Iterable[Quantity]:
    """Give each of several quantities of one measure the concepts that only its own stretch names."""
    by_measure: dict[str, list[Quantity]] = {}
    for quantity in quantities:
        by_measure.setdefault(quantity.signature, []).append(quantity)
    for quantity in quantities:
        group = by_measure[quantity.signature]
        if len(group) == 1:
            yield quantity
            continue
        place = group.index(quantity)
        left = _cut(tokens, group[place - 1].last, quantity.first) if place else 0
        right = _cut(tokens, quantity.last, group[place + 1].first) if place + 1 < len(group) else len(tokens)
        anchors = frozenset(
            lexeme.term.concept
            for lexeme in own
            if left <= lexeme.first < right and (lexeme.term.role in _SUBJECT_ROLES)
        )
        yield replace(quantity, anchors=anchors)


def _cut(tokens: Tokens, first: int, last: int) -> int:
    """Return the separator between two quantities that divides their stretches, else the middle."""
    for separators in (_STRONG, _WEAK):
        for position in range(first, last):
            if tokens.lower[position] in separators:
                return position
    return (first + last) // 2
