"""A text as words, numbers and signs, and the terms of the lexicon found in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from gatekeeper.checks.slots.lexicon import LOW_KEYS, STOP, Role, Term, key_of, longest_phrase
from gatekeeper.exchange import Span

_TOKEN: Final = re.compile(
    r"\d+(?:,\d{3})+(?![\d])(?:\.\d+)?|\d+(?:[.·]\d+)?|\.\d+|[^\W\d_][^\W_]*(?:['’][^\W\d_]+)?|[^\w\s]"
)
_NUMBER: Final = frozenset("0123456789.")
_CAPITALS_ONLY: Final = frozenset({"im", "sc", "po", "mr", "icd", "icds", "pet", "maa", "iv"})
_NOT_SIDES: Final = frozenset(
    "untreated alone unchanged over unrepaired in out open blank undisturbed".split()
)

WEIGHT: Final = 1.0
SUBJECT_ROLES: Final = frozenset({Role.WORD, Role.AGENT, Role.QUALIFIER})
"""What a clause is about, beside its slots."""
LOW_WEIGHT: Final = 0.25
TERM_WEIGHT: Final = 1.2


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text cut into tokens: as written, in small letters, as keys, with their offsets."""

    text: str
    raw: tuple[str, ...]
    lower: tuple[str, ...]
    keys: tuple[str, ...]
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.raw)

    def span(self, first: int, last: int) -> Span:
        """Return the characters from token `first` up to and without token `last`."""
        return Span(self.starts[first], self.starts[last - 1] + len(self.raw[last - 1]))

    def is_number(self, position: int) -> bool:
        """Whether the token at a position is a number in digits."""
        return (
            0 <= position < len(self.raw) and self.raw[position][0] in _NUMBER and self.raw[position] != "."
        )

    def at(self, position: int) -> str:
        """Return the token in small letters, nothing outside the text."""
        return self.lower[position] if 0 <= position < len(self.lower) else ""


class Lexeme(NamedTuple):
    """A term or a plain word with its place among the tokens."""

    term: Term
    first: int
    last: int


def tokenize(text: str) -> Tokens:
    """Cut a text; hyphens inside words and between a word and its number disappear ("LR-5")."""
    raw, starts = [], []
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token == "-" and _joins(text, found.start(), raw):
            continue
        raw.append(token)
        starts.append(found.start())
    lower = [token.lower() for token in raw]
    keys = [key_of(word) for word in lower]
    return Tokens(text, tuple(raw), tuple(lower), tuple(keys), tuple(starts))


def _joins(text: str, at: int, before: list[str]) -> bool:
    """Whether the hyphen at an offset joins the parts of one word, so is no range and no minus."""
    left, right = text[at - 1 : at], text[at + 1 : at + 2]
    if not (left.isalnum() and right.isalnum()) or (left.isdigit() and right.isdigit()):
        return False
    # "10 mm-20 mm" is a range, "Tc-99m" a name.
    return not (right.isdigit() and len(before) > 1 and before[-2][0] in _NUMBER)


def lexemes(tokens: Tokens) -> Iterator[Lexeme]:
    """Yield terms and content words in order."""
    position, size = 0, len(tokens)
    while position < size:
        # Names such as "131 I" begin with a number.
        found = longest_phrase(tokens.keys, position)
        if found is not None and _applies(tokens, position, found[0], found[1]):
            yield Lexeme(found[0], position, position + found[1])
            position += found[1]
            continue
        key = tokens.keys[position]
        if key not in STOP and len(key) > 1 and key[0].isalpha():
            yield Lexeme(Term(key, Role.WORD), position, position + 1)
        position += 1


def _applies(tokens: Tokens, position: int, term: Term, length: int) -> bool:
    """Whether a phrase is meant: "im" is no route, and "left untreated" no side."""
    if length > 1:
        return True
    word = tokens.lower[position]
    if word in _CAPITALS_ONLY:
        return tokens.raw[position][:2].isupper()
    if term.role is Role.SIDE:
        return tokens.at(position + 1) not in _NOT_SIDES
    return not (word == "following" and tokens.at(position - 1) in {"the", "of"})


def weight_of(term: Term) -> float:
    """Return how much a term says about what a clause is about."""
    if term.role is Role.AGENT or term.role is Role.QUALIFIER:
        return TERM_WEIGHT
    return LOW_WEIGHT if term.concept in LOW_KEYS else WEIGHT
