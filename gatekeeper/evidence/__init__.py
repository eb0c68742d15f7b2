"""The evidence of a request: where it was found, its statements, its state. Pure."""

from gatekeeper.evidence.extractors import EXTRACTORS, Extractor, find_documents
from gatekeeper.evidence.reading import read_evidence
from gatekeeper.evidence.statements import Statement

__all__ = ["EXTRACTORS", "Extractor", "Statement", "find_documents", "read_evidence"]
