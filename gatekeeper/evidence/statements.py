"""The statements of a document, each read once for every claim that will be compared with it."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from gatekeeper.checks.slots.reading import Reading, read
from gatekeeper.checks.slots.tokens import outline
from gatekeeper.claims.sentences import sentences
from gatekeeper.claims.tables import table_rows
from gatekeeper.exchange import Document, Span

REMEMBERED: Final = 2048
"""Sentences of evidence whose reading is kept, in memory only: guideline passages recur in most requests."""


class Sentence:
    """A text read once: `outline` says what it speaks of, `reading` its clauses with their slots.

    Slots are read when the first claim on the same subject needs them.
    """

    __slots__ = ("_reading", "outline", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.outline = outline(text)
        self._reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """Its clauses with their slots."""
        if self._reading is None:
            self._reading = read(self.outline)
        return self._reading


_sentence = lru_cache(maxsize=REMEMBERED)(Sentence)


class Statement:
    """One sentence or row of a document. `span` are offsets into the document's text.

    The `text` of a table's row holds the heads of its columns too. `heading` names what the title,
    heading or sentence speaks of that it stands under.
    """

    __slots__ = ("_place", "_spoken", "document", "heading", "outline", "sentence", "span", "text")

    def __init__(
        self,
        document: str,
        span: Span,
        text: str,
        heading: frozenset[str],
        place: int,
        spoken: dict[str, int],
    ) -> None:
        self.document = document
        self.span = span
        self.text = text
        self.sentence = _sentence(text)
        self.outline = self.sentence.outline
        self.heading = heading
        self._place = place
        self._spoken = spoken
        for concept in self.outline.named:
            if concept not in spoken:
                spoken[concept] = place

    @property
    def reading(self) -> Reading:
        """Its clauses with their slots."""
        return self.sentence.reading

    def follows(self, concept: str) -> bool:
        """Whether an earlier statement of the document speaks of a concept that this one may leave out."""
        return self._spoken.get(concept, self._place) < self._place


def read_statements(document: Document) -> Iterator[Statement]:
    """Yield the statements of a document in order."""
    title = outline(document.title).named if document.title else frozenset()
    spoken: dict[str, int] = {}
    rows = table_rows(document.text)
    leads: dict[Span, frozenset[str]] = {}
    for place, sentence in enumerate(sentences(document.text)):
        heading = title
        if sentence.lead is not None:
            if sentence.lead not in leads:
                leads[sentence.lead] = title | outline(sentence.lead.of(document.text)).named
            heading = leads[sentence.lead]
        text = rows.get(sentence.span.start) or sentence.span.of(document.text)
        yield Statement(document.id, sentence.span, text, heading, place, spoken)
