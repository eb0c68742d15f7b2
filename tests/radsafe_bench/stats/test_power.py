"""Power of the paired and the binomial criteria, against the printed figures and plain enumeration."""

from itertools import product
from math import comb, sqrt

import pytest

from radsafe_bench.stats import (
    inferiority_power,
    joint_power,
    lower_bound,
    mcnemar_exact,
    non_inferiority_power,
    smallest_detectable_rate,
    smallest_detectable_worsening,
    smallest_margin,
    tango_lower,
    tango_upper,
)


def trinomial(n: int, up: float, down: float) -> dict[tuple[int, int], float]:
    """List the probability of every (gained, lost)."""
    return {
        (b, c): comb(n, b) * comb(n - b, c) * up**b * down**c * (1 - up - down) ** (n - b - c)
        for b, c in product(range(n + 1), repeat=2)
        if b + c <= n
    }


@pytest.mark.parametrize(
    ("n", "printed"),
    [
        (200, {0.02: 0.035, 0.05: 0.045, 0.10: 0.06, 0.20: 0.085}),
        (120, {0.02: 0.045, 0.05: 0.06, 0.10: 0.08, 0.20: 0.105}),
    ],
)
def test_margins_printed_in_the_policy_guide(n: int, printed: dict[float, float]) -> None:
    """Each printed margin is the first half point with 80 % power when the two are equal."""
    for discordance, margin in printed.items():
        assert non_inferiority_power(n, discordance, margin) >= 0.8
        assert non_inferiority_power(n, discordance, margin - 0.005) < 0.8


def test_power_is_the_sum_over_all_tables() -> None:
    """Power agrees with asking Tango's bound about every table that can occur."""
    tables = trinomial(30, up=0.15, down=0.05)
    shown = sum(p for (b, c), p in tables.items() if tango_upper(b, c, 30) < 0.3)
    failed = sum(p for (b, c), p in tables.items() if tango_lower(b, c, 30) > 0.02)
    assert shown == pytest.approx(non_inferiority_power(30, 0.2, 0.3, difference=0.1))
    assert failed == pytest.approx(inferiority_power(30, 0.2, 0.02, difference=0.1))


def test_mcnemar_misses_a_three_point_worsening() -> None:
    """The two-sided test sees a true 3-point worsening about one time in five, so it is no pass rule."""
    tables = trinomial(200, up=0.065, down=0.035)
    likely = {table: p for table, p in tables.items() if p > 1e-12}
    seen = sum(p for (b, c), p in likely.items() if mcnemar_exact(b, c) <= 0.05)
    assert pytest.approx(seen, abs=0.01) == 0.20


def test_smallest_margin_is_where_power_begins() -> None:
    """A little below the smallest margin the power is short of 80 %."""
    margin = smallest_margin(120, 0.1)
    assert non_inferiority_power(120, 0.1, margin - 1e-6) < 0.8 <= non_inferiority_power(120, 0.1, margin)


def test_smallest_detectable_worsening_is_where_power_begins() -> None:
    """A smaller worsening is shown less often than promised."""
    worse = smallest_detectable_worsening(200, 0.1, margin=0.02)
    assert inferiority_power(200, 0.1, 0.02, worse - 1e-6) < 0.8 <= inferiority_power(200, 0.1, 0.02, worse)


def test_smallest_detectable_rate_by_enumeration() -> None:
    """At that rate the lower bound clears the limit four times in five."""
    rate, n, limit = smallest_detectable_rate(100, 0.05), 100, 0.05
    power = sum(
        comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1) if lower_bound(k, n) > limit
    )
    assert pytest.approx(power) == 0.8


def test_nothing_is_detectable_above_a_limit_of_one() -> None:
    """A limit that no count can exceed has no detectable rate below 1."""
    assert smallest_detectable_rate(5, 0.9) == 1.0


def test_joint_power_of_six_conditions() -> None:
    """Six criteria at 80 % pass together only about one time in four."""
    assert pytest.approx(joint_power([0.8] * 6)) == 0.8**6


def test_a_difference_needs_discordant_pairs() -> None:
    """A worsening larger than the discordance cannot be."""
    with pytest.raises(ValueError, match="discordance"):
        non_inferiority_power(50, 0.05, 0.1, difference=0.1)


def test_standard_error_matches_large_sample_theory() -> None:
    """For many pairs the smallest margin approaches (z₀.₉₅ + z₀.₈) · √(discordance / n)."""
    n, discordance = 1500, 0.2
    assert (1.645 + 0.842) * sqrt(discordance / n) == pytest.approx(smallest_margin(n, discordance), rel=0.02)
