"""The statements of a document, each read once for every claim that will be compared with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gatekeeper.checks.slots.reading import Reading, read
from gatekeeper.claims.sentences import sentences
from gatekeeper.exchange import Document, Span


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence or row of a document. `span` are offsets into the document's text.

    `heading` holds the terms of the title, heading or sentence that it stands under, `before` those
    of the document up to it: what a sentence leaves out, the ones before it have named.
    """

    document: str
    span: Span
    text: str
    reading: Reading
    heading: Mapping[str, float]
    before: Mapping[str, float]


def read_statements(document: Document) -> Iterator[Statement]:
    """Yield the statements of a document in order."""
    title = read(document.title).terms if document.title else {}
    before: Mapping[str, float] = {}
    leads: dict[Span, Mapping[str, float]] = {}
    for sentence in sentences(document.text):
        text = document.text[slice(*sentence.span)]
        reading = read(text)
        heading = title
        if sentence.lead is not None:
            if sentence.lead not in leads:
                leads[sentence.lead] = {**title, **read(document.text[slice(*sentence.lead)]).terms}
            heading = leads[sentence.lead]
        yield Statement(document.id, sentence.span, text, reading, heading, before)
        before = {**before, **reading.terms}
