"""Splitting text into sentences and list items with exact character spans.

Written here because the general splitters either lose offsets, load a model, or break at "vs. CT",
"≤ 3 mg. IV" and "1. Withhold": clinical text is abbreviations, decimals, rows and list markers.
"""

import re
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, final

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.exchange import Span

MAX_SENTENCE: Final = 2_000
"""Characters; longer stretches without an end are cut, so that every later step stays bounded."""


@final
@dataclass(slots=True, init=False)
class Sentence:
    """One sentence or list item; `lead` is the sentence or heading that opens its list, if any."""

    span: Final[Span]
    lead: Final[Span | None]

    def __init__(self, span: Span, lead: Span | None = None) -> None:
        self.span = span
        self.lead = lead


_MARKER: Final = re.compile(
    r"[ \t]*(?:(?P<heading>#{1,6})[ \t]+|(?P<item>[-*•–·‣][ \t]+|\(?\d{1,2}[.)][ \t]+|>[ \t]?))?"
)
_END: Final = re.compile(
    r"[.!?]+[\"'”’)\]*_]*(?:[ \t]*\[\d{1,3}(?:[,–-] ?\d{1,3})*\])*[ \t]+"
    r"(?=[\"'“‘(\[*_]{0,3}[A-Z0-9<>≤≥±~])"
)
_MARKS: Final = ".!?"
_CLOSING: Final = "\"'”’)]*_"
_GOING_ON: Final = ".!? \t["
"""What the pattern has between a mark with what closes it and the next sentence."""
_ABBREVIATIONS: Final = wordset(
    "approx ca cf dr e.g eg fig figs i.e ie incl inj max min mr mrs p.o i.v i.m s.c prof resp ref refs"
    " tab vol vs v viz wt"
)
_HANGING: Final = re.compile(
    r"(?:[,(]|\b(?:a|an|and|at|by|every|for|from|in|is|of|or|than|the|to|with|within))$"
)


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without the white space and emphasis marks at its ends."""
    while start < end and _is_margin(text, start):
        start += 1
    while end > start and _is_margin(text, end - 1):
        end -= 1
    return Span(start, end)


def _is_margin(text: str, place: int) -> bool:
    return text[place] == "*" or text[place] == "_" or text[place].isspace()


def sentences(text: str) -> list[Sentence]:
    """Return the sentences and list items of a text in order; spans never overlap."""
    found: list[Sentence] = []
    lead: Span | None = None
    heading: Span | None = None
    for start, end, kind in _blocks(text):
        if kind == "heading":
            heading = lead = trimmed(text, start, end)
            continue
        if kind == "text":
            lead = heading
        spans = _split(text, start, end)
        found += [Sentence(span, lead) for span in spans]
        if spans and (text[spans[-1].end - 1] == ":" or is_emphasised(text, spans[-1])):
            lead = spans[-1]
    return found


def is_emphasised(text: str, span: Span) -> bool:
    """Whether a stretch is all that its line holds, in bold letters: a heading, or as good as one."""
    if text[max(0, span.start - 2) : span.start] != "**" or text[span.end : span.end + 2] != "**":
        return False
    line = text.rfind("\n", 0, span.start) + 1
    return span.start - line == 2 and text[span.end + 2 : span.end + 3] in ("", "\n", " ", "\r")


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """Return stretches of text that no sentence crosses: headings, list items, rows, paragraphs."""
    blocks: list[tuple[int, int, str]] = []
    start = end = line = 0
    kind = ""
    while line < len(text):
        stop = text.find("\n", line)
        stop = len(text) if stop < 0 else stop
        content, found = _marked(text, line, stop)
        if content < stop:
            if kind and found == "text" and kind != "heading" and _wraps(text, end, line, content):
                end = stop
            else:
                if kind:
                    blocks.append((start, end, kind))
                start, end, kind = content, stop, found
        line = stop + 1
    if kind:
        blocks.append((start, end, kind))
    return blocks


def _marked(text: str, line: int, stop: int) -> tuple[int, str]:
    """Return where the content of a line begins, after its marker, and of what kind it is."""
    if text[line].isalnum() and not text[line].isdigit():
        return line, "text"  # no marker begins with a letter
    marker = _MARKER.match(text, line, stop)
    return (marker.end(), marker.lastgroup or "text") if marker else (line, "text")


def _wraps(text: str, end: int, line: int, content: int) -> bool:
    """Whether a line goes on with the sentence of the line that ends at `end`."""
    if line - end != 1:
        return False
    if _HANGING.search(text, max(0, end - 8), end):
        return True
    return text[content].islower() and text[end - 1] not in ".!?:;|"


def _split(text: str, start: int, end: int) -> list[Span]:
    spans: list[Span] = []
    begin = start
    for mark in _marks(text, start, end):
        following = _following(text, mark, end)
        if following and _ends_sentence(text, begin, mark):
            _add(spans, trimmed(text, begin, following))
            begin = following
    _add(spans, trimmed(text, begin, end))
    return spans


def _marks(text: str, start: int, end: int) -> list[int]:
    """Return where marks stand that may end a sentence: a search for each is faster than one for any."""
    found: list[int] = []
    for mark in _MARKS:
        place = text.find(mark, start, end)
        while place >= 0:
            found.append(place)
            place = text.find(mark, place + 1, end)
    found.sort()
    return found


def _following(text: str, mark: int, end: int) -> int:
    """Return where another sentence may begin after the mark, 0 where none does."""
    after = mark + 1
    if after == end or text[after].isalnum() or (mark > 0 and text[mark - 1] in _MARKS):
        return 0
    while after < end and text[after] in _CLOSING:
        after += 1
    first = after + 1
    if first < end and (text[first] == "(" or text[first] == '"'):
        first += 1
    if first < end and text[after] == " " and text[first] in ascii_uppercase:
        return after + 1  # as nearly all sentences end: the pattern need not be asked
    if after == end or text[after] not in _GOING_ON:
        return 0
    found = _END.match(text, mark, end)
    return found.end() if found else 0


def _ends_sentence(text: str, begin: int, stop: int) -> bool:
    """Whether the mark at `stop` ends a sentence: no abbreviation, and no marker such as "B."."""
    if text[stop] != ".":
        return True
    near = max(begin, stop - 12)
    start = max(text.rfind(" ", near, stop) + 1, near)
    start = max(text.rfind("(", start, stop) + 1, start)
    word = text[start:stop].strip("*_")
    if word.lower() in _ABBREVIATIONS:
        return word == "min" and text[max(near, start - 2) : start - 1].isdigit()  # "for 3 min. Then …"
    if len(word) != 1 and not word.isdigit():
        return True
    return start - begin >= 8 or text[begin:start].strip(" \t\n*_(") != ""


def _add(spans: list[Span], span: Span) -> None:
    if 0 < span.end - span.start <= MAX_SENTENCE:
        spans.append(span)
        return
    starts = range(span.start, span.end, MAX_SENTENCE)
    spans += [Span(start, min(start + MAX_SENTENCE, span.end)) for start in starts]
