"""Evidence that retrieval frameworks write into prompts, known by the marks that each of them leaves.

Each reads the current messages of user and application. A mark that cannot be told from the user's own
words gives no evidence, so a question is never taken for its own proof.
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Final

from gatekeeper.claims.marks import questions
from gatekeeper.claims.sentences import trimmed
from gatekeeper.evidence.layouts import passages
from gatekeeper.evidence.messages import current_parts, tagged_blocks
from gatekeeper.exchange import Conversation, Document, Part, Span

_SOURCE: Final = re.compile(
    r'<source id="(?P<id>[^"\n]{1,200})"(?: name="(?P<name>[^"\n]{0,500})")?[^<>\n]{0,200}>'
    r"|(?P<end></source>)"
)
_CHUNK: Final = re.compile(r"\[(?P<end>END )?CONTEXT (?P<id>\d{1,6})\]:?")
_CHUNK_HEAD: Final = re.compile(
    r"\s*<document_metadata>\n(?:sourceDocument: (?P<title>[^\n]{1,500})\n)?"
    r"(?:[^<\n]{1,500}\n){0,8}</document_metadata>"
)

_RULE: Final = re.compile(r"^-{6,}(?=[ \t]*$)", re.MULTILINE)
_RELEVANT: Final = "relevant documents for the context:"
_NEW_CONTEXT: Final = "\nNew Context:"
_INSTRUCTION: Final = re.compile(r"^[ \t]*Instruction:", re.MULTILINE)

_RETRIEVED: Final = re.compile(
    r"\bpieces of (?:retrieved )?context\b|\bfollowing context(?=:[ \t]*$)", re.MULTILINE
)
_NAMED: Final = re.compile(r"\b(?:pieces of (?:retrieved )?|following |provided |retrieved )context\b")
_BEGINS: Final = re.compile(r":[ \t]*\n|\n[ \t]*\n|^-{6,}[ \t]*$", re.MULTILINE)
_CONTEXT: Final = re.compile(r"^[ \t]*(?:#+ ?|\*\*)?Context:(?:\*\*)?", re.MULTILINE | re.IGNORECASE)
_ANSWER: Final = re.compile(r"^[ \t]*(?:#+ ?|\*\*)?(?:Helpful |Final )?Answer:[*\s]*\Z", re.MULTILINE)
_ASKS: Final = re.compile(r"^[ \t]*(?:#+ ?|\*\*)?(?:Options|Answer):", re.MULTILINE | re.IGNORECASE)


def open_webui(conversation: Conversation) -> Iterable[Document]:
    """Yield Open WebUI's `<source id="1" name="…">…</source>`; chunks of one file share its id."""
    for part, _ in current_parts(conversation):
        for opening, span in _between(_SOURCE, part.text):
            name = opening["name"]
            yield _document(part, span, "open_webui", opening["id"], unescape(name) if name else None)


def anything_llm(conversation: Conversation) -> Iterable[Document]:
    """Yield AnythingLLM's `[CONTEXT 0]: … [END CONTEXT 0]`, each without the header of its metadata."""
    for part, _ in current_parts(conversation):
        for _, span in _between(_CHUNK, part.text):
            head = _CHUNK_HEAD.match(part.text, *span)
            start = head.end() if head else span.start
            title = head["title"] if head else None
            yield _document(part, trimmed(part.text, start, span.end), "anything_llm", title=title)


def llama_index(conversation: Conversation) -> Iterable[Document]:
    """Yield what LlamaIndex puts between two equal dashed lines after "… context … below", or names.

    Flowise leaves out "below", which is read in the application's own messages.
    """
    for part, closes in current_parts(conversation):
        for span in (
            *_ruled(part.text, "context" if closes else "below"),
            *_relevant(part.text),
            *_refining(part.text),
        ):
            if not _finer(span.of(part.text)):
                yield _document(part, span, "llama_index")


def langchain(conversation: Conversation) -> Iterable[Document]:
    """Yield what follows `Context:` or "pieces of retrieved context", up to the question."""
    for part, closes in current_parts(conversation):
        span = _retrieved(part.text, closes=closes)
        if span is not None and not _finer(span.of(part.text)):
            yield from passages(part, span, "langchain")


def _document(part: Part, span: Span, extractor: str, name: str = "", title: str | None = None) -> Document:
    return Document(name, span.of(part.text), extractor, part.pointer, span, title=title)


def _finer(text: str) -> bool:
    """Whether tags tell the documents apart inside a text; then those are read in its place."""
    return next(tagged_blocks(text), None) is not None or next(_between(_SOURCE, text), None) is not None


def _between(marks: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], Span]]:
    """Yield each opening mark that its closing mark follows with no other opening mark between them.

    An opening mark that a prompt only speaks of is thus passed over.
    """
    opening: re.Match[str] | None = None
    for mark in marks.finditer(text):
        if not mark["end"]:
            opening = mark
        elif opening is not None and mark["id"] in (None, opening["id"]):
            yield opening, trimmed(text, opening.end(), mark.start())
            opening = None


def _ruled(text: str, mark: str) -> Iterator[Span]:
    opening: re.Match[str] | None = None
    for rule in _RULE.finditer(text):
        if opening is None:
            before = text[max(0, rule.start() - 300) : rule.start()].rstrip().rpartition("\n")[2].lower()
            opening = rule if "context" in before and mark in before else None
        elif rule[0] == opening[0]:
            yield trimmed(text, opening.end(), rule.start())
            opening = None


def _relevant(text: str) -> Iterator[Span]:
    """Yield the documents of a chat engine's prompt, which its instruction follows."""
    begin = text.find(_RELEVANT)
    end = _INSTRUCTION.search(text, begin) if begin >= 0 else None
    if end is not None:
        yield trimmed(text, begin + len(_RELEVANT), end.start())


def _refining(text: str) -> Iterator[Span]:
    """Yield the passage that a chat model is to refine its answer with, which stands before the query."""
    begin = text.find(_NEW_CONTEXT)
    end = text.find("\nQuery:", begin)
    if 0 <= begin < end < text.find("\nOriginal Answer:", end):
        yield trimmed(text, begin + len(_NEW_CONTEXT), end)


def _retrieved(text: str, *, closes: bool) -> Span | None:
    """Return where the context stands; `closes` says that the end of the text may end it.

    In a user's message it may not: what follows could be the question. Several questions are a few-shot
    prompt, whose examples are no evidence.
    """
    asked = questions(text)
    if len(asked) > 1:
        return None
    question = asked[0].start() if asked else None
    labels = list(_CONTEXT.finditer(text))
    if labels and question is not None and question < labels[0].start():
        # A question may hold the word itself, so the last label is the prompt's own.
        start = labels[-1].end()
        answer = _ANSWER.search(text, start)
        return trimmed(text, start, answer.start() if answer else len(text))
    end = len(text) if question is None and closes else question
    if end is None:
        return None
    if labels:
        return _labelled(text, labels[0], end, asked=question is not None)
    named = _RETRIEVED.search(text, 0, end)
    begins = _BEGINS.search(text, named.end(), end) if named else None
    return trimmed(text, begins.end(), end) if begins else None


def _labelled(text: str, label: re.Match[str], end: int, *, asked: bool) -> Span | None:
    """Return the text after `Context:`, unless the message has the suite's form (`prompt_context`)."""
    first = not text[: label.start()].strip()
    if (first and _ASKS.search(text, end)) or not (asked or _NAMED.search(text, 0, label.start())):
        return None
    return trimmed(text, label.end(), end)
