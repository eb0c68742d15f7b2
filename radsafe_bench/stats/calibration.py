"""Whether confidence says how often answers are right: ECE with its null, smooth ECE, Brier score.

`confidence` holds probabilities in [0, 1], `correct` 0 or 1 (or booleans), one per answer.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft

from radsafe_bench.stats.arrays import Floats, Integers

BINS: Final = 10
_DRAWS: Final = 1000
_SEED: Final = 42
_MODES: Final = 1024
_BISECTIONS: Final = 25


class Reliability(NamedTuple):
    """Answers by bin of confidence: counts, mean confidence and accuracy (NaN where empty).

    `ece` is the mean gap weighted by counts, `mce` the largest one.
    """

    counts: Integers
    confidence: Floats
    accuracy: Floats
    ece: float
    mce: float


class EceNull(NamedTuple):
    """ECE of answers drawn from the confidences themselves: what perfect calibration shows here.

    `p_value` is the share of draws whose ECE reaches the observed one (with +1 in both counts).
    """

    mean: float
    upper95: float
    p_value: float


class Brier(NamedTuple):
    """`score` = `reliability` − `resolution` + `uncertainty` + `within_bins`."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> Reliability:
    """Bin answers by confidence, equal widths, lower edges closed and the last bin closed at 1.

    ECE after Naeini et al., AAAI 2015. Raises ValueError without any answer.
    """
    p, y = _pairs(confidence, correct)
    members = _membership(p, bins)
    counts = members.sum(axis=0)
    filled = np.maximum(counts, 1)
    mean_p, mean_y = p @ members / filled, y @ members / filled
    gap = np.abs(mean_p - mean_y)
    empty = counts == 0
    return Reliability(
        counts=counts.astype(int),
        confidence=np.where(empty, np.nan, mean_p),
        accuracy=np.where(empty, np.nan, mean_y),
        ece=float(gap @ counts / p.size),
        mce=float(gap.max()),
    )


def ece_null(
    confidence: ArrayLike, correct: ArrayLike, clusters: ArrayLike | None = None, bins: int = BINS
) -> EceNull:
    """Judge an ECE against what a perfectly calibrated predictor with these confidences shows.

    Consistency resampling (Bröcker & Smith, Weather Forecast 2007;22:651), 1000 draws, seed 42. Answers of
    one cluster share their luck: how alike they really are is not known, and drawing them apart would call
    a perfect predictor miscalibrated up to three times in four where a question was asked six times.
    """
    p, y = _pairs(confidence, correct)
    members = _membership(p, bins)
    names = np.arange(p.size) if clusters is None else np.asarray(clusters)
    found, cluster = np.unique(names, return_inverse=True)
    drawn = np.random.default_rng(_SEED).random((_DRAWS, found.size))[:, cluster] < p
    null = np.abs((drawn - p) @ members).sum(axis=1) / p.size
    observed = float(np.abs((y - p) @ members).sum() / p.size)
    reached = int((null >= observed - 1e-12).sum())
    return EceNull(float(null.mean()), float(np.percentile(null, 95)), (reached + 1) / (_DRAWS + 1))


def smooth_ece(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Return the smooth calibration error: no bins, the kernel's width is the error itself.

    Błasiok & Nakkiran, ICLR 2024, definitions 2 and 3: residuals are smoothed by a Gaussian reflected
    at 0 and 1 (here by its cosine series, the heat kernel on the interval), and the width is the fixed
    point of width ↦ error.
    """
    p, y = _pairs(confidence, correct)
    order = np.arange(_MODES)
    coefficients = np.cos(np.pi * np.outer(order, p)) @ (y - p) / p.size
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        width = (low + high) / 2
        damped = coefficients * np.exp(-0.5 * (np.pi * order * width) ** 2)
        error = float(np.abs(np.asarray(fft.dct(damped, type=3))).mean())
        low, high = (width, high) if error > width else (low, width)
    return (low + high) / 2


def brier(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> Brier:
    """Return the mean squared error of the confidences, and its parts by bin.

    Murphy, J Appl Meteorol 1973;12:595, with the two terms of Stephenson et al. (Weather Forecast
    2008;23:752) summed in `within_bins`, without which the parts do not add up for binned confidences.
    """
    p, y = _pairs(confidence, correct)
    members = _membership(p, bins)
    counts = members.sum(axis=0)
    filled = np.maximum(counts, 1)
    mean_p, mean_y = p @ members / filled, y @ members / filled
    inner_p, inner_y = p - members @ mean_p, y - members @ mean_y
    return Brier(
        score=float(np.mean((p - y) ** 2)),
        reliability=float((mean_p - mean_y) ** 2 @ counts / p.size),
        resolution=float((mean_y - y.mean()) ** 2 @ counts / p.size),
        uncertainty=float(y.mean() * (1 - y.mean())),
        within_bins=float(np.mean(inner_p**2 - 2 * inner_p * inner_y)),
    )


def bin_of(confidence: Floats, bins: int = BINS) -> Integers:
    """Return each confidence's bin, 0 to bins − 1."""
    return np.digitize(confidence, np.arange(1, bins) / bins)


def _membership(confidence: Floats, bins: int) -> Floats:
    """Return a 0/1 matrix, answers by bins."""
    return np.asarray(bin_of(confidence, bins)[:, None] == np.arange(bins), float)


def _pairs(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    p, y = np.asarray(confidence, float), np.asarray(correct, float)
    if p.size == 0 or p.shape != y.shape or p.ndim != 1:
        raise ValueError("confidence and correctness must be equally long and not empty")
    return p, y
