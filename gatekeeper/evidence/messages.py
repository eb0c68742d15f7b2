"""Evidence that stands inside the messages: tool results, tagged blocks, the suite's prompt form, files."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from gatekeeper.claims.sentences import trimmed
from gatekeeper.exchange import Conversation, Document, Part, Span

_TAG: Final = re.compile(
    r"<(?P<close>/)?(?P<name>context|document|document_content)(?P<attributes>\s[^<>]{0,500})?>",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"""\b(id|title|name|source)\s*=\s*["']([^"'<>]{1,200})["']""", re.IGNORECASE)
_QUESTION: Final = re.compile(r"^[ \t]*(?:#+ ?|\*\*)?Question:", re.MULTILINE | re.IGNORECASE)
_ASKS: Final = re.compile(r"^[ \t]*(?:#+ ?|\*\*)?(?:Options|Answer):", re.MULTILINE | re.IGNORECASE)
_LABEL: Final = re.compile(
    r"\s*(?:#+ ?|\*\*)?(?:Context|Evidence|Documents?|Passages?):(?:\*\*)?", re.IGNORECASE
)


def tool_messages(conversation: Conversation) -> Iterable[Document]:
    """Yield what tools returned: every text of the messages with role `tool` or `function`."""
    for message in conversation.messages:
        if message.role in {"tool", "function"}:
            for part in message.parts:
                yield Document("", part.text, "tool_message", part.pointer, Span(0, len(part.text)))


def tagged(conversation: Conversation) -> Iterable[Document]:
    """Yield the innermost `<context>` and `<document>` blocks of the last user and system messages."""
    for part in last_parts(conversation, "user", "system", "developer"):
        for span, attributes in tagged_blocks(part.text):
            given = {key.lower(): value for key, value in _ATTRIBUTE.findall(attributes)}
            yield Document(
                id=given.get("id", ""),
                text=span.of(part.text),
                extractor="context_tag",
                pointer=part.pointer,
                span=span,
                title=given.get("title") or given.get("name"),
                source=given.get("source"),
            )


def prompt_context(conversation: Conversation) -> Iterable[Document]:
    """Yield the text before `Question:` where the last user message has the suite's form.

    The form is: context, blank line, `Question:`, `Options:`, `Answer:`. A message with several
    questions is a few-shot prompt, whose worked answers are no evidence.
    """
    for part in last_parts(conversation, "user"):
        questions = list(_QUESTION.finditer(part.text))
        if len(questions) != 1 or not _ASKS.search(part.text, questions[0].end()):
            continue
        if next(tagged_blocks(part.text), None) is not None:
            continue
        end = questions[0].start()
        label = _LABEL.match(part.text)
        start = label.end() if label else 0
        if start <= end and part.text[:end].rstrip(" \t").endswith("\n\n"):
            span = trimmed(part.text, start, end)
            yield Document("", span.of(part.text), "prompt_context", part.pointer, span)


def files(conversation: Conversation) -> Iterable[Document]:
    """Yield the texts of files that the user or the system attached, in whatever turn."""
    for message in conversation.messages:
        if message.role != "assistant":
            for part in message.parts:
                if part.kind == "file":
                    yield Document("", part.text, "file", part.pointer, Span(0, len(part.text)))


def last_parts(conversation: Conversation, *roles: str) -> Iterator[Part]:
    """Yield the text parts of the last message of each role."""
    for role in roles:
        last = next((message for message in reversed(conversation.messages) if message.role == role), None)
        if last is not None:
            yield from (part for part in last.parts if part.kind == "text")


def tagged_blocks(text: str) -> Iterator[tuple[Span, str]]:
    """Yield span and attributes of every tagged block that holds no other, in one pass."""
    opened: list[tuple[str, int, str]] = []
    depth: Counter[str] = Counter()
    last_block = -1
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        if not tag["close"]:
            opened.append((name, tag.end(), tag["attributes"] or ""))
            depth[name] += 1
            continue
        if not depth[name]:
            continue
        while True:
            opening, start, attributes = opened.pop()
            depth[opening] -= 1
            if opening == name:
                break
        if start > last_block:
            yield trimmed(text, start, tag.start()), attributes
            last_block = tag.start()
