"""Calibration errors, against slow references and predictors whose calibration is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from radsafe_bench.stats import brier, ece_null, reliability, smooth_ece

answers = st.lists(
    st.tuples(st.sampled_from([i / 20 for i in range(21)]), st.booleans()), min_size=1, max_size=80
)


def slow_ece(confidence: list[float], correct: list[bool]) -> tuple[float, float]:
    """Compute ECE and MCE bin by bin, the last bin closed."""
    total = largest = 0.0
    for low in range(10):
        inside = [
            (c, y)
            for c, y in zip(confidence, correct, strict=True)
            if low / 10 <= c < (low + 1) / 10 or (low == 9 and c == 1)
        ]
        if inside:
            gap = abs(sum(c for c, _ in inside) - sum(y for _, y in inside)) / len(inside)
            total += gap * len(inside) / len(confidence)
            largest = max(largest, gap)
    return total, largest


def smooth_error(confidence: np.ndarray, correct: np.ndarray, width: float) -> float:
    """Integrate the residual smoothed by a Gaussian whose tails are folded back at 0 and 1."""
    grid = (np.arange(4000) + 0.5) / 4000
    folded = np.zeros_like(grid)
    for p, y in zip(confidence, correct, strict=True):
        images = np.concatenate([2 * np.arange(-3, 4) + p, 2 * np.arange(-3, 4) - p])
        folded += (y - p) * stats.norm.pdf(grid[:, None], images, width).sum(axis=1)
    return float(np.abs(folded / confidence.size).mean())


@given(answers)
def test_ece_and_mce_bin_by_bin(pairs: list[tuple[float, bool]]) -> None:
    """Vectorised and slow binning agree, edges included."""
    confidence, correct = (list(column) for column in zip(*pairs, strict=True))
    bins = reliability(confidence, correct)
    assert slow_ece(confidence, correct) == pytest.approx((bins.ece, bins.mce))
    assert len(confidence) == int(bins.counts.sum())


def test_empty_bins_have_no_accuracy() -> None:
    """A reliability plot shows nothing where there is nothing."""
    bins = reliability([0.95, 1.0], [1, 0])
    assert np.isnan(bins.accuracy[:9]).all()
    assert bins.accuracy[9] == 0.5


@pytest.mark.parametrize(("n", "typical"), [(200, 0.060), (100, 0.084)])
def test_perfect_calibration_still_shows_an_ece(n: int, typical: float) -> None:
    """The null mean is about the figure that the documentation prints, well above 0."""
    rng = np.random.default_rng(3)
    confidence = rng.beta(3, 1.2, n)
    null = ece_null(confidence, rng.random(n) < confidence)
    assert typical == pytest.approx(null.mean, abs=0.008)


def test_null_tells_calibrated_from_overconfident() -> None:
    """A calibrated predictor is rejected about one time in twenty, an overconfident one always."""
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(200):
        x = rng.beta(3, 1.2, 200)
        p_values.append(ece_null(x, rng.random(200) < x).p_value)
    assert pytest.approx(np.mean(np.array(p_values) <= 0.05), abs=0.04) == 0.05
    x = rng.beta(3, 1.2, 200)
    assert ece_null(np.minimum(1, x + 0.2), rng.random(200) < x).p_value <= 0.002


def test_null_does_not_take_a_question_asked_twice_for_two() -> None:
    """Answers that are right or wrong together do not make a calibrated predictor look miscalibrated."""
    rng = np.random.default_rng(2)
    question = np.repeat(np.arange(80), 4)
    together, apart = [], []
    for _ in range(60):
        x = np.repeat(rng.beta(3, 1.2, 80), 4)
        correct = rng.random(80)[question] < x
        together.append(ece_null(x, correct, question).p_value)
        apart.append(ece_null(x, correct).p_value)
    assert np.mean(np.array(apart) <= 0.05) > 0.4
    assert np.mean(np.array(together) <= 0.05) < 0.15


def test_null_of_one_answer_a_question_is_the_plain_one() -> None:
    """Naming the questions changes nothing where each has one answer."""
    rng = np.random.default_rng(4)
    x = rng.random(50)
    assert ece_null(x, x > 0.4, np.arange(50)) == ece_null(x, x > 0.4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_smooth_ece_is_the_fixed_point(seed: int) -> None:
    """Smoothed with a kernel as wide as the error, the residuals integrate to the error."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1, 150)
    correct = (rng.random(150) < confidence - 0.1).astype(float)
    error = smooth_ece(confidence, correct)
    assert error == pytest.approx(smooth_error(confidence, correct, error), abs=2e-4)


def test_smooth_ece_of_a_constant_is_its_bias() -> None:
    """A model that always says 0.9 and is right 60 % of the time is off by 0.3."""
    assert pytest.approx(smooth_ece([0.9] * 10, [1] * 6 + [0] * 4), abs=1e-3) == 0.3


def test_smooth_ece_vanishes_with_calibration() -> None:
    """Of many calibrated answers little error is left."""
    rng = np.random.default_rng(0)
    confidence = rng.random(20_000)
    assert smooth_ece(confidence, rng.random(20_000) < confidence) < 0.015


@given(answers)
def test_brier_parts_add_up(pairs: list[tuple[float, bool]]) -> None:
    """Score = reliability − resolution + uncertainty + within-bin terms, and the score is the mean square."""
    confidence, correct = np.array(pairs, float).T
    score, reliable, resolution, uncertainty, within = brier(confidence, correct)
    assert float(np.mean((confidence - correct) ** 2)) == pytest.approx(score)
    assert score == pytest.approx(reliable - resolution + uncertainty + within)


def test_brier_of_one_value_per_bin_is_murphys() -> None:
    """Where each bin holds one confidence the classic three parts suffice."""
    parts = brier([0.25] * 4 + [0.75] * 4, [0, 0, 0, 1, 1, 1, 1, 0])
    assert pytest.approx(tuple(parts)) == (0.1875, 0.0, 0.0625, 0.25, 0.0)


@pytest.mark.parametrize("statistic", [reliability, ece_null, smooth_ece, brier])
def test_no_answers_are_refused(statistic: object) -> None:
    """Nothing to judge is an error, not a perfect score."""
    with pytest.raises(ValueError, match="not empty"):
        statistic([], [])  # type: ignore[operator]  # four functions of one shape
