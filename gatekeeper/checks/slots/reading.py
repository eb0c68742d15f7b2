"""A sentence read once: its clauses with their slots."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.agent import read_agents
from gatekeeper.checks.slots.asides import LIGHT, closing_of, opening_of
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
    anchored,
    clause_starts,
    fronted,
    lent_to,
    marks_of,
    separators_of,
    share_rows,
    take,
)
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.temporal import read_relations, read_urgency
from gatekeeper.checks.slots.tokens import (
    Lexeme,
    Outline,
    Tokens,
    outline,
)
from gatekeeper.exchange import Span


@final
class Reading:
    """A sentence with its clauses."""

    __slots__ = ("clauses", "named", "tokens")

    def __init__(self, tokens: Tokens, clauses: tuple[Clause, ...], named: frozenset[str]) -> None:
        self.tokens = tokens
        self.clauses = clauses
        self.named = named

    def span(self, tokens: tuple[int, int]) -> Span:
        """Return the characters of a token range."""
        return self.tokens.span(*tokens)


@final
class _Parts:
    """What was found in a sentence, before it is divided into clauses."""

    __slots__ = ("agents", "categories", "end", "lexemes", "opening", "quantities", "taken", "tokens")

    def __init__(
        self,
        tokens: Tokens,
        lexemes: Sequence[Lexeme],
        quantities: list[Quantity],
        categories: list[Category],
        taken: set[int],
    ) -> None:
        self.tokens = tokens
        self.lexemes = lexemes
        self.quantities = quantities
        self.categories = categories
        self.agents = read_agents(lexemes)
        self.taken = taken
        self.opening = 0
        self.end = len(tokens)


def read(text: str | Outline) -> Reading:
    """Read a sentence. Keeps nothing between calls."""
    outlined = outline(text) if isinstance(text, str) else text
    parts = _parts(outlined)
    return Reading(parts.tokens, tuple(_clauses(parts)), outlined.named)


def read_claim(outlined: Outline) -> Reading:
    """Read a claim: as a sentence whose opening weighs less, and whose closing remark stands for itself."""
    parts = _parts(outlined)
    whole = len(parts.tokens)
    parts.opening = opening_of(parts.tokens)
    parts.end = closing_of(parts.tokens, parts.opening)
    clauses = _clauses(parts)
    if parts.end < whole:
        remark = _clause(parts, parts.end, whole)
        # What it asks for or denies is no action: "to avoid harm", "which is not always needed".
        remark.is_half_read = bool(remark.stances or remark.axes or remark.negations)
        remark.stance, remark.stances, remark.axes, remark.negations = None, (), (), ()
        remark.is_remark = True
        clauses.append(remark)
    return Reading(parts.tokens, tuple(clauses), outlined.named)


def read_question(text: str) -> Reading:
    """Read a question: it names what an answer is about, and asks for nothing and denies nothing itself."""
    asked = read(text)
    for clause in asked.clauses:
        clause.stance, clause.stances, clause.axes, clause.negations = None, (), (), ()
    return asked


def _parts(outlined: Outline) -> _Parts:
    tokens, found = outlined.tokens, outlined.lexemes
    named = {
        position
        for one in found
        if one.last - one.first > 1 and [at for at in range(one.first, one.last) if tokens.is_number(at)]
        for position in range(one.first, one.last)
    }
    taken = set(named)
    categories = read_categories(tokens, taken)
    quantities = read_quantities(tokens, found, taken)
    taken -= named
    if taken:
        found = tuple([one for one in found if not [at for at in range(one.first, one.last) if at in taken]])
    return _Parts(tokens, found, quantities, categories, taken)


def _clauses(parts: _Parts) -> list[Clause]:
    tokens, end = parts.tokens, parts.end
    separators = [at for at in separators_of(tokens) if at < end]
    if not separators:
        return [_clause(parts, 0, end)]
    placed: list[Slot] = [
        *parts.quantities,
        *parts.categories,
        *read_sides(tokens, parts.lexemes),
        *parts.agents,
    ]
    marks = marks_of(parts.lexemes, placed)
    if end < len(tokens):
        marks = [mark for mark in marks if mark.first < end]
    starts = clause_starts(tokens, parts.lexemes, marks, separators)
    if len(starts) == 1:
        return [_clause(parts, 0, end)]
    ends = [start.first for start in starts[1:]] + [end]
    clauses: list[Clause] = []
    rows: list[Clause] = []
    subject: frozenset[str] = frozenset()
    for start, last in zip(starts, ends, strict=True):
        if not start.is_row:
            share_rows(rows)
            rows = []
        subject = subject | _named(parts, *start.subject) if any(start.subject) else frozenset()
        clause = _clause(parts, start.first, last)
        clause.topic = subject
        clauses.append(clause)
        rows.append(clause)
    share_rows(rows)
    _put_under_opening(parts, clauses)
    _put_on_topic(parts, marks, clauses)
    return clauses


def _named(parts: _Parts, first: int, last: int) -> frozenset[str]:
    return frozenset(one.concept for one in parts.lexemes if first <= one.first < last and one.is_subject)


def _clause(parts: _Parts, first: int, last: int) -> Clause:
    tokens = parts.tokens
    own = [lexeme for lexeme in parts.lexemes if first <= lexeme.first < last]
    terms: dict[str, float] = {}
    roles: set[Role] = set()
    for lexeme in own:
        roles.add(lexeme.role)
        if lexeme.is_subject:
            light = lexeme.first < parts.opening and lexeme.role is not _AGENT
            terms[lexeme.concept] = LIGHT * lexeme.weight if light else lexeme.weight
    clause = Clause(first, last, terms)
    clause.opening = parts.opening
    if parts.quantities:
        quantities = [one for one in parts.quantities if first <= one.first < last]
        clause.quantities = anchored(tokens, own, quantities)
    if parts.categories:
        clause.categories = tuple([one for one in parts.categories if first <= one.first < last])
    if parts.agents:
        clause.agents = anchored(tokens, own, [one for one in parts.agents if first <= one.first < last])
    _read_terms(clause, tokens, own, roles)
    _read_words(clause, parts, own)
    return clause


def _read_words(clause: Clause, parts: _Parts, own: Sequence[Lexeme]) -> None:
    """Read what words that are no terms fill in."""
    tokens, first, last = parts.tokens, clause.first, clause.last
    lower = tokens.lower
    telling = [at for at in range(first, last) if lower[at] in _TELLING]
    if not telling:
        return
    openings = [at for at in telling if lower[at] in OPENING]
    if openings:
        clause.conditional = True
        clause.required = read_requirements(tokens, own, openings)
    if [at for at in telling if lower[at] in GIVING]:
        clause.indications = read_indications(tokens, own, first, last)
    complements = [at for at in telling if lower[at] in _COMPLEMENTS]
    clause.has_complement = not parts.taken.issuperset(complements)


def _read_terms(clause: Clause, tokens: Tokens, own: Sequence[Lexeme], roles: set[Role]) -> None:
    """Read what terms of these roles fill in."""
    if _QUALIFIER in roles:
        clause.conditions = _conditions(own)
        clause.members = read_members(own)
    if _SIDE in roles:
        clause.sides = read_sides(tokens, own)
    if _NEGATOR in roles or _STANCE in roles or _AXIS in roles:
        clause.stances, clause.axes, clause.negations = read_polarity(tokens, own)
        clause.stance = clause.stances[0] if clause.stances else None
    if _RELATION in roles:
        clause.relations = read_relations(tokens, own)
    if _URGENCY in roles:
        clause.urgency = read_urgency(tokens, own)
    if _EXCEPTION in roles:
        clause.excepted = _exception(own)
    if _SCOPE in roles or _EXCEPTION in roles:
        clause.scopes = read_scopes(tokens, own)


_COMPLEMENTS: Final = wordset(
    "nearer smaller larger less lower higher shorter longer younger older fewer bigger otherwise closer"
)
_TELLING: Final = OPENING | GIVING | _COMPLEMENTS
# Naming an enum's member takes as long as comparing it twenty times.
_AGENT: Final = Role.AGENT
_QUALIFIER: Final = Role.QUALIFIER
_SIDE: Final = Role.SIDE
_NEGATOR: Final = Role.NEGATOR
_STANCE: Final = Role.STANCE
_AXIS: Final = Role.AXIS
_RELATION: Final = Role.RELATION
_URGENCY: Final = Role.URGENCY
_EXCEPTION: Final = Role.EXCEPTION
_SCOPE: Final = Role.SCOPE


def _conditions(own: Sequence[Lexeme]) -> dict[str, frozenset[str]]:
    conditions: dict[str, frozenset[str]] = {}
    for lexeme in own:
        if lexeme.role is _QUALIFIER:
            group = lexeme.groups[0]
            conditions[group] = conditions.get(group, frozenset()) | {lexeme.concept}
    return conditions


def _exception(own: Sequence[Lexeme]) -> frozenset[str]:
    """Return the terms after "unless" or "except"."""
    at = next(position for position, one in enumerate(own) if one.role is _EXCEPTION)
    return frozenset(one.concept for one in own[at + 1 :] if one.is_subject)


def _put_under_opening(parts: _Parts, clauses: Sequence[Clause]) -> None:
    """Let the condition that opens a sentence hold for all its clauses."""
    end = fronted(parts.tokens)
    if not end:
        return
    opening = _clause(parts, 0, end)
    for clause in clauses[1:]:
        take(clause, lent_to(clause, [opening]))
        clause.conditions = {**opening.conditions, **clause.conditions}
        clause.topic = clause.topic.union(opening.terms)


def _put_on_topic(parts: _Parts, marks: Sequence[Mark], clauses: Sequence[Clause]) -> None:
    """Let what a sentence names before it says anything be the topic of all its clauses.

    It says something with its first value, or with a condition that a later clause replaces.
    """
    later = {mark.signature for mark in marks if mark.first >= clauses[1].first}
    before = next((mark.first for mark in marks if mark.is_value or mark.signature in later), 0)
    topic = _named(parts, 0, before)
    for clause in clauses:
        clause.topic = clause.topic | topic
