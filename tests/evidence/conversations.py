"""Conversations and request bodies for tests of the evidence."""

from datetime import date
from typing import Any

from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Conversation, Document, Evidence, Message, Part, Surface

TODAY = date(2026, 1, 1)


def converse(*turns: tuple[str, str], **body: Any) -> Conversation:
    """Return a conversation of (role, text) turns, with further fields in its body."""
    messages = [{"role": role, "content": text} for role, text in turns]
    return Conversation(
        Surface.CHAT,
        "model",
        tuple(
            Message(role, (Part(text, f"/messages/{at}/content"),)) for at, (role, text) in enumerate(turns)
        ),
        {"messages": messages, **body},
    )


def read(*turns: tuple[str, str], **body: Any) -> Evidence:
    """Return the evidence of such a conversation."""
    return read_evidence(converse(*turns, **body), TODAY)


def slice_of(conversation: Conversation, document: Document) -> str:
    """Return what stands in the request body at a document's pointer and span."""
    value: Any = conversation.body
    for key in document.pointer.split("/")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return str(value)[slice(*document.span)]
