"""The options of a multiple-choice question: given beside the messages, or found in the text."""

import re
from collections.abc import Mapping
from typing import Any, Final

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import JsonObject, Option, Span

MAX_OPTIONS: Final = 26
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARK: Final = r"(?:\((?P<round>[A-Z])\)|(?P<letter>[A-Z])(?P<sign>[.):]))\**(?=\s)[ \t]*"
_FIRST: Final = ("A.", "A)", "A:")
"""How the first of all options is marked."""
_LINES: Final = re.compile(rf"^[ \t>*_•-]{{0,8}}{_MARK}", re.MULTILINE)
_RUNS: Final = re.compile(rf"(?:^|(?<=[\s;,]))\**{_MARK}", re.MULTILINE)
_END: Final = re.compile(r"\n(?=\s*\n|[ \t]*[^a-z\s])|$(?![\s\S])")


def given_options(body: JsonObject) -> tuple[Option, ...]:
    """Read `options` beside the messages: `[{letter, text}]`, `{A: text}` or a list of strings.

    Raises InvalidRequest where it is none of these, or letters repeat.
    """
    value = body.get("options")
    if value is None:
        return ()
    items = list(value.items()) if isinstance(value, Mapping) else _items(value)
    options = tuple(_option(letter, text) for letter, text in items)
    if len({option.letter for option in options}) != len(options) or not 2 <= len(options) <= MAX_OPTIONS:
        raise InvalidRequest(f"Send 2 to {MAX_OPTIONS} options, each letter once.", param="options")
    return options


def _items(value: object) -> list[tuple[Any, Any]]:
    if not isinstance(value, list) or len(value) > MAX_OPTIONS:
        raise InvalidRequest("Send options as a list or an object of letters and texts.", param="options")
    return [
        (item.get("letter"), item.get("text")) if isinstance(item, Mapping) else (_LETTERS[position], item)
        for position, item in enumerate(value)
    ]


def _option(letter: object, text: object) -> Option:
    if not isinstance(letter, str) or len(letter) != 1 or letter.upper() not in _LETTERS:
        raise InvalidRequest("An option's letter is one of A to Z.", param="options")
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest("An option carries its text as a string.", param="options")
    return Option(letter.upper(), text.strip())


def find_options(text: str) -> tuple[tuple[Option, ...], Span]:
    """Return the options that a question lists, and the span they take up.

    They begin with A, follow in order, carry one kind of mark (`A.`, `A)`, `(A)`, `A:`) and stand on
    lines of their own or in one run; without at least two there are none, and the span is empty.
    """
    patterns = (_LINES, _RUNS) if any(mark in text for mark in _FIRST) else ()
    for pattern in patterns:
        marks = _longest_run(list(pattern.finditer(text)))
        if len(marks) > 1:
            return _between(text, marks)
    return (), Span(len(text), len(text))


def _longest_run(found: list[re.Match[str]]) -> list[re.Match[str]]:
    """Return the longest sequence A, B, C, … of one style; of equals the last."""
    best: list[re.Match[str]] = []
    run: list[re.Match[str]] = []
    for mark in found:
        if _letter(mark) == "A":
            run = [mark]
        elif (
            run
            and len(run) < MAX_OPTIONS
            and _letter(mark) == _LETTERS[len(run)]
            and mark["sign"] == run[0]["sign"]
        ):
            run.append(mark)
        if len(run) >= len(best):
            best = list(run)
    return best


def _letter(mark: re.Match[str]) -> str:
    return mark["round"] or mark["letter"]


def _between(text: str, marks: list[re.Match[str]]) -> tuple[tuple[Option, ...], Span]:
    last = _END.search(text, marks[-1].end())
    end = last.start() if last else len(text)
    stops = [mark.start() for mark in marks[1:]] + [end]
    options = tuple(
        Option(_letter(mark), text[mark.end() : stop].strip(" \t\r\n*_;,"))
        for mark, stop in zip(marks, stops, strict=True)
    )
    return options, Span(marks[0].start(), end)
