"""What so many questions can show: power and smallest margins, by exact enumeration.

Rates, differences and margins are fractions: 0.04 is four points.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from radsafe_bench.stats.arrays import Floats
from radsafe_bench.stats.binomial import lower_bound
from radsafe_bench.stats.paired import tango_statistic

_BISECTIONS = 30


def non_inferiority_power(
    n: int, discordance: float, margin: float, difference: float = 0.0, confidence: float = 0.95
) -> float:
    """Return the probability that Tango's upper bound falls below the margin.

    `discordance` is the true share of pairs that differ, `difference` the true worsening.
    """
    gained, lost, probability = _paired_tables(n, discordance, difference)
    shown = tango_statistic(gained, lost, n, margin) < -special.ndtri(confidence)
    return float(probability[shown].sum())


def inferiority_power(
    n: int, discordance: float, margin: float, difference: float, confidence: float = 0.95
) -> float:
    """Return the probability that Tango's lower bound falls above the margin: the gate says fail."""
    gained, lost, probability = _paired_tables(n, discordance, difference)
    shown = tango_statistic(gained, lost, n, margin) > special.ndtri(confidence)
    return float(probability[shown].sum())


def smallest_margin(n: int, discordance: float, power: float = 0.8, confidence: float = 0.95) -> float:
    """Return the smallest margin at which non-inferiority is shown with `power` when truly equal."""
    return _smallest(lambda margin: non_inferiority_power(n, discordance, margin, 0.0, confidence), power)


def smallest_detectable_worsening(
    n: int, discordance: float, margin: float = 0.0, power: float = 0.8, confidence: float = 0.95
) -> float:
    """Return the smallest true worsening that is shown to exceed the margin with `power`.

    A worsening larger than `discordance` brings that many discordant pairs with it. 1 where even
    that is not enough.
    """
    return _smallest(
        lambda worse: inferiority_power(n, max(discordance, worse), margin, worse, confidence), power
    )


def smallest_detectable_rate(n: int, limit: float, power: float = 0.8, confidence: float = 0.95) -> float:
    """Return the smallest true rate whose lower bound exceeds the limit with `power`; 1 where none does."""
    failing = np.flatnonzero(lower_bound(np.arange(n + 1), n, confidence) > limit)
    if failing.size == 0:
        return 1.0
    return float(special.bdtri(float(failing[0] - 1), n, 1 - power)) if failing[0] > 0 else 0.0


def joint_power(powers: ArrayLike) -> float:
    """Return the power of passing every criterion, if they are independent (their product)."""
    return float(np.prod(np.asarray(powers, float)))


def _smallest(power_at: Callable[[float], float], power: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    return high


def _paired_tables(n: int, discordance: float, difference: float) -> tuple[Floats, Floats, Floats]:
    """Return every (gained, lost) that n pairs can show, and its probability."""
    if not abs(difference) <= discordance <= 1:
        raise ValueError("the discordance lies between the difference and 1")
    gained, lost = (side.astype(float) for side in np.tril_indices(n + 1))
    gained = gained - lost
    up, down = (discordance + difference) / 2, (discordance - difference) / 2
    concordant = n - gained - lost
    log_probability = (
        special.gammaln(n + 1)
        - special.gammaln(gained + 1)
        - special.gammaln(lost + 1)
        - special.gammaln(concordant + 1)
        + special.xlogy(gained, up)
        + special.xlogy(lost, down)
        + special.xlogy(concordant, 1 - discordance)
    )
    return gained, lost, np.exp(log_probability)
