"""Where the evidence of a request is found, in order of precedence."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from gatekeeper.errors import InvalidRequest
from gatekeeper.evidence.fields import documents_field, evidence_field
from gatekeeper.evidence.frameworks import anything_llm, langchain, llama_index, open_webui
from gatekeeper.evidence.layouts import labelled, prompt_context
from gatekeeper.evidence.messages import files, tagged, tool_messages
from gatekeeper.exchange import Conversation, Document, Span

Extractor = Callable[[Conversation], Iterable[Document]]
"""Yields the Documents that one convention marks, in order; their ids may be empty or repeat."""

EXTRACTORS: Final[tuple[Extractor, ...]] = (
    documents_field,
    tool_messages,
    open_webui,
    anything_llm,
    llama_index,
    langchain,
    tagged,
    labelled,
    prompt_context,
    files,
)
"""Read together where the request has no `evidence` field of its own, which else stands alone.

Where two conventions mark the same stretch of text, it belongs to the one that stands first here.
"""

_NOTHING: Final = re.compile(
    r"(?:none|null|n/a|\[\]|(?:there (?:is|are) )?no (?:[a-z]+ ){0,3}"
    r"(?:documents?|passages?|context|results?|information|evidence|sources?|match(?:es)?)"
    r"(?: (?:was|were|is|are|could be))?(?: (?:found|available|retrieved|provided))?)[.!]?",
    re.IGNORECASE,
)
"""What applications write where they retrieved nothing."""
_LONGEST_NOTHING: Final = 80

MAX_DOCUMENTS: Final = 256
MAX_CHARACTERS: Final = 400_000


def find_documents(conversation: Conversation) -> tuple[Document, ...]:
    """Return the evidence of a request, equal texts once, every id set and unique.

    The user's own question, earlier assistant answers, and a text that says that nothing was found are
    never evidence. Raises InvalidRequest, naming the field, for malformed evidence, for more than
    MAX_DOCUMENTS or MAX_CHARACTERS, and for a client's argument that was sent as a field.
    """
    explicit = conversation.body.get("evidence") is not None
    extractors: tuple[Extractor, ...] = (evidence_field,) if explicit else EXTRACTORS
    found: dict[str, Document] = {}
    taken: dict[str, list[Span]] = {}
    characters = 0
    for document in _all(conversation, extractors):
        text = document.text.strip()
        if _says_nothing(text) or text in found or _overlaps(document.span, taken.get(document.pointer, ())):
            continue
        taken.setdefault(document.pointer, []).append(document.span)
        characters += len(text)
        if len(found) == MAX_DOCUMENTS or characters > MAX_CHARACTERS:
            limit = f"{MAX_DOCUMENTS} documents and {MAX_CHARACTERS} characters"
            field = document.pointer.split("/", 2)[1]
            raise InvalidRequest(f"Send at most {limit} of evidence.", param=field)
        found[text] = document
    if not found and "extra_body" in conversation.body:
        raise InvalidRequest(
            "extra_body is an argument of the Python client; put its fields into the body itself.",
            param="extra_body",
        )
    return tuple(_identified(found.values()))


def _all(conversation: Conversation, extractors: Iterable[Extractor]) -> Iterator[Document]:
    for extractor in extractors:
        yield from extractor(conversation)


def _says_nothing(text: str) -> bool:
    return not text or (len(text) <= _LONGEST_NOTHING and _NOTHING.fullmatch(text) is not None)


def _overlaps(span: Span, taken: Iterable[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in taken)


def _identified(documents: Iterable[Document]) -> list[Document]:
    """Name documents that have no id, and tell apart chunks that share their source's id."""
    taken: set[str] = set()
    identified: list[Document] = []
    for position, document in enumerate(documents):
        wanted = document.id or f"{document.extractor}-{position + 1}"
        unique, copy = wanted, 1
        while unique in taken:
            copy += 1
            unique = f"{wanted}#{copy}"
        taken.add(unique)
        identified.append(document if unique == document.id else document.named(unique))
    return identified
