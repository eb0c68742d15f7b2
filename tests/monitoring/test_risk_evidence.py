"""The e-process: false alarms as rare as promised, a crossed ceiling found soon."""

import itertools
from math import exp, isclose, log

import numpy as np
import pytest
from numpy.typing import NDArray

from gatekeeper.monitoring.risk.eprocess import SHARES, log_evidence

DELTA = 0.05


def first_alarm(risk: float, ceiling: float, labels: int, runs: int = 4000) -> NDArray[np.float64]:
    """Return after how many labels each of many runs first raises the alarm; infinity for never."""
    events = np.cumsum(np.random.default_rng(20_251).random((runs, labels)) < risk, axis=1)
    n = np.arange(1, labels + 1)
    bets = [events * np.log1p(share / ceiling - share) + (n - events) * np.log1p(-share) for share in SHARES]
    evidence = np.logaddexp.reduce(bets, axis=0) - log(len(SHARES))
    for run, count in (
        (0, 1),
        (1, labels // 2),
        (2, labels),
    ):  # the loop-free sum is the function that serves
        assert isclose(evidence[run, count - 1], log_evidence(int(events[run, count - 1]), count, ceiling))
    alarmed = evidence >= log(1 / DELTA)
    return np.where(alarmed.any(axis=1), alarmed.argmax(axis=1) + 1.0, np.inf)


@pytest.mark.parametrize("ceiling", [0.03, 0.05, 0.2])
def test_at_the_ceiling_long_runs_stay_silent(ceiling: float) -> None:
    """Of 4,000 runs of 2,000 labels right at the ceiling at least 95 % never raise the alarm."""
    assert np.isinf(first_alarm(ceiling, ceiling, 2000)).mean() >= 0.95


def test_a_threefold_risk_is_found_within_sixty_labels() -> None:
    """15 % where 5 % is promised is found within a median of 60 labels."""
    assert np.median(first_alarm(0.15, 0.05, 300)) <= 60


def test_the_order_of_labels_does_not_matter() -> None:
    """K is the mean over bets of the product over labels, in whatever order they come."""
    ceiling = 0.1
    for labels in itertools.permutations([1, 0, 0, 1, 0]):
        products = [1.0] * len(SHARES)
        for label in labels:
            products = [
                product * (1 + share / ceiling * (label - ceiling))
                for product, share in zip(products, SHARES, strict=True)
            ]
        assert isclose(exp(log_evidence(2, 5, ceiling)), sum(products) / len(SHARES))


def test_without_labels_there_is_no_evidence() -> None:
    """Before the first label K is 1."""
    assert log_evidence(0, 0, 0.05) == 0.0
