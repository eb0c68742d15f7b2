"""What a running gate shows to the people who run it."""

from gatekeeper.monitoring.metrics import Metrics

__all__ = ["Metrics"]
