"""Claims against evidence, slot by slot: numbers, sides, polarity, drugs, times, categories."""

from gatekeeper.checks.slots.check import Slots
from gatekeeper.checks.slots.comparison import Comparison, compare

__all__ = ["Comparison", "Slots", "compare"]
