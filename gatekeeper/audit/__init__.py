"""The audit trail: a hash-chained log that proves what was decided, and on what."""

from gatekeeper.audit.log import DecisionLog, Head, verify
from gatekeeper.audit.record import record_of

__all__ = ["DecisionLog", "Head", "record_of", "verify"]
