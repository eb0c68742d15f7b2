"""Delivering every answer whose risk score is at most a threshold: counts from the strictest to the laxest.

Everything here takes the scores of all answers that no other rule holds, one per question, and whether
each would be an error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from radsafe_bench.stats import at_most_p_value, upper_bound
from radsafe_bench.stats.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class ThresholdPath:
    """Thresholds in rising order, one for each distinct score, and what each delivers.

    `delivered` and `events` include the answers that are delivered whatever the threshold. `asked` is
    the number of all questions.
    """

    thresholds: Floats
    delivered: Integers
    events: Integers
    asked: int

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        errors: ArrayLike,
        *,
        asked: int | None = None,
        always: int = 0,
        always_wrong: int = 0,
    ) -> "ThresholdPath":
        """Count along the scores; `asked` is their number unless given.

        `always` answers, `always_wrong` of them errors, are delivered at every threshold.
        """
        x, wrong = np.asarray(scores, float), np.asarray(errors, bool)
        thresholds, group = np.unique(x, return_inverse=True)
        delivered = np.cumsum(np.bincount(group, minlength=thresholds.size)) + always
        events = np.cumsum(np.bincount(group[wrong], minlength=thresholds.size)) + always_wrong
        return cls(thresholds, delivered.astype(int), events.astype(int), x.size if asked is None else asked)

    @property
    def coverage(self) -> Floats:
        """Share of all questions that get an answer."""
        return np.asarray(self.delivered / max(self.asked, 1))

    @property
    def risk(self) -> Floats:
        """Errors per delivered answer."""
        return np.asarray(self.events / np.maximum(self.delivered, 1))


def fewest_delivered(alpha: float, delta: float) -> int:
    """Return the number of deliveries below which not even a flawless record rejects "risk > alpha"."""
    return int(np.ceil(np.log(delta) / np.log1p(-alpha)))


def p_values(path: ThresholdPath, alpha: float) -> Floats:
    """Return P(Bin(delivered, alpha) ≤ events) at each threshold."""
    return at_most_p_value(path.events, path.delivered, alpha)


def fixed_sequence(p: Floats, delta: float, start: int) -> range:
    """Return the hypotheses rejected by testing in a fixed order from `start` to the first p > δ."""
    failing = np.flatnonzero(p[start:] > delta)
    return range(start, start + int(failing[0]) if failing.size else p.size)


def learn_then_test(path: ThresholdPath, alpha: float, delta: float) -> range:
    """Return the places of thresholds whose risk per delivered answer is at most alpha, at level delta.

    Angelopoulos, Bates, Candès, Jordan & Lei, "Learn then Test" (Ann Appl Stat 2025;19:1641), with
    fixed-sequence testing from strict to lax. The start is the strictest threshold that delivers enough
    to reject anything, so it depends on the scores alone. The guarantee is for scores that were fitted
    elsewhere.
    """
    start = int(np.searchsorted(path.delivered, fewest_delivered(alpha, delta)))
    return fixed_sequence(p_values(path, alpha), delta, start)


def selective_guaranteed_risk(path: ThresholdPath, alpha: float, delta: float) -> int | None:
    """Return the place of the laxest threshold that SGR finds, None where it finds none.

    Geifman & El-Yaniv, "Selective classification for deep neural networks" (NeurIPS 2017), algorithm 1:
    a binary search of ⌈log2 n⌉ steps, each with the exact binomial bound at δ / ⌈log2 n⌉.
    """
    low, high, found = 0, path.thresholds.size - 1, None
    steps = max(1, int(np.ceil(np.log2(max(path.thresholds.size, 2)))))
    for _ in range(steps):
        if low > high:
            break
        middle = (low + high + 1) // 2
        bound = upper_bound(path.events[middle], path.delivered[middle], 1 - delta / steps)
        if bound <= alpha:
            found, low = middle, middle + 1
        else:
            high = middle - 1
    return found


def conformal_risk_control(path: ThresholdPath, alpha: float) -> int | None:
    """Return the place of the laxest threshold with expected errors per question *asked* of at most alpha.

    Angelopoulos, Bates, Fisch, Lei & Schuster, "Conformal risk control" (ICLR 2024), equation 4, with
    the loss "delivered and wrong", which only grows with the threshold: (events + 1) / (n + 1) ≤ α. It
    is an expectation, not a bound, and dividing by questions asked makes it smaller than what users see.
    """
    within = np.flatnonzero((path.events + 1) / (path.asked + 1) <= alpha)
    return int(within[-1]) if within.size else None
