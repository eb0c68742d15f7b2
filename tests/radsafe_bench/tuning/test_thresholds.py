"""Promised risks hold at the promised rate, and a wrong bound would be noticed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from radsafe_bench.stats.arrays import Bools, Floats
from radsafe_bench.tuning import (
    ThresholdPath,
    conformal_risk_control,
    fewest_delivered,
    fixed_sequence,
    learn_then_test,
    p_values,
    selective_guaranteed_risk,
)

ALPHA, DELTA = 0.05, 0.1
QUESTIONS, REPEATS = 200, 2000
CHANCE = 3 * np.sqrt(DELTA * (1 - DELTA) / REPEATS)
"""Three standard errors of a share that is DELTA."""

Choose = Callable[[ThresholdPath], int | None]


class Truth(NamedTuple):
    """Answers with scores uniform on [0, 1]: P(error | score), and the risk of delivering up to t."""

    error: Callable[[Floats], Floats]
    risk: Callable[[Floats], Floats]


RANKED = Truth(lambda u: u**2 / 5, lambda t: t**2 / 15)
"""Scores that rank well: the risk reaches ALPHA where 87 % are delivered."""

BLIND = Truth(lambda u: np.full_like(u, ALPHA + 0.001), lambda t: np.where(t > 0, ALPHA + 0.001, 0.0))
"""Scores that say nothing, of a model that is just too risky: every threshold breaks the promise."""


def chosen(choose: Choose, truth: Truth, score: Callable[[Floats, Bools], Floats] = lambda u, _: u) -> Floats:
    """Return the threshold that a method chooses in each of many draws, 0 where it chooses none."""
    rng = np.random.default_rng(7)
    thresholds = np.zeros(REPEATS)
    for repeat in range(REPEATS):
        u = rng.random(QUESTIONS)
        wrong = rng.random(QUESTIONS) < truth.error(u)
        path = ThresholdPath.of(score(u, wrong), wrong)
        place = choose(path)
        thresholds[repeat] = 0.0 if place is None else path.thresholds[place]
    return np.minimum(thresholds, 1.0)


def broken(thresholds: Floats, truth: Truth) -> float:
    """Return how often the promise was broken: the true risk is above alpha."""
    return float(np.mean(truth.risk(thresholds) > ALPHA))


def by_learn_then_test(path: ThresholdPath) -> int | None:
    return max(learn_then_test(path, ALPHA, DELTA), default=None)


def by_sgr(path: ThresholdPath) -> int | None:
    return selective_guaranteed_risk(path, ALPHA, DELTA)


@pytest.mark.parametrize("choose", [by_learn_then_test, by_sgr])
@pytest.mark.parametrize("truth", [RANKED, BLIND], ids=["ranked", "blind"])
def test_the_promised_risk_holds_at_the_promised_rate(choose: Choose, truth: Truth) -> None:
    """Of 2,000 deployments tuned so, at most one in ten has a risk above five per cent."""
    assert broken(chosen(choose, truth), truth) <= DELTA + CHANCE


def test_scores_that_rank_well_are_rewarded() -> None:
    """The promise is not kept by delivering nothing."""
    learned, searched = chosen(by_learn_then_test, RANKED), chosen(by_sgr, RANKED)
    assert np.mean(learned > 0) > 0.8
    assert learned.mean() > searched.mean() > 0.1


def by_observed_risk(path: ThresholdPath) -> int | None:
    """Wrong: takes the observed risk for the true one."""
    return max(fixed_sequence(np.where(path.risk <= ALPHA, 0.0, 1.0), DELTA, 58), default=None)


def by_any_rejection(path: ThresholdPath) -> int | None:
    """Wrong: takes the laxest threshold that any single test rejects, without correction."""
    return max(np.flatnonzero(p_values(path, ALPHA) <= DELTA).tolist(), default=None)


@pytest.mark.parametrize(
    ("choose", "truth"), [(by_observed_risk, RANKED), (by_observed_risk, BLIND), (by_any_rejection, BLIND)]
)
def test_a_wrong_bound_is_caught(choose: Choose, truth: Truth) -> None:
    """The same experiment finds fault with methods that promise too much."""
    assert broken(chosen(choose, truth), truth) > DELTA + CHANCE


def test_scores_that_saw_the_answers_break_the_promise() -> None:
    """Fitting scores on the questions that are tested makes the test worthless."""
    memorised = chosen(by_learn_then_test, RANKED, lambda u, wrong: u + wrong)
    assert broken(memorised, RANKED) > 0.9


def test_conformal_risk_control_holds_on_average_per_question_asked() -> None:
    """The mean risk over all deployments stays within alpha, where alpha binds."""
    alpha = 0.03
    thresholds = chosen(lambda path: conformal_risk_control(path, alpha), RANKED)
    risks = thresholds * RANKED.risk(thresholds)
    assert risks.mean() <= alpha + 3 * risks.std() / np.sqrt(REPEATS)
    assert risks.mean() > alpha / 2


@pytest.mark.parametrize(("alpha", "delta", "n"), [(0.05, 0.05, 59), (0.02, 0.05, 149), (0.1, 0.1, 22)])
def test_fewest_deliveries(alpha: float, delta: float, n: int) -> None:
    """Fewer flawless deliveries cannot reject, so many can."""
    assert fewest_delivered(alpha, delta) == n
    flawless = ThresholdPath.of(np.arange(n) / n, np.zeros(n))
    p = p_values(flawless, alpha)
    assert p[-1] <= delta < p[-2]


def test_the_start_depends_on_scores_alone() -> None:
    """Errors among the safest answers do not move where testing begins."""
    scores = np.arange(200) / 200
    calm, wild = np.zeros(200, bool), np.zeros(200, bool)
    wild[:20] = True
    assert learn_then_test(ThresholdPath.of(scores, calm), 0.05, 0.05) == range(58, 200)
    assert learn_then_test(ThresholdPath.of(scores, wild), 0.05, 0.05) == range(58, 58)


def test_testing_stops_at_the_first_threshold_that_does_not_hold() -> None:
    """A stretch that would pass again behind a failure is not reached."""
    p = np.array([0.9, 0.01, 0.02, 0.3, 0.01])
    assert fixed_sequence(p, 0.05, 1) == range(1, 3)
    assert fixed_sequence(p, 0.05, 5) == range(5, 5)


def test_equal_scores_are_delivered_together() -> None:
    """A threshold cannot tell answers with one score apart."""
    path = ThresholdPath.of([0.1, 0.1, 0.2], [True, False, False])
    assert path.thresholds.tolist() == [0.1, 0.2]
    assert path.delivered.tolist() == [2, 3]
    assert path.events.tolist() == [1, 1]


def test_answers_that_no_threshold_holds_count_everywhere() -> None:
    """What is delivered in any case is part of every risk."""
    path = ThresholdPath.of([0.1, 0.2], [False, False], asked=10, always=3, always_wrong=1)
    assert path.delivered.tolist() == [4, 5]
    assert path.risk.tolist() == [0.25, 0.2]
    assert path.coverage.tolist() == [0.4, 0.5]


def test_without_any_score_nothing_is_chosen() -> None:
    """A condition in which everything is held has no threshold."""
    empty = ThresholdPath.of([], [], asked=80)
    assert not learn_then_test(empty, 0.05, 0.05)
    assert selective_guaranteed_risk(empty, 0.05, 0.05) is None
    assert conformal_risk_control(empty, 0.05) is None
