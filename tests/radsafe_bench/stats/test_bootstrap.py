"""Resampling of questions, against resampling by plain indexing."""

import numpy as np

from radsafe_bench.stats import percentile_interval, resample_weights, resampled_means


def test_resamples_are_the_published_ones() -> None:
    """Weights are the counts of the indices that the published analysis draws."""
    indices = np.random.default_rng(42).integers(0, 37, (1000, 37), dtype=np.int32)
    expected = np.array([np.bincount(row, minlength=37) for row in indices])
    np.testing.assert_array_equal(expected, resample_weights(37))


def test_means_are_those_of_the_resampled_questions() -> None:
    """Matrix product and indexing give the same means, also of part of the questions."""
    rng = np.random.default_rng(0)
    values, included = rng.random((50, 2)), rng.random((50, 2)) < 0.5
    indices = np.random.default_rng(42).integers(0, 50, (1000, 50), dtype=np.int32)
    everything = np.array([values[row].mean(axis=0) for row in indices])
    part = np.array([[values[row, c][included[row, c]].mean() for c in (0, 1)] for row in indices])
    np.testing.assert_allclose(everything, resampled_means(values))
    np.testing.assert_allclose(part, resampled_means(values, included.astype(float)))


def test_interval_is_the_percentiles() -> None:
    """The interval is cut at 2.5 and 97.5 %."""
    lower, upper = percentile_interval(np.arange(1001.0))
    assert (float(lower), float(upper)) == (25.0, 975.0)


def test_resamples_without_the_event_are_left_out() -> None:
    """A mean over no question is no number, and a column of those has no interval."""
    values, included = np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    lower, upper = percentile_interval(resampled_means(values, included))
    np.testing.assert_array_equal([1.0, np.nan], lower)
    np.testing.assert_array_equal([1.0, np.nan], upper)
