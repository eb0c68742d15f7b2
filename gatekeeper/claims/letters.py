"""Which option letter an answer declares. Strict: a letter that is merely mentioned is no choice."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final, NamedTuple

from gatekeeper.exchange import Span

_OPEN: Final = r"[\"'“(\[{*_$\\ ]{0,6}"
_CLOSE: Final = r"[\"'”)\]}*_$]{0,6}"


class Declared(NamedTuple):
    """A declared letter: its own span, and the span of the words that declare it."""

    letter: str
    span: Span
    statement: Span


def declared_letter(text: str, letters: Collection[str]) -> str | None:
    r"""Return the one of `letters` (capitals) that the text declares as its answer, or None.

    Understood: "B", "(B)", "**B. …**", "Answer: B", "The correct answer is B because …",
    "Option B is correct", "I would choose B", `{"answer": "B"}`, `\boxed{B}`. None where no letter
    or more than one is declared; a later explicit declaration replaces an earlier one.
    """
    declared = find_letter(text, letters)
    return declared.letter if declared else None


def find_letter(text: str, letters: Collection[str]) -> Declared | None:
    """Return where and which letter the text declares; see `declared_letter`."""
    if not letters:
        return None
    start = text.rfind("</think>") + len("</think>") if "</think>" in text else 0
    patterns = _patterns("".join(sorted(letters)))
    for pattern in patterns.explicit:
        found = list(pattern.finditer(text, start))
        if found:
            return _declared(found[-1], patterns.rival)
    if _restates_options(text, start, patterns.marker):
        return None
    return next(_alone(text, start, patterns), None)


class _Patterns(NamedTuple):
    explicit: tuple[re.Pattern[str], ...]
    alone: re.Pattern[str]
    marker: re.Pattern[str]
    rival: re.Pattern[str]


@cache
def _patterns(letters: str) -> _Patterns:
    capital = f"[{letters}]"
    letter = _letter(letters)
    named = r"(?i:option|choice|letter|answer)\s"
    noun = rf"(?:{named})?"
    copula = r"(?:\s(?:is|would be|should be|must be)\s?:?|\s?[:=]|\s[-–—])"
    # "I would not choose B", "one might pick A": no choice.
    verb = (
        r"(?<!not\s)(?<!n't\s)(?<!n’t\s)(?<!never\s)(?<!might\s)(?<!could\s)"
        r"(?:choose|chose|select|selected|pick|go with|opt for|answer with)"
    )
    return _Patterns(
        explicit=(
            re.compile(
                rf"(?i:\b(?:answer|choice|option|letter)\b){_CLOSE}(?i:{copula}){_OPEN}\n?{_OPEN}{noun}{_OPEN}{letter}{_CLOSE}",
                re.MULTILINE,
            ),
            re.compile(rf"\\boxed\{{(?:\\text\{{)?(?P<letter>{capital})\}}"),
            re.compile(rf"(?i:\b{verb}\s){noun}{_OPEN}{letter}{_CLOSE}", re.MULTILINE),
            re.compile(
                rf"(?:^|(?<=[.!?:,]\s)|\b{named}){_OPEN}(?P<letter>{capital}){_CLOSE}\sis\s"
                r"(?:the\s|clearly\s|therefore\s)?(?:single\s)?"
                r"(?:correct|best|right|most appropriate|answer)\b",
                re.MULTILINE,
            ),
        ),
        alone=re.compile(
            rf"{_OPEN}{noun}{_OPEN}(?P<letter>{capital}){_CLOSE}"
            rf"(?:[.):,;]{_CLOSE}(?=\s|$)|\s[-–—](?=\s)|\s*$|(?=\s*\n)|(?=\s(?:because|since)\b))"
        ),
        marker=re.compile(rf"^[ \t>*_-]{{0,8}}\(?(?P<letter>{capital})[.):]", re.MULTILINE),
        rival=re.compile(
            rf"{_CLOSE}(?:"
            rf"\s?(?:/|,|or\b|and\b|&)\s?{noun}{_OPEN}{capital}(?![\w'’])"
            # ", or C", "? or C", "; C": "B, and C is wrong" goes on with a reason.
            rf"|[.,;?!]?\s?[-–—]?\s?(?:or|and|plus|versus|vs\.?)\s(?:also\s|possibly\s|perhaps\s|maybe\s)?"
            rf"{noun}{_OPEN}{capital}(?![\w'’])(?!\s\w)"
            rf"|\s?[;|+]\s?{noun}{_OPEN}{capital}(?![\w'’])(?!\s\w)"
            r")"
        ),
    )


def _letter(letters: str) -> str:
    """Return the pattern of a declared letter.

    "A" and "I" are words too, so nothing but a reason may go on after them; a small letter stands
    before a closing mark or the end.
    """
    words = "".join(letter for letter in letters if letter in "AI")
    plain = "".join(letter for letter in letters if letter not in "AI")
    forms = [rf"[{letters.lower()}](?=[.)\]\"'*}}]*\s*$)"]
    if plain:
        forms.append(rf"[{plain}](?![\w'’])")
    if words:
        forms.append(rf"[{words}](?![\w'’])(?!\s\w)|[{words}](?=\s(?:because|since|as|is)\b)")
    return f"(?P<letter>{'|'.join(forms)})"


def _alone(text: str, start: int, patterns: _Patterns) -> Iterator[Declared]:
    """Yield the letter that opens the text, then the one that opens its last line."""
    body = len(text) - len(text[start:].lstrip())
    last_line = text.rstrip().rfind("\n") + 1
    for position in (body, max(start, last_line)):
        found = patterns.alone.match(text, position)
        declared = _declared(found, patterns.rival) if found else None
        if declared:
            yield declared


def _declared(found: re.Match[str], rival: re.Pattern[str]) -> Declared | None:
    if rival.match(found.string, found.end("letter")):
        return None
    return Declared(found["letter"].upper(), Span(*found.span("letter")), Span(*found.span()))


def _restates_options(text: str, start: int, marker: re.Pattern[str]) -> bool:
    return len({found["letter"] for found in marker.finditer(text, start)}) > 1
