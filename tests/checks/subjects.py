"""Cases and answers to judge, built from their parts."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from gatekeeper.assessment import Finding, SignalValue, Subject
from gatekeeper.checks.base import Check
from gatekeeper.claims import read_claims, read_query
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Answer, Case, Conversation, Message, Part, Surface


def ask(question: str, evidence: Sequence[Any] = (), **body: Any) -> Case:
    """Return a case with one question, and evidence beside it."""
    messages = (Message("user", (Part(question, "/messages/0/content"),)),)
    conversation = Conversation(Surface.CHAT, "model", messages, {"evidence": list(evidence), **body})
    read = read_evidence(conversation, date(2026, 1, 1))
    return Case(conversation, read, read_query(conversation, read))


def answered(case: Case, answer: str | Answer) -> Subject:
    """Return the case with an answer to it, as a check reads it."""
    answer = Answer(0, answer) if isinstance(answer, str) else answer
    return Subject(case, answer, read_claims(answer, case.query, reasoning=True))


def run(check: Check, subject: Subject) -> list[Finding]:
    """Run a check on a subject."""
    return list(asyncio.run(_call(check, subject)))


async def _call(check: Check, subject: Subject) -> Sequence[Finding]:
    return await check(subject)


def signals(check: Check, subject: Subject) -> dict[str, SignalValue]:
    """Return the signals of a check by name."""
    return {one.detector: one.value for one in run(check, subject) if one.value is not None}
