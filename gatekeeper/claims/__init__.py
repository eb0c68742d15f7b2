"""From question and answer to checkable claims. Pure."""

from gatekeeper.claims.answer import read_claims
from gatekeeper.claims.letters import declared_letter
from gatekeeper.claims.query import read_query

__all__ = ["declared_letter", "read_claims", "read_query"]
