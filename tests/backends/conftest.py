"""A fake model server, and cases to ask it."""

from collections.abc import Iterator
from typing import Any

import pytest

from gatekeeper.exchange import Case, Document, Evidence, EvidenceState, Option, Query, Span
from gatekeeper.wire.request import parse_chat
from tests.fake_upstream import FakeUpstream


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """Yield a fake model server on loopback."""
    with FakeUpstream() as server:
        yield server


def case(
    question: str = "Which side?",
    evidence: tuple[str, ...] = (),
    options: dict[str, str] | None = None,
    *,
    negated: bool = False,
    **fields: Any,
) -> Case:
    """Return a case as the gate reads it from a request."""
    body = {"model": "m", "messages": [{"role": "user", "content": question}], **fields}
    documents = tuple(
        Document(str(at), text, "evidence_field", f"/evidence/{at}", Span(0, len(text)))
        for at, text in enumerate(evidence)
    )
    state = EvidenceState.SUPPLIED if documents else EvidenceState.NONE
    choices = tuple(Option(letter, text) for letter, text in (options or {}).items())
    return Case(parse_chat(body), Evidence(documents, state), Query(question, choices, negated))
