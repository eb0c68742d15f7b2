"""Bounds of one rate, against published tables and sums of exact probabilities."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.stats import at_most_p_value, clopper_pearson, lower_bound, upper_bound, wilson

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def at_most(events: int, n: int, rate: float) -> float:
    """Sum P(Bin(n, rate) ≤ events) term by term."""
    return sum(comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(events + 1))


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (200, {0: 1.49, 1: 2.35, 2: 3.11, 5: 5.18}),
        (120, {0: 2.47, 1: 3.89, 2: 5.15}),
        (100, {0: 2.95, 1: 4.66, 2: 6.16}),
    ],
)
def test_bounds_printed_in_the_policy_guide(n: int, expected: dict[int, float]) -> None:
    """Ceilings that the documentation promises are the ones that the gate computes."""
    assert expected == {k: round(100 * float(upper_bound(k, n)), 2) for k in expected}


def test_one_percent_needs_299_questions() -> None:
    """A limit of 1 % cannot be certified with fewer than 299 questions, even without an event."""
    assert upper_bound(0, 298) > 0.01 > upper_bound(0, 299)


@pytest.mark.parametrize(
    ("events", "n", "exact", "score"),
    [
        (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
        (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1684), (0.0, 0.1611)),
        (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
    ],
)
def test_published_intervals(
    events: int, n: int, exact: tuple[float, float], score: tuple[float, float]
) -> None:
    """The examples of Newcombe, Stat Med 1998;17:857, table I."""
    assert exact == pytest.approx(tuple(map(float, clopper_pearson(events, n))), abs=5e-5)
    assert score == pytest.approx(tuple(map(float, wilson(events / n, n))), abs=5.1e-5)


@given(counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_bounds_leave_exactly_the_stated_tail(case: tuple[int, int], confidence: float) -> None:
    """At its bound a rate would show so few, or so many, events with the stated probability."""
    events, n = case
    upper, lower = float(upper_bound(events, n, confidence)), float(lower_bound(events, n, confidence))
    assert upper == 1.0 if events == n else 1 - confidence == pytest.approx(at_most(events, n, upper))
    assert lower == 0.0 if events == 0 else confidence == pytest.approx(at_most(events - 1, n, lower))


@given(st.floats(0.0, 1.0))
def test_exact_interval_covers_every_true_rate(rate: float) -> None:
    """Whatever the true rate, the 95 % interval holds it in at least 95 of 100 runs."""
    events = np.arange(31)
    lower, upper = clopper_pearson(events, 30)
    inside = (lower <= rate) & (rate <= upper)
    probability = [comb(30, k) * rate**k * (1 - rate) ** (30 - k) for k in range(31)]
    assert float(np.array(probability)[inside].sum()) >= 0.95 - 1e-9


@pytest.mark.parametrize("interval", [clopper_pearson, wilson])
def test_nothing_asked_bounds_nothing(interval: object) -> None:
    """Without questions the interval is everything, and no division fails."""
    lower, upper = interval(0, 0)  # type: ignore[operator]  # two functions of one shape
    assert (float(lower), float(upper)) == (0.0, 1.0)


@given(counts, st.floats(0.01, 0.99))
def test_p_value_is_the_binomial_tail(case: tuple[int, int], rate: float) -> None:
    """The p-value that threshold proposals rest on is the exact tail probability."""
    events, n = case
    assert at_most(events, n, rate) == pytest.approx(float(at_most_p_value(events, n, rate)), abs=1e-10)


@pytest.mark.parametrize(("rate", "fewest"), [(0.05, 59), (0.02, 149)])
def test_fewest_answers_that_can_prove_a_rate(rate: float, fewest: int) -> None:
    """59 clean answers prove 5 %, 149 prove 2 %; one less proves nothing."""
    assert at_most_p_value(0, fewest, rate) <= 0.05 < at_most_p_value(0, fewest - 1, rate)


def test_more_events_than_trials_are_refused() -> None:
    """A count that cannot be is an error, not a number."""
    with pytest.raises(ValueError, match="more events than trials"):
        upper_bound(3, 2)
