"""Evidence that stands inside the messages: tool results, tagged blocks, files."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from gatekeeper.claims.marks import TAGS
from gatekeeper.claims.sentences import trimmed
from gatekeeper.exchange import Conversation, Document, Message, Part, Span

_TAG: Final = re.compile(
    rf"<(?P<close>/)?(?P<name>{TAGS})(?P<attributes>\s[^<>]{{0,500}})?>",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"""\b(id|title|name|source)\s*=\s*["']([^"'<>]{1,200})["']""", re.IGNORECASE)


def tool_messages(conversation: Conversation) -> Iterable[Document]:
    """Yield what tools returned: every text of the messages with role `tool` or `function`."""
    for message in conversation.messages:
        if message.role in {"tool", "function"}:
            for part in message.parts:
                yield Document("", part.text, "tool_message", part.pointer, Span(0, len(part.text)))


def tagged(conversation: Conversation) -> Iterable[Document]:
    """Yield the innermost blocks such as `<context>` and `<document>` of the current messages."""
    for part, _ in current_parts(conversation):
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


def files(conversation: Conversation) -> Iterable[Document]:
    """Yield the texts of files that the user or the system attached, in whatever turn."""
    for message in conversation.messages:
        if message.role != "assistant":
            for part in message.parts:
                if part.kind == "file":
                    yield Document("", part.text, "file", part.pointer, Span(0, len(part.text)))


def current_parts(conversation: Conversation) -> Iterator[tuple[Part, bool]]:
    """Yield the texts of the current turn's user messages, then of every message of the application's own.

    The flag says that the question may not stand in the text: the application wrote it, or a later message of
    the user follows.
    """
    turn = current_turn(conversation)
    for message in turn:
        yield from ((part, message is not turn[-1]) for part in message.parts if part.kind == "text")
    for role in ("system", "developer"):
        for message in conversation.messages:
            if message.role == role:
                yield from ((part, True) for part in message.parts if part.kind == "text")


def current_turn(conversation: Conversation) -> list[Message]:
    """Return the last user messages that no answer and no tool result stands between, in order."""
    turn: list[Message] = []
    for message in reversed(conversation.messages):
        if message.role == "user":
            turn.append(message)
        elif turn and message.role not in ("system", "developer"):
            break
    return turn[::-1]


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
