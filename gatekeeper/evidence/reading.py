"""The Documents of a request, read once: their statements, state and conflicts."""

from collections.abc import Sequence
from datetime import date

from gatekeeper.evidence.conflicts import find_conflicts
from gatekeeper.evidence.extractors import find_documents
from gatekeeper.evidence.statements import Statement, read_statements
from gatekeeper.exchange import Conflict, Conversation, Document, Evidence, EvidenceState


def read_evidence(conversation: Conversation, today: date) -> Evidence:
    """Find and read the evidence of a request; `today` decides what has expired.

    A document is valid through its `expires` date. Where some have expired, only the others are
    read; where all have, they are still read, so that a contradiction is seen. Raises
    InvalidRequest, naming the field, for evidence that cannot be read.
    """
    documents = find_documents(conversation)
    current = [document for document in documents if not _expired(document, today)]
    statements: list[Statement] = []
    for document in current or documents:
        statements += read_statements(document)
    conflicts = find_conflicts(statements)
    state = _state(documents, current, conflicts)
    return Evidence(documents, state, tuple(statements), conflicts)


def _expired(document: Document, today: date) -> bool:
    return document.expires is not None and document.expires < today


def _state(
    documents: Sequence[Document], current: Sequence[Document], conflicts: Sequence[Conflict]
) -> EvidenceState:
    if not documents:
        return EvidenceState.NONE
    if conflicts:
        return EvidenceState.CONFLICTING
    return EvidenceState.SUPPLIED if current else EvidenceState.EXPIRED
