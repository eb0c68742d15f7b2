"""An anytime-valid test that a risk is above its ceiling.

For each label L ∈ {0, 1} a bet λ multiplies the evidence by 1 + λ(L − α), 0 ≤ λ < 1/α. While every
answer's risk, given the past, is at most the ceiling α, no bet gains on average, so the product is a
supermartingale and reaches 1/δ with probability at most δ, however often one looks (Ville 1939;
Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting").

The evidence K is the mean of several such products, each with a bet fixed beforehand, so it depends on the
counts of labels alone: whatever order workers add them in, they come to the same K.
"""

from collections.abc import Sequence
from math import exp, log, log1p
from typing import Final

SHARES: Final = (0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""The bets as shares of the largest one, 1/α: from small, for risks just above α, to bold."""


def log_evidence(events: int, labels: int, ceiling: float, shares: Sequence[float] = SHARES) -> float:
    """Return ln K after `labels` answers, of which `events` showed the risk; 0 before any label."""
    logs = [events * log1p(share / ceiling - share) + (labels - events) * log1p(-share) for share in shares]
    largest = max(logs)
    return largest + log(sum(exp(value - largest) for value in logs) / len(logs))
