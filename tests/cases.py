"""Exchanges in few words: a question, its evidence and an answer, read as the gate reads them."""

from datetime import date
from typing import Any

from gatekeeper.assessment import Subject
from gatekeeper.claims import read_claims, read_query
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Answer, Case, Conversation
from gatekeeper.wire.request import parse_chat

TODAY = date(2026, 6, 30)


def user(text: str, **body: Any) -> Conversation:
    """Return a conversation of one user message; `body` holds further fields of the request."""
    return parse_chat({"messages": [{"role": "user", "content": text}], **body})


def case(question: str, *evidence: str | dict[str, str], **body: Any) -> Case:
    """Return a question with its evidence, both read."""
    conversation = user(question, **{"evidence": list(evidence), **body})
    found = read_evidence(conversation, TODAY)
    return Case(conversation, found, read_query(conversation, found))


def subject(answer: Answer | str, question: str, *evidence: str | dict[str, str], **body: Any) -> Subject:
    """Return an answer with its claims, beside the question and the evidence."""
    asked = case(question, *evidence, **body)
    given = Answer(0, answer) if isinstance(answer, str) else answer
    return Subject(asked, given, read_claims(given, asked.query, reasoning=True))
