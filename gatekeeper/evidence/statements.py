"""The statements of a document, each read once for every claim that will be compared with it."""

from functools import lru_cache
from typing import Final, final

from gatekeeper.checks.slots.reading import Reading, read
from gatekeeper.checks.slots.tokens import figures_of, outline
from gatekeeper.claims.sentences import sentences
from gatekeeper.claims.tables import table_rows
from gatekeeper.exchange import Document, Span

REMEMBERED: Final = 2048
"""Sentences of evidence whose reading is kept, in memory only: guideline passages recur in most requests."""

_NOTHING: Final[frozenset[str]] = frozenset()


@final
class Sentence:
    """A text read once: `outline` says what it speaks of, `reading` its clauses with their slots.

    Slots are read when the first claim on the same subject needs them.
    """

    __slots__ = ("_figures", "_reading", "outline", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.outline = outline(text)
        self._reading: Reading | None = None
        self._figures: frozenset[tuple[float, str]] | None = None

    @property
    def reading(self) -> Reading:
        """Its clauses with their slots."""
        if self._reading is None:
            self._reading = read(self.outline)
        return self._reading

    @property
    def figures(self) -> frozenset[tuple[float, str]]:
        """Its figures, each with the word after it."""
        if self._figures is None:
            self._figures = figures_of(self.outline.tokens)
        return self._figures


_sentence = lru_cache(maxsize=REMEMBERED)(Sentence)


@final
class _Course:
    """What the statements of one document name, in order."""

    __slots__ = ("_first", "_named")

    def __init__(self) -> None:
        self._named: list[frozenset[str]] = []
        self._first: dict[str, int] = {}

    def add(self, named: frozenset[str]) -> int:
        """Add what a statement names; return its place."""
        self._named.append(named)
        return len(self._named) - 1

    def first(self, concept: str) -> int:
        """Return the place of the first statement that names a concept, their number where none does."""
        known = self._first.get(concept)
        if known is not None:
            return known
        place = 0
        while place < len(self._named) and concept not in self._named[place]:
            place += 1
        self._first[concept] = place
        return place


@final
class Statement:
    """One sentence or row of a document. `span` are offsets into the document's text.

    The `text` of a table's row holds the heads of its columns too. `heading` names what the title,
    heading or sentence speaks of that it stands under.
    """

    __slots__ = ("_course", "_place", "document", "heading", "outline", "sentence", "span", "text")

    def __init__(
        self, document: str, span: Span, sentence: Sentence, heading: frozenset[str], course: _Course
    ) -> None:
        self.document = document
        self.span = span
        self.text = sentence.text
        self.sentence = sentence
        self.outline = sentence.outline
        self.heading = heading
        self._place = course.add(sentence.outline.named)
        self._course = course

    @property
    def reading(self) -> Reading:
        """Its clauses with their slots."""
        return self.sentence.reading

    def follows(self, concept: str) -> bool:
        """Whether an earlier statement of the document speaks of a concept that this one may leave out."""
        return self._course.first(concept) < self._place


def read_statements(document: Document) -> list[Statement]:
    """Return the statements of a document in order."""
    text, course = document.text, _Course()
    title = outline(document.title).named if document.title else _NOTHING
    rows = table_rows(text)
    headings: dict[int, frozenset[str]] = {}
    statements: list[Statement] = []
    for found in sentences(text):
        span, lead, heading = found.span, found.lead, title
        if lead is not None:
            if lead.start not in headings:
                headings[lead.start] = title | outline(lead.of(text)).named
            heading = headings[lead.start]
        sentence = _sentence(rows.get(span.start) or span.of(text))
        statements.append(Statement(document.id, span, sentence, heading, course))
    return statements
