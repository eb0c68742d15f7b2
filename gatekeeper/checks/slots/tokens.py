"""A text as words, numbers and signs, and the terms of the lexicon found in it."""

import re
from typing import Final, TypeVar, final

from gatekeeper.checks.slots.characters import plain
from gatekeeper.checks.slots.lexicon import LOW_KEYS, PHRASES, STOP, Role, key_of
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.exchange import Span

_Kept = TypeVar("_Kept")

_LETTER: Final = r"[^\W\d_]"
_TOKEN: Final = re.compile(
    rf"{_LETTER}[^\W_]*(?:['’]{_LETTER}+)?"
    r"|\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:[.·]\d+)?|\.\d+"
    # A hyphen counts as minus or range: not within a word, nor in "LR-5", but in "10 mm-20 mm".
    rf"|-(?:(?![^\W_])|(?=\d)(?:(?<!{_LETTER}-)|(?<=[ \d][mc]m-)))"
    r"|[^\w\s-]"
)
_FIGURE: Final = re.compile(r"\d")
_MARKS: Final = frozenset(".,;:")
_RANGE: Final = wordset("- – — to or and x ×")
_CAPITALS_ONLY: Final = frozenset({"im", "sc", "po", "mr", "icd", "icds", "pet", "maa", "iv"})
_NOT_SIDES: Final = wordset("untreated alone unchanged over unrepaired in out open blank undisturbed")

_VERTEBRA: Final = ("vertebra",)
_SCALES: Final = wordset("category rads stage grade type class complement")
"""Before "C3" they say that no vertebra is meant."""

WEIGHT: Final = 1.0
LOW_WEIGHT: Final = 0.25
TERM_WEIGHT: Final = 1.2
"""What a word, a word that guidelines use for anything, and a term of the lexicon say of a subject."""
SUBJECT_ROLES: Final = frozenset({Role.WORD, Role.AGENT, Role.QUALIFIER})
"""What a clause is about, beside its slots."""
REMEMBERED: Final = 8192
LONGEST_WORD: Final = 40
"""Words, and the characters of one, that are kept with their forms, in memory only: texts repeat them."""

# Naming an enum's member takes as long as comparing it twenty times.
_WORD: Final = Role.WORD
_SIDE: Final = Role.SIDE
_TERMS: Final = frozenset({Role.AGENT, Role.QUALIFIER})


@final
class Sense:
    """What a word, with the keys `rest` after it, stands for: a term of the lexicon, or itself.

    `is_sure` says that it stands for that wherever it occurs, `is_subject` that it tells what a clause is
    about, `weight` how much.
    """

    __slots__ = ("concept", "groups", "is_subject", "is_sure", "rest", "role", "weight")

    def __init__(self, word: str, rest: list[str], concept: str, role: Role, groups: tuple[str, ...]) -> None:
        self.rest = rest
        self.concept = concept
        self.role = role
        self.groups = groups
        self.is_subject = role in SUBJECT_ROLES
        doubtful = role is _SIDE or groups == _VERTEBRA or word in _CAPITALS_ONLY or word == "following"
        self.is_sure = bool(rest) or not doubtful
        self.weight = TERM_WEIGHT if role in _TERMS else LOW_WEIGHT if concept in LOW_KEYS else WEIGHT


@final
class Form:
    """A word as written, in small letters and as a key, with what it can stand for, longest phrases first."""

    __slots__ = ("is_number", "key", "lower", "raw", "senses")

    def __init__(self, word: str) -> None:
        self.raw = word
        self.lower = lower = word.lower()
        self.key = key = lower if len(lower) < 4 else key_of(lower)
        self.is_number = word[0].isdecimal() or (word[0] == "." and len(word) > 1)
        self.senses = [
            Sense(lower, rest, term.concept, term.role, term.groups) for rest, term in PHRASES.get(key, ())
        ]
        if key not in STOP and len(key) > 1 and key[0].isalpha():
            self.senses.append(Sense("", [], key, _WORD, ()))


_FORMS: Final[dict[str, Form]] = {}
_COMPOUNDS: Final[dict[str, list[Form]]] = {}


def _form(word: str) -> Form:
    form = _FORMS.get(word)
    if form is None:
        form = Form(word)
        _keep(_FORMS, word, form)
    return form


def _compound(word: str, before: str) -> list[Form]:
    """Return the tokens of what stands between two spaces: "mL/min", "low-risk", "10–20".

    Only a word without figures is kept, like the forms of words; it is cut the same wherever it stands.
    """
    forms = _COMPOUNDS.get(word)
    if forms is None:
        forms = [_form(token) for token in _TOKEN.findall(before + word)]
        if not _FIGURE.search(word):
            _keep(_COMPOUNDS, word, forms)
    return forms


