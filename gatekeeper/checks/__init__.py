"""What judges an answer: each check reads one and returns findings. Pure, unless it asks a model."""

from gatekeeper.checks.base import Check
from gatekeeper.checks.confidence import Confidence
from gatekeeper.checks.hedging import Hedging
from gatekeeper.checks.slots import Slots
from gatekeeper.checks.triage import Triage

__all__ = ["Check", "Confidence", "Hedging", "Slots", "Triage"]
