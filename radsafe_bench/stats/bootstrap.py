"""Resampling questions with replacement, as the published analysis does it.

Kept for comparability: exact intervals are in `radsafe_bench.stats.binomial`. A statistic that is a
ratio of sums over questions takes one matrix product for all resamples.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from radsafe_bench.stats.arrays import Floats
from radsafe_bench.stats.binomial import Interval

RESAMPLES: Final = 1000
SEED: Final = 42


@lru_cache(maxsize=8)
def resample_weights(n: int, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """Return how often each of n questions occurs in each resample, shape (resamples, n), rows sum to n.

    The same n always gives the same resamples, so that models and conditions are paired.
    """
    indices = np.random.default_rng(seed).integers(0, n, (resamples, n), dtype=np.int32)
    flat = (indices + n * np.arange(resamples)[:, None]).ravel()
    weights = np.bincount(flat, minlength=resamples * n).reshape(resamples, n).astype(float)
    weights.setflags(write=False)
    return weights


def resampled_means(values: Floats, included: Floats | None = None) -> Floats:
    """Return the mean of each column in each resample, shape (resamples, columns).

    `values` is (questions, columns); `included` (same shape, 0 or 1) says which questions a column's
    mean runs over. NaN where a resample holds none of them.
    """
    weights = resample_weights(len(values))
    if included is None:
        return weights @ values / len(values)
    total = weights @ included
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, (weights @ (values * included)) / total, np.nan)


def percentile_interval(distribution: Floats, confidence: float = 0.95) -> Interval:
    """Return the percentile interval over the first axis, leaving resamples without a value out."""
    tail = 50 - 50 * confidence
    defined = ~np.isnan(distribution).all(axis=0)
    known = np.where(defined, distribution, 0.0)
    lower, upper = np.nanpercentile(known, [tail, 100 - tail], axis=0)
    return Interval(np.where(defined, lower, np.nan), np.where(defined, upper, np.nan))
