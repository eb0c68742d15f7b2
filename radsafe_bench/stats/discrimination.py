"""Whether confidence tells right answers from wrong ones: AUROC and separation.

`clusters` names the question of each answer: several answers to one question are not independent.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from radsafe_bench.stats.arrays import Bools, Floats
from radsafe_bench.stats.binomial import Z95
from radsafe_bench.stats.bootstrap import percentile_interval, resample_weights


class Estimate(NamedTuple):
    """A value with its 95 % interval; NaN where it cannot be said."""

    value: float
    lower: float
    upper: float


def auroc(score: ArrayLike, positive: ArrayLike, clusters: ArrayLike | None = None) -> Estimate:
    """Return the probability that a positive answer scores above a negative one, ties counting half.

    Interval by Obuchowski's clustered variance (Biometrics 1997;53:567), which is DeLong's where every
    cluster has one answer. No interval (NaN) where the ranking is perfect or only one cluster holds
    positives or negatives: the method knows no variance there.
    """
    x, truth, cluster = _inputs(score, positive, clusters)
    hits, misses = x[truth], x[~truth]
    if hits.size == 0 or misses.size == 0:
        return Estimate(np.nan, np.nan, np.nan)
    ranks = rankdata(x)
    above = (ranks[truth] - rankdata(hits)) / misses.size
    below = 1 - (ranks[~truth] - rankdata(misses)) / hits.size
    value = float(above.mean())
    variance = _clustered_variance(above - value, below - value, cluster[truth], cluster[~truth])
    if not variance > 0:
        return Estimate(value, np.nan, np.nan)
    half = Z95 * np.sqrt(variance)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def auroc_resampled(score: ArrayLike, positive: ArrayLike, clusters: ArrayLike | None = None) -> Estimate:
    """Return the same area as `auroc` with a percentile interval over 1000 resamples of clusters.

    Resamples without positives or without negatives are left out. No interval (NaN) where the ranking
    is perfect: every resample would be.
    """
    x, truth, cluster = _inputs(score, positive, clusters)
    if truth.all() or not truth.any():
        return Estimate(np.nan, np.nan, np.nan)
    levels, level = np.unique(x, return_inverse=True)
    shape = (int(cluster.max()) + 1, levels.size)
    counts = [np.zeros(shape), np.zeros(shape)]
    for held, chosen in zip(counts, (truth, ~truth), strict=True):
        np.add.at(held, (cluster[chosen], level[chosen]), 1.0)
    value = float(_area(*(held.sum(axis=0, keepdims=True) for held in counts))[0])
    if value in {0.0, 1.0}:
        return Estimate(value, np.nan, np.nan)
    weights = resample_weights(shape[0])
    lower, upper = percentile_interval(_area(*(weights @ held for held in counts)))
    return Estimate(value, float(lower), float(upper))


def _area(positive: Floats, negative: Floats) -> Floats:
    """Return the area in each row from its counts of positives and negatives at rising scores."""
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (positive * below).sum(axis=1) / pairs, np.nan)


def separation(
    confidence: ArrayLike, correct: ArrayLike, harmful: ArrayLike, clusters: ArrayLike | None = None
) -> Estimate:
    """Return mean confidence of correct answers minus that of harmful errors, in percentage points.

    Meaningful for calibrated probabilities: rescaling inflates it. Interval by resampling clusters
    1000 times, percentiles. NaN without correct answers or without harmful ones.
    """
    x, right, cluster = _inputs(confidence, correct, clusters)
    wrong = np.asarray(harmful, bool)
    count = int(cluster.max()) + 1 if cluster.size else 0
    if not right.any() or not wrong.any():
        return Estimate(np.nan, np.nan, np.nan)
    weights = resample_weights(count)
    drawn = 100 * (_weighted_mean(weights, x, right, cluster) - _weighted_mean(weights, x, wrong, cluster))
    lower, upper = percentile_interval(drawn)
    return Estimate(100 * float(x[right].mean() - x[wrong].mean()), float(lower), float(upper))


def _weighted_mean(weights: Floats, x: Floats, chosen: Bools, cluster: NDArray[np.intp]) -> Floats:
    clusters = weights.shape[1]
    total = weights @ np.bincount(cluster[chosen], x[chosen], clusters)
    count = weights @ np.bincount(cluster[chosen], minlength=clusters)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)


def _clustered_variance(
    above: Floats, below: Floats, positive: NDArray[np.intp], negative: NDArray[np.intp]
) -> float:
    """Return the variance of the area from its centred components, summed within clusters."""
    clusters = int(max(positive.max(), negative.max())) + 1
    both, with_positive, with_negative = (
        int(np.unique(which).size) for which in (np.concatenate([positive, negative]), positive, negative)
    )
    if with_positive < 2 or with_negative < 2:
        return float("nan")
    up, down = np.bincount(positive, above, clusters), np.bincount(negative, below, clusters)
    m, n = above.size, below.size
    return float(
        with_positive / (with_positive - 1) * (up @ up) / m**2
        + with_negative / (with_negative - 1) * (down @ down) / n**2
        + 2 * both / (both - 1) * (up @ down) / (m * n)
    )


def _inputs(
    score: ArrayLike, positive: ArrayLike, clusters: ArrayLike | None
) -> tuple[Floats, Bools, NDArray[np.intp]]:
    x, truth = np.asarray(score, float), np.asarray(positive, bool)
    if x.shape != truth.shape or x.ndim != 1:
        raise ValueError("scores and outcomes must be equally long")
    names = np.arange(x.size) if clusters is None else np.asarray(clusters)
    return x, truth, np.unique(names, return_inverse=True)[1]
