"""The audit trail: a hash-chained log that proves what was decided, and on what."""

from gatekeeper.audit.log import DecisionLog, Head, verify
from gatekeeper.audit.record import record_of
from gatekeeper.audit.rotation import Rotation, SegmentedLog

__all__ = ["DecisionLog", "Head", "Rotation", "SegmentedLog", "record_of", "verify"]
