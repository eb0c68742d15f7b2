"""The closed vocabularies of the slots check, compiled once into one phrase table."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from gatekeeper.checks.slots.lexicon.agents import AGENTS, BROAD, GENERIC
from gatekeeper.checks.slots.lexicon.qualifiers import ONE_SIDED, QUALIFIERS
from gatekeeper.checks.slots.lexicon.stem import stem
from gatekeeper.checks.slots.lexicon.words import (
    AXES,
    DISTINCT,
    EXCEPTIONS,
    LOW,
    NEGATORS,
    RELATIONS,
    SCOPES,
    SIDES,
    STANCES,
    STOP,
    SYNONYMS,
    URGENCY,
)

__all__ = ["BROAD", "EXACT", "GENERIC", "LOW_KEYS", "ONE_SIDED", "PHRASES", "STOP", "Role", "Term", "key_of"]


class Role(IntEnum):
    """What a term does in a clause."""

    WORD = 0
    AGENT = 1
    QUALIFIER = 2
    SIDE = 3
    NEGATOR = 4
    STANCE = 5
    AXIS = 6
    RELATION = 7
    URGENCY = 8
    EXCEPTION = 9
    SCOPE = 10


class Term(NamedTuple):
    """A concept, its role, and the classes (or the axis) whose members exclude each other."""

    concept: str
    role: Role
    groups: tuple[str, ...] = ()


def _entries() -> Iterator[tuple[str, Term]]:
    """Yield phrase and term; of two terms for one phrase the first stands."""
    groups: dict[str, tuple[str, ...]] = {}
    for group, concepts in AGENTS.items():
        for concept in concepts:
            groups[concept] = (*groups.get(concept, ()), group)
    tables = [
        (
            Role.AGENT,
            (
                (concept, text, groups[concept])
                for table in AGENTS.values()
                for concept, text in table.items()
            ),
        ),
        (Role.QUALIFIER, _grouped(QUALIFIERS)),
        (Role.AXIS, _grouped(AXES)),
        (Role.NEGATOR, iter([("no", NEGATORS, ())])),
        (Role.SCOPE, _plain(SCOPES)),
        (Role.EXCEPTION, iter([("except", EXCEPTIONS, ())])),
        (Role.STANCE, _plain(STANCES)),
        (Role.RELATION, _plain(RELATIONS)),
        (Role.URGENCY, _plain(URGENCY)),
        (Role.SIDE, _plain(SIDES)),
        (Role.WORD, _plain(SYNONYMS)),
    ]
    for role, table in tables:
        for concept, text, classes in table:
            for phrase in text.split(" | "):
                yield phrase, Term(concept, role, classes)


_Rows = Iterator[tuple[str, str, tuple[str, ...]]]


def _grouped(vocabulary: dict[str, dict[str, str]]) -> _Rows:
    return (
        (concept, text, (group,)) for group, table in vocabulary.items() for concept, text in table.items()
    )


def _plain(concepts: dict[str, str]) -> _Rows:
    return ((concept, text, ()) for concept, text in concepts.items())


EXACT: Final[dict[str, str]] = {word: word for word in STOP | DISTINCT}
"""Keys of known words. Most are their own, because what excludes its neighbour must not share its stem."""


def key_of(word: str) -> str:
    """Return the key under which a lower-case word is looked up and compared."""
    return EXACT.get(word) or stem(word)


def _compile() -> dict[str, tuple[tuple[list[str], Term], ...]]:
    table: dict[str, dict[tuple[str, ...], Term]] = {}
    entries = list(_entries())
    for phrase, term in entries:
        if term.role is not Role.WORD and term.role is not Role.QUALIFIER and " " not in phrase:
            # gadoterate and gadoteridol share a stem; what excludes its neighbour must not.
            EXACT.setdefault(phrase, phrase)
            EXACT.setdefault(phrase + "s", phrase)
    for phrase, _ in entries:
        EXACT.update((word, stem(word)) for word in phrase.split() if word not in EXACT)
    for phrase, term in entries:
        first, *rest = (key_of(word) for word in phrase.split())
        table.setdefault(first, {}).setdefault(tuple(rest), term)
    return {
        first: tuple(
            (list(rest), term) for rest, term in sorted(rests.items(), key=lambda item: -len(item[0]))
        )
        for first, rests in table.items()
    }


PHRASES: Final = _compile()
"""Key of a phrase's first word → the phrases that begin with it, longest first, with their terms."""

LOW_KEYS: Final = frozenset(key_of(word) for word in LOW)
