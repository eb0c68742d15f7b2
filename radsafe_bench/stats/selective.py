"""What holding back the least certain answers buys: risk against coverage."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radsafe_bench.stats.arrays import Floats


class CoverageRisk(NamedTuple):
    """Delivering the k most confident answers, k = 1 … n: coverage k / n, risk per delivered answer.

    `aurc` is the mean risk over k (Geifman et al., ICLR 2019).
    """

    coverage: Floats
    risk: Floats
    aurc: float

    def risk_at(self, coverage: float) -> float:
        """Return the risk at the smallest coverage on the curve that reaches `coverage`."""
        reached = int(np.searchsorted(self.coverage, coverage - 1e-12))
        return float(self.risk[min(reached, self.risk.size - 1)])


def coverage_risk(confidence: ArrayLike, loss: ArrayLike) -> CoverageRisk:
    """Return the curve of a loss in [0, 1] per answer.

    Within equal confidences the order is unknown, so each holds the mean loss of its group: the
    expectation over random orders. Raises ValueError without any answer.
    """
    x, values = np.asarray(confidence, float), np.asarray(loss, float)
    if x.size == 0 or x.shape != values.shape:
        raise ValueError("confidence and loss must be equally long and not empty")
    levels, group, sizes = np.unique(-x, return_inverse=True, return_counts=True)
    mean_loss = np.bincount(group, values, levels.size) / sizes
    delivered = np.arange(1, x.size + 1)
    risk = np.cumsum(np.repeat(mean_loss, sizes)) / delivered
    return CoverageRisk(delivered / x.size, risk, float(risk.mean()))


def least_abstention(risk: float, target: float) -> float:
    """Return the share that must be held so that `risk` falls to `target`, even with a perfect ranking."""
    return max(0.0, (risk - target) / (1 - target))
