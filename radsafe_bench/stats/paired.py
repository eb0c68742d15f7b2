"""Two answers to the same questions: McNemar's test, Tango's interval, Holm's correction.

Counts are those of a paired table: `gained` has the event in the candidate only, `lost` in the
baseline only, n is the number of pairs. The difference is (gained − lost) / n, candidate minus
baseline, in [−1, 1]. Counts may be arrays that broadcast.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from radsafe_bench.stats.arrays import Floats
from radsafe_bench.stats.binomial import Interval

_BISECTIONS = 60


def mcnemar_exact(gained: ArrayLike, lost: ArrayLike) -> Floats:
    """Return the two-sided exact p-value: twice the smaller binomial tail at 1/2, at most 1.

    McNemar, Psychometrika 1947;12:153. Not significant is not the same as equal: use Tango's bound
    to claim that.
    """
    b, c = np.broadcast_arrays(np.asarray(gained), np.asarray(lost))
    smaller_tail = special.bdtr(np.minimum(b, c).astype(float), b + c, 0.5)
    return np.asarray(np.minimum(1.0, 2 * smaller_tail))


def tango_statistic(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, difference: ArrayLike) -> Floats:
    """Return the score statistic of "the true difference is `difference`", standard normal if it is.

    Tango, Stat Med 1998;17:891, equations 4 to 7. Falls as `difference` grows.
    """
    b, c, n, d = (np.asarray(value, float) for value in (gained, lost, n, difference))
    linear = -b - c + (2 * n - b + c) * d
    root = np.sqrt(np.maximum(linear**2 + 8 * n * c * d * (1 - d), 0.0))
    lost_share = np.maximum(root - linear, 0.0) / (4 * n)
    variance = np.maximum(n * (2 * lost_share + d * (1 - d)), 0.0)
    excess = b - c - n * d
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(excess == 0, 0.0, excess / np.sqrt(variance))


def tango_upper(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Floats:
    """Return the one-sided upper bound of the difference.

    The candidate is non-inferior at a margin when the bound of an event that is bad lies below it.
    """
    b, c, n = np.broadcast_arrays(*(np.asarray(value, float) for value in (gained, lost, n)))
    if np.any(n < 1) or np.any(b < 0) or np.any(c < 0) or np.any(b + c > n):
        raise ValueError("the discordant pairs must be part of at least one pair")
    limit = -special.ndtri(confidence)
    low, high = (b - c) / n, np.ones(n.shape)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        inside = tango_statistic(b, c, n, middle) >= limit
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.where(b - c == n, 1.0, high)


def tango_lower(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Floats:
    """Return the one-sided lower bound of the difference: the upper one of the table turned round."""
    return np.asarray(-tango_upper(lost, gained, n, confidence))


def tango_interval(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the two-sided score interval of the difference."""
    each = (1 + confidence) / 2
    return Interval(tango_lower(gained, lost, n, each), tango_upper(gained, lost, n, each))


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted for their number, in the order given (Holm, Scand J Stat 1979;6:65)."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
