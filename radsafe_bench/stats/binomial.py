"""Intervals, bounds and p-values of one binomial rate.

All functions take counts as scalars or arrays that broadcast, and return float arrays of that shape
(0-d for scalars). Rates and bounds are in [0, 1]. With n = 0 nothing is known: the bounds are 0 and 1.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from radsafe_bench.stats.arrays import Floats

Z95: Final = float(special.ndtri(0.975))
"""Two-sided 95 % quantile of the normal distribution."""


class Interval(NamedTuple):
    """Lower and upper end, arrays of one shape."""

    lower: Floats
    upper: Floats


def lower_bound(events: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Floats:
    """Return the one-sided Clopper-Pearson lower bound (Biometrika 1934;26:404)."""
    k, n = _counts(events, n)
    bound = special.betaincinv(np.maximum(k, 0.5), n - k + 1, 1 - confidence)
    return np.where(k == 0, 0.0, bound)


def upper_bound(events: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Floats:
    """Return the one-sided Clopper-Pearson upper bound: no event in n gives 1 − (1 − confidence)^(1/n)."""
    k, n = _counts(events, n)
    bound = special.betaincinv(k + 1, np.maximum(n - k, 0.5), confidence)
    return np.where(k == n, 1.0, bound)


def clopper_pearson(events: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the two-sided exact interval: both one-sided bounds at (1 + confidence) / 2."""
    each = (1 + confidence) / 2
    return Interval(lower_bound(events, n, each), upper_bound(events, n, each))


def wilson(share: ArrayLike, n: ArrayLike, z: float = Z95) -> Interval:
    """Return the score interval of a share observed in n trials (Wilson, JASA 1927;22:209)."""
    p, n = np.asarray(share, float), np.asarray(n, float)
    trials = np.maximum(n, 1)
    scale = 1 + z**2 / trials
    centre = (p + z**2 / (2 * trials)) / scale
    half = z * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2)) / scale
    lower, upper = np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)
    return Interval(np.where(n == 0, 0.0, lower), np.where(n == 0, 1.0, upper))


def at_most_p_value(events: ArrayLike, n: ArrayLike, rate: float) -> Floats:
    """Return P(Bin(n, rate) ≤ events): the p-value against "the rate is above `rate`"."""
    k, n = _counts(events, n)
    return np.asarray(special.betainc(np.maximum(n - k, 0.5), k + 1, 1 - rate) * (k < n) + (k == n), float)


def _counts(events: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as float arrays; ValueError unless 0 ≤ events ≤ n."""
    k, trials = np.broadcast_arrays(np.asarray(events, float), np.asarray(n, float))
    if np.any(k < 0) or np.any(k > trials):
        raise ValueError("there cannot be more events than trials, or fewer than none")
    return k, trials
