"""A text as words, numbers and signs, and the terms of the lexicon found in it."""

import re
from functools import lru_cache
from typing import Final, final

from gatekeeper.checks.slots.lexicon import LOW_KEYS, PHRASES, STOP, Role, Term, key_of
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.exchange import Span

_LETTER: Final = r"[^\W\d_]"
_TOKEN: Final = re.compile(
    rf"({_LETTER}[^\W_]*(?:['’]{_LETTER}+)?"
    r"|\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.·]\d+)?|\.\d+"
    # A hyphen counts as minus or range: not within a word, nor in "LR-5", but in "10 mm-20 mm".
    rf"|-(?:(?![^\W_])|(?=\d)(?:(?<!{_LETTER}-)|(?<=[ \d][mc]m-)))"
    r"|[^\w\s-]) ?"  # no token begins with the space, so the search need not try it
)
_CAPITALS_ONLY: Final = frozenset({"im", "sc", "po", "mr", "icd", "icds", "pet", "maa", "iv"})
_NOT_SIDES: Final = wordset("untreated alone unchanged over unrepaired in out open blank undisturbed")

_VERTEBRA: Final = ("vertebra",)
_SCALES: Final = wordset("category rads stage grade type class complement")
"""Before "C3" they say that no vertebra is meant."""

_PASSED_OVER: Final = (STOP | frozenset(".,;:()[]/%<>≤≥=–—-+*|\"'")).difference(PHRASES)

WEIGHT: Final = 1.0
LOW_WEIGHT: Final = 0.25
TERM_WEIGHT: Final = 1.2
"""What a word, a word that guidelines use for anything, and a term of the lexicon say of a subject."""
SUBJECT_ROLES: Final = frozenset({Role.WORD, Role.AGENT, Role.QUALIFIER})
"""What a clause is about, beside its slots."""
REMEMBERED: Final = 8192
"""Words whose forms are kept, in memory only: a language has few, and texts repeat them."""

# Naming an enum's member takes as long as comparing it twenty times.
_WORD: Final = Role.WORD
_SIDE: Final = Role.SIDE
_TERMS: Final = frozenset({Role.AGENT, Role.QUALIFIER})


@lru_cache(maxsize=REMEMBERED)
def _forms(word: str) -> tuple[str, str]:
    """Return a word in small letters, and its key."""
    lower = word.lower()
    return lower, lower if len(lower) < 4 else key_of(lower)


class Tokens:
    """A text cut into tokens: as written, in small letters, as keys. Offsets are found when asked for."""

    __slots__ = ("_starts", "keys", "lower", "raw", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.raw: list[str] = _TOKEN.findall(text)
        forms = list(map(_forms, self.raw))
        self.lower = [lower for lower, _ in forms]
        self.keys = [key for _, key in forms]
        self._starts: list[int] | None = None

    def __len__(self) -> int:
        return len(self.raw)

    @property
    def starts(self) -> list[int]:
        """Where each token begins in the text."""
        if self._starts is None:
            self._starts = self._places()
        return self._starts

    def _places(self) -> list[int]:
        # What is passed over between two tokens (white space, "_", the hyphen of "T2-weighted") never looks
        # like the next one.
        text, end, places = self.text, 0, []
        for token in self.raw:
            start = text.find(token, end)
            places.append(start)
            end = start + len(token)
        return places

    def span(self, first: int, last: int) -> Span:
        """Return the characters from token `first` up to and without token `last`."""
        return Span(self.starts[first], self.starts[last - 1] + len(self.raw[last - 1]))

    def is_number(self, position: int) -> bool:
        """Whether the token at a position is a number in digits."""
        return 0 <= position < len(self.raw) and is_numeral(self.raw[position])

    def at(self, position: int) -> str:
        """Return the token in small letters, nothing outside the text."""
        return self.lower[position] if 0 <= position < len(self.lower) else ""

    def glued(self, position: int) -> bool:
        """Whether no space stands before the token at a position."""
        if not 0 < position < len(self.raw):
            return False
        return self.starts[position] == self.starts[position - 1] + len(self.raw[position - 1])


def is_numeral(token: str) -> bool:
    """Whether a token is a number in digits."""
    return token[0].isdecimal() or (token[0] == "." and len(token) > 1)


@final
class Lexeme:
    """A term of the lexicon, or a plain word, with its place among the tokens."""

    __slots__ = ("concept", "first", "groups", "last", "role")

    def __init__(self, concept: str, role: Role, groups: tuple[str, ...], first: int, last: int) -> None:
        self.concept = concept
        self.role = role
        self.groups = groups
        self.first = first
        self.last = last


@final
class Outline:
    """A text with its lexemes: enough to say what it speaks of, before its slots are read."""

    __slots__ = ("lexemes", "named", "tokens")

    def __init__(self, tokens: Tokens, lexemes: tuple[Lexeme, ...], named: frozenset[str]) -> None:
        self.tokens = tokens
        self.lexemes = lexemes
        self.named = named


def outline(text: str) -> Outline:
    """Cut a text into tokens and find its lexemes."""
    tokens = Tokens(text)
    found = tuple(_lexemes(tokens))
    return Outline(tokens, found, frozenset([one.concept for one in found if one.role in SUBJECT_ROLES]))


def _lexemes(tokens: Tokens) -> list[Lexeme]:
    """Return terms and content words in order."""
    keys, found, free = tokens.keys, [], 0
    for position, key in enumerate(keys):
        if key in _PASSED_OVER or position < free:
            continue
        for rest, term in PHRASES.get(key, ()):
            last = position + 1 + len(rest)
            if (not rest or keys[position + 1 : last] == rest) and _applies(tokens, position, term, last):
                found.append(Lexeme(term.concept, term.role, term.groups, position, last))
                free = last
                break
        else:
            if key not in STOP and len(key) > 1 and key[0].isalpha():
                found.append(Lexeme(key, _WORD, (), position, position + 1))
    return found


def _applies(tokens: Tokens, position: int, term: Term, last: int) -> bool:
    """Whether a phrase is meant: "im" is no route, and "left untreated" no side."""
    if last - position > 1:
        return True
    word = tokens.lower[position]
    if word in _CAPITALS_ONLY:
        return tokens.raw[position][:2].isupper()
    if term.groups == _VERTEBRA:
        return tokens.raw[position][0].isupper() and tokens.at(position - 1) not in _SCALES
    if term.role is _SIDE:
        return tokens.at(last) not in _NOT_SIDES
    return word != "following" or tokens.at(position - 1) not in {"the", "of"}


def weight_of(lexeme: Lexeme) -> float:
    """Return how much a lexeme says about what a clause is about."""
    if lexeme.role in _TERMS:
        return TERM_WEIGHT
    return LOW_WEIGHT if lexeme.concept in LOW_KEYS else WEIGHT
