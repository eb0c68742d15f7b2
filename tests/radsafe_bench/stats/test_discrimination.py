"""AUROC and separation, against counting pairs and closed forms."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from radsafe_bench.stats import auroc, separation

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=40)


@given(scored)
def test_area_is_the_share_of_ordered_pairs(pairs: list[tuple[int, bool]]) -> None:
    """A positive above a negative counts one, a tie one half."""
    hits, misses = ([x for x, truth in pairs if truth is kind] for kind in (True, False))
    assume(hits and misses)
    won = sum((x > y) + 0.5 * (x == y) for x in hits for y in misses) / (len(hits) * len(misses))
    score, positive = zip(*pairs, strict=True)
    assert won == pytest.approx(auroc(score, positive).value)


def delong_variance(hits: np.ndarray, misses: np.ndarray) -> float:
    """Compute DeLong's variance (Biometrics 1988;44:837) from the matrix of all pairs."""
    won = (hits[:, None] > misses) + 0.5 * (hits[:, None] == misses)
    return float(won.mean(axis=1).var(ddof=1) / hits.size + won.mean(axis=0).var(ddof=1) / misses.size)


def test_single_answers_have_delongs_interval() -> None:
    """Without clusters the half width is 1.96 of DeLong's standard errors."""
    rng = np.random.default_rng(0)
    score, positive = rng.normal(size=120), rng.random(120) < 0.7
    score = score + positive
    found = auroc(score, positive)
    half = 1.959964 * np.sqrt(delong_variance(score[positive], score[~positive]))
    assert (found.value - half, found.value + half) == pytest.approx((found.lower, found.upper), rel=2e-3)


def test_repeating_a_question_adds_no_certainty() -> None:
    """Twenty copies of each answer, clustered by question, leave the interval as it was."""
    rng = np.random.default_rng(1)
    score, positive = rng.normal(size=80), rng.random(80) < 0.5
    once = auroc(score, positive)
    clusters = np.repeat(np.arange(80), 20)
    repeated = auroc(np.repeat(score, 20), np.repeat(positive, 20), clusters)
    assert once == pytest.approx(repeated)
    unclustered = auroc(np.repeat(score, 20), np.repeat(positive, 20))
    assert repeated.upper - repeated.lower > 3 * (unclustered.upper - unclustered.lower)


def test_clustered_interval_holds_the_truth() -> None:
    """With answers that share their question's luck the 95 % interval covers about that often."""
    rng = np.random.default_rng(2)
    truth, covered = 0.7602, 0
    for _ in range(300):
        shared = np.repeat(rng.normal(size=60), 5)
        positive = rng.random(300) < 0.6
        score = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=300) + positive
        found = auroc(score, positive, np.repeat(np.arange(60), 5))
        covered += found.lower <= truth <= found.upper
    assert pytest.approx(covered / 300, abs=0.035) == 0.95


def test_no_interval_where_the_method_knows_none() -> None:
    """A perfect ranking has an area and no interval; one kind of answer alone has neither."""
    assert auroc([1, 2, 3, 4], [0, 0, 1, 1])[0] == 1.0
    assert np.isnan(auroc([1, 2, 3, 4], [0, 0, 1, 1]).lower)
    assert np.isnan(auroc([1, 2], [1, 1]).value)


def test_separation_of_a_calibrated_score() -> None:
    """On all errors it is Var(p) / (μ(1 − μ))."""
    rng = np.random.default_rng(0)
    p = rng.beta(3, 1, 200_000)
    correct = rng.random(200_000) < p
    found = 100 * (p[correct].mean() - p[~correct].mean())
    assert 100 * p.var() / (p.mean() * (1 - p.mean())) == pytest.approx(found, abs=0.3)
    assert found == pytest.approx(separation(p[:5000], correct[:5000], ~correct[:5000]).value, abs=3)


def test_separation_of_a_binary_verdict() -> None:
    """A verdict is worth its true-positive rate minus its false-positive rate."""
    verdict = np.array([1] * 8 + [0] * 2 + [1] * 1 + [0] * 9)
    correct = np.array([1] * 10 + [0] * 10, bool)
    assert pytest.approx(separation(verdict, correct, ~correct).value) == 70.0


def test_separation_resamples_questions() -> None:
    """Answers of one question stay together: copies leave the interval as wide as it was."""
    rng = np.random.default_rng(4)
    p = rng.random(60)
    correct = rng.random(60) < p
    once = separation(p, correct, ~correct)
    again = separation(
        np.repeat(p, 9), np.repeat(correct, 9), np.repeat(~correct, 9), np.repeat(np.arange(60), 9)
    )
    assert once == pytest.approx(again)


def test_no_separation_without_harmful_errors() -> None:
    """Nothing to compare with is no number."""
    assert np.isnan(separation([0.9, 0.8], [1, 1], [0, 0]).value)


def test_unequal_lengths_are_refused() -> None:
    """Scores and outcomes that do not belong together are an error."""
    with pytest.raises(ValueError, match="equally long"):
        auroc([1, 2, 3], [1, 0])
