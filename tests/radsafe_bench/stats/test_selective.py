"""Coverage and risk, against delivering answers one by one."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.stats import coverage_risk, least_abstention


def test_risk_is_that_of_the_most_confident_answers() -> None:
    """Delivering the surest half of four answers delivers the surest two."""
    curve = coverage_risk([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])
    np.testing.assert_allclose([0, 1 / 2, 1 / 3, 1 / 2], curve.risk)
    assert pytest.approx((curve.risk_at(0.5), curve.aurc)) == (1 / 2, 1 / 3)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=5))
def test_equal_confidences_count_as_their_expectation(answers: list[tuple[int, bool]]) -> None:
    """Ties hold the mean over every order in which they could be delivered."""
    confidence, loss = zip(*answers, strict=True)
    orders = [
        np.cumsum([loss[place] for place in order]) / np.arange(1, len(answers) + 1)
        for order in permutations(range(len(answers)))
        if all(confidence[a] >= confidence[b] for a, b in pairwise(order))
    ]
    np.testing.assert_allclose(np.mean(orders, axis=0), coverage_risk(confidence, loss).risk)


def test_whole_coverage_has_the_whole_risk() -> None:
    """Holding nothing back leaves the plain error rate."""
    rng = np.random.default_rng(0)
    loss = rng.random(50) < 0.3
    assert float(loss.mean()) == pytest.approx(coverage_risk(rng.random(50), loss).risk_at(1.0))


@given(st.integers(1, 99), st.integers(0, 50))
def test_least_abstention_is_what_a_perfect_ranking_holds(errors: int, percent: int) -> None:
    """Holding errors only, risk falls to the target no sooner than the formula says."""
    target = percent / 100
    held = least_abstention(errors / 100, target)
    left = max(errors / 100 - held, 0) / (1 - held)
    assert left == pytest.approx(min(target, errors / 100), abs=1e-9)


def test_no_answers_are_refused() -> None:
    """An empty curve is an error."""
    with pytest.raises(ValueError, match="not empty"):
        coverage_risk([], [])
