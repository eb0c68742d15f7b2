"""Paired comparisons, against published examples and a likelihood maximised numerically."""

from math import comb, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize

from radsafe_bench.stats import (
    holm,
    mcnemar_exact,
    tango_interval,
    tango_lower,
    tango_statistic,
    tango_upper,
)

tables = st.integers(5, 250).flatmap(
    lambda n: st.tuples(st.integers(0, n // 2), st.integers(0, n // 2), st.just(n))
)


def score_statistic(gained: int, lost: int, n: int, difference: float) -> float:
    """Compute the score statistic with the nuisance share found by maximising the likelihood."""

    def negative_log_likelihood(lost_share: float) -> float:
        shares = (lost_share + difference, lost_share, 1 - 2 * lost_share - difference)
        events = (gained, lost, n - gained - lost)
        return -sum(
            0 if not k else k * log(share) if share > 0 else -inf
            for k, share in zip(events, shares, strict=True)
        )

    found = optimize.minimize_scalar(
        negative_log_likelihood,
        bounds=(max(0.0, -difference), (1 - difference) / 2),
        method="bounded",
        options={"xatol": 1e-13},
    )
    lost_share = found.x
    variance = n * (2 * lost_share + difference * (1 - difference))
    return (gained - lost - n * difference) / sqrt(variance)


@pytest.mark.parametrize(
    ("gained", "lost", "n", "expected"),
    [(1, 7, 21, (-0.517, -0.026)), (6, 16, 161, (-0.124, -0.0054))],
)
def test_published_tango_intervals(gained: int, lost: int, n: int, expected: tuple[float, float]) -> None:
    """The two worked examples of Fagerland et al., Stat Med 2014;33:2850."""
    assert expected == pytest.approx(tuple(map(float, tango_interval(gained, lost, n))), abs=5e-4)


@given(tables, st.floats(-0.45, 0.45))
def test_statistic_maximises_the_constrained_likelihood(
    table: tuple[int, int, int], difference: float
) -> None:
    """Tango's closed form gives the score of the constrained maximum, found here numerically."""
    gained, lost, n = table
    assume(gained and lost and gained + lost < n)
    expected = score_statistic(gained, lost, n, difference)
    assert expected == pytest.approx(float(tango_statistic(gained, lost, n, difference)), abs=1e-3)


@given(tables, st.sampled_from([0.9, 0.95]))
def test_bounds_invert_the_statistic(table: tuple[int, int, int], confidence: float) -> None:
    """At its bound the difference is rejected exactly at the stated level."""
    gained, lost, n = table
    upper = float(tango_upper(gained, lost, n, confidence))
    assert -1 <= float(tango_lower(gained, lost, n, confidence)) <= (gained - lost) / n <= upper <= 1
    z = {0.9: 1.2815516, 0.95: 1.6448536}[confidence]
    assert -z == pytest.approx(float(tango_statistic(gained, lost, n, upper)), abs=1e-4)


@given(tables)
def test_turning_the_table_round_turns_the_interval_round(table: tuple[int, int, int]) -> None:
    """Swapping candidate and baseline changes the sign and nothing else."""
    gained, lost, n = table
    lower, upper = tango_interval(gained, lost, n)
    assert (-float(upper), -float(lower)) == pytest.approx(tuple(map(float, tango_interval(lost, gained, n))))


def test_no_discordant_pair_still_leaves_doubt() -> None:
    """200 equal answers bound the worsening at z² / (n + z²), not at nothing."""
    z = 1.6448536
    assert z**2 / (200 + z**2) == pytest.approx(float(tango_upper(0, 0, 200)))


def test_every_pair_discordant_one_way() -> None:
    """Where every pair got worse the upper bound is 1."""
    assert float(tango_upper(12, 0, 12)) == 1.0


def test_impossible_tables_are_refused() -> None:
    """More discordant pairs than pairs are an error."""
    with pytest.raises(ValueError, match="discordant pairs"):
        tango_upper(3, 3, 5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_doubled_binomial_tail(gained: int, lost: int) -> None:
    """The p-value is twice the smaller tail of a fair coin, at most 1."""
    n = gained + lost
    tail = sum(comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    assert min(1.0, 2 * tail) == pytest.approx(float(mcnemar_exact(gained, lost)))


def test_holm_worked_example() -> None:
    """Four p-values stepped down by hand: 4 × 0.005, 3 × 0.01, 2 × 0.03, then no smaller."""
    assert pytest.approx(list(holm([0.01, 0.04, 0.03, 0.005]))) == [0.03, 0.06, 0.06, 0.02]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_stepping_down_rejects(p_values: list[float]) -> None:
    """An adjusted p-value is at most α exactly where the step-down procedure rejects at α."""
    alpha = 0.05
    order = np.argsort(p_values, kind="stable")
    rejected = np.zeros(len(p_values), bool)
    for step, place in enumerate(order):
        if p_values[place] * (len(p_values) - step) > alpha:
            break
        rejected[place] = True
    assert list(rejected) == list(holm(p_values) <= alpha)