def _keep(kept: dict[str, _Kept], word: str, what: _Kept) -> None:
    """Keep what was found of a word, not of a text without spaces; start anew where too many are kept."""
    if len(word) <= LONGEST_WORD:
        if len(kept) >= REMEMBERED:
            kept.clear()
        kept[word] = what


def _cut(text: str) -> list[Form]:
    """Return the tokens of a text. A known one between spaces, or with a mark after it, stays whole."""
    forms: list[Form] = []
    before = ""
    for word in text.split(" "):
        form = _FORMS.get(word)
        if form is not None:
            forms.append(form)
        elif word:
            form = _FORMS.get(word[:-1]) if word[-1] in _MARKS else None
            if form is not None:
                forms += (form, _form(word[-1]))
            else:
                forms += _compound(word, before)
        before = " "
    return forms


@final
class Tokens:
    """A text cut into tokens: as written, in small letters, as forms. Offsets are found when asked for."""

    __slots__ = ("_starts", "forms", "lower", "raw", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.forms = _cut(text)
        self.raw = [form.raw for form in self.forms]
        self.lower = [form.lower for form in self.forms]
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
        text, end = self.text, 0
        places: list[int] = []
        for token in self.raw:
            if text[end] == " ":
                end += 1
            start = end if text[end] == token[0] else text.find(token, end)
            places.append(start)
            end = start + len(token)
        return places

    def span(self, first: int, last: int) -> Span:
        """Return the characters from token `first` up to and without token `last`."""
        return Span(self.starts[first], self.starts[last - 1] + len(self.raw[last - 1]))

    def is_number(self, position: int) -> bool:
        """Whether the token at a position is a number in digits."""
        return 0 <= position < len(self.forms) and self.forms[position].is_number

    def at(self, position: int) -> str:
        """Return the token in small letters, nothing outside the text."""
        return self.lower[position] if 0 <= position < len(self.lower) else ""

    def glued(self, position: int) -> bool:
        """Whether no space stands before the token at a position."""
        if not 0 < position < len(self.raw):
            return False
        return self.starts[position] == self.starts[position - 1] + len(self.raw[position - 1])


@final
class Lexeme:
    """A term of the lexicon, or a plain word, with its place among the tokens."""

    __slots__ = ("concept", "first", "groups", "is_subject", "last", "role", "weight")

    def __init__(self, sense: Sense, first: int, last: int) -> None:
        self.concept = sense.concept
        self.role = sense.role
        self.groups = sense.groups
        self.is_subject = sense.is_subject
        self.weight = sense.weight
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
    tokens = Tokens(plain(text))
    found = tuple(_lexemes(tokens))
    return Outline(tokens, found, frozenset([one.concept for one in found if one.is_subject]))


def _lexemes(tokens: Tokens) -> list[Lexeme]:
    """Return terms and content words in order."""
    forms, free = tokens.forms, 0
    found: list[Lexeme] = []
    for position, form in enumerate(forms):
        if position < free:
            continue
        for sense in form.senses:
            last = position + 1 + len(sense.rest)
            if sense.rest and not _goes_on(forms, position + 1, sense.rest):
                continue
            if sense.is_sure or _applies(tokens, position, sense):
                found.append(Lexeme(sense, position, last))
                free = last
                break
    return found


def _goes_on(forms: list[Form], position: int, rest: list[str]) -> bool:
    """Whether the keys of a phrase stand from a position on."""
    if position + len(rest) > len(forms):
        return False
    for key in rest:
        if forms[position].key != key:
            return False
        position += 1
    return True


def _applies(tokens: Tokens, position: int, sense: Sense) -> bool:
    """Whether a word is meant as a term: "im" is no route, and "left untreated" no side."""
    word = tokens.lower[position]
    if word in _CAPITALS_ONLY:
        return tokens.raw[position][:2].isupper()
    if sense.groups == _VERTEBRA:
        return tokens.raw[position][0].isupper() and tokens.at(position - 1) not in _SCALES
    if sense.role is _SIDE:
        return tokens.at(position + 1) not in _NOT_SIDES
    return word != "following" or tokens.at(position - 1) not in {"the", "of"}


def figures_of(tokens: Tokens) -> frozenset[tuple[float, str]]:
    """Return every figure with its unit: the word after it, or after the range that it opens."""
    found: list[tuple[float, str]] = []
    unit = ""
    for form in reversed(tokens.forms):
        if not form.is_number:
            if form.lower not in _RANGE:
                unit = form.lower
            continue
        try:
            found.append((float(form.raw.replace(",", "").replace("·", ".")), unit))
        except ValueError:
            continue  # digits of another script, or a sign between them
    return frozenset(found)
