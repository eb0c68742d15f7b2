"""Splitting text into sentences and list items with exact character spans.

Written here because the general splitters either lose offsets, load a model, or break at "vs. CT",
"≤ 3 mg. IV" and "1. Withhold": clinical text is abbreviations, decimals, rows and list markers.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.exchange import Span

MAX_SENTENCE: Final = 2_000
"""Characters; longer stretches without an end are cut, so that every later step stays bounded."""


class Sentence(NamedTuple):
    """One sentence or list item; `lead` is the sentence or heading that opens its list, if any."""

    span: Span
    lead: Span | None = None


_LINE: Final = re.compile(r"[^\n]+")
_MARKER: Final = re.compile(
    r"[ \t]*(?:(?P<heading>#{1,6})[ \t]+|(?P<item>[-*•–·‣][ \t]+|\(?\d{1,2}[.)][ \t]+|>[ \t]?))?"
)
_END: Final = re.compile(
    r"[.!?](?<![.!?]{2})[.!?]*[\"'”’)\]*_]*(?:[ \t]*\[\d{1,3}(?:[,–-] ?\d{1,3})*\])*[ \t]+"
    r"(?=[\"'“‘(\[*_]{0,3}[A-Z0-9<>≤≥±~])"
)
_ABBREVIATIONS: Final = wordset(
    "approx ca cf dr e.g eg fig figs i.e ie incl inj max min mr mrs p.o i.v i.m s.c prof resp ref refs"
    " tab vol vs v viz wt"
)
_HANGING: Final = re.compile(
    r"(?:[,(]|\b(?:a|an|and|at|by|every|for|from|in|is|of|or|than|the|to|with|within))$"
)
_EMPHASIS: Final = "*_"


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without the white space and emphasis marks at its ends."""
    while start < end and (text[start].isspace() or text[start] in _EMPHASIS):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in _EMPHASIS):
        end -= 1
    return Span(start, end)


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
        if spans and text[spans[-1].end - 1] == ":":
            lead = spans[-1]
    return found


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield stretches of text that no sentence crosses: headings, list items, rows, paragraphs."""
    start = end = 0
    kind = ""
    for line in _LINE.finditer(text):
        marker = _MARKER.match(text, line.start(), line.end())
        content = marker.end() if marker else line.start()
        if content == line.end():
            continue
        found = (marker and marker.lastgroup) or "text"
        if kind and found == "text" and kind != "heading" and _wraps(text, end, line.start(), content):
            end = line.end()
            continue
        if kind:
            yield start, end, kind
        start, end, kind = content, line.end(), found
    if kind:
        yield start, end, kind


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
    for stop in _END.finditer(text, start, end):
        if _ends_sentence(text, begin, stop.start()):
            spans += _bounded(trimmed(text, begin, stop.end()))
            begin = stop.end()
    spans += _bounded(trimmed(text, begin, end))
    return spans


def _ends_sentence(text: str, begin: int, stop: int) -> bool:
    """Whether the mark at `stop` ends a sentence: no abbreviation, and no marker such as "B."."""
    if text[stop] != ".":
        return True
    near = max(begin, stop - 12)
    word_start = max(text.rfind(" ", near, stop), text.rfind("(", near, stop), near - 1) + 1
    word = text[word_start:stop].strip("*_")
    if word.lower() in _ABBREVIATIONS:
        return False
    opens = word_start - begin < 8 and not text[begin:word_start].strip(" \t\n*_(")
    return not (opens and (len(word) == 1 or word.isdigit()))


def _bounded(span: Span) -> list[Span]:
    if 0 < span.end - span.start <= MAX_SENTENCE:
        return [span]
    starts = range(span.start, span.end, MAX_SENTENCE)
    return [Span(start, min(start + MAX_SENTENCE, span.end)) for start in starts]
