"""Every statistic against the truth that simulated answers were drawn from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from radsafe_bench.scoring import AnswerKey, Answers, Scores, score
from radsafe_bench.scoring.rows import Row
from radsafe_bench.simulate import SimulatedModel, simulate
from radsafe_bench.stats import (
    auroc,
    brier,
    clopper_pearson,
    ece_null,
    mcnemar_exact,
    percentile_interval,
    resampled_means,
    separation,
    tango_interval,
)

ACCURACY, CONCENTRATION, SHARE = 0.8, 4.0, 0.4
A, B = ACCURACY * CONCENTRATION, (1 - ACCURACY) * CONCENTRATION
VARIANCE = ACCURACY * (1 - ACCURACY) / (CONCENTRATION + 1)


def model(name: str = "m", **changed: object) -> SimulatedModel:
    """Return a calibrated model."""
    options: dict[str, object] = {
        "accuracy": {"closed_book": ACCURACY},
        "high_risk_share": SHARE,
        "concentration": CONCENTRATION,
    }
    return SimulatedModel(name, **{**options, **changed})  # type: ignore[arg-type]  # each is named above


def scored(key: AnswerKey, *models: SimulatedModel, correlation: float = 0.0, seed: int = 0) -> Scores:
    """Simulate and score."""
    drawn = simulate(key, models, correlation=correlation, seed=seed)
    return score(key, [one.answers for one in drawn])


@pytest.fixture(scope="module")
def row(large_key: AnswerKey) -> Row:
    """Score one calibrated model over 4,000 questions."""
    return dict(scored(large_key, model(null_rate=0.05)).rows[0])


@pytest.mark.parametrize(
    ("metric", "truth"),
    [
        ("accuracy", 0.95 * ACCURACY),
        ("high_risk_error", 0.95 * (1 - ACCURACY) * SHARE),
        ("unparsed", 0.05),
        ("mean_sample_null", 0.05),
        ("mean_latency_s", 1.0),
        ("sd_latency_s", 1.0),
    ],
)
def test_rates_come_out(row: Row, metric: str, truth: float) -> None:
    """Over many questions each rate is the one that was put in."""
    assert row[metric] == pytest.approx(truth, abs=max(0.02, 0.06 * truth))


def test_robustness_is_the_expected_share_of_correct_samples(large_key: AnswerKey) -> None:
    """A right model samples its letter with probability x, a wrong one the correct letter now and then."""
    found = scored(large_key, model()).rows[0]["robustness"]
    spread = np.mean(1 / (large_key.options - 1.0))
    truth = (VARIANCE + ACCURACY**2) + spread * (1 - 2 * ACCURACY + VARIANCE + ACCURACY**2)
    assert found == pytest.approx(truth, abs=0.01)


def test_synchronized_failure_is_rare_for_unsure_models(large_key: AnswerKey) -> None:
    """All 20 samples agree on a wrong letter about as often as E[(1 − x) x²⁰]."""
    found = scored(large_key, model(concentration=1.0)).rows[0]["synchronized_failure"]
    a, b = ACCURACY, 1 - ACCURACY
    truth = integrate.quad(lambda x: (1 - x) * x**20 * stats.beta.pdf(x, a, b), 0, 1)[0]
    assert found == pytest.approx(truth, abs=0.006)


def test_separation_and_discrimination_of_calibrated_confidence(large_key: AnswerKey) -> None:
    """Separation is Var(p) / (μ(1 − μ)) = 1 / (concentration + 1); AUROC that of two Beta distributions."""
    confidence = scored(large_key, model()).tables["confidence"]
    tokens = next(row for row in confidence if row["signal"] == "token_probability")
    area = integrate.quad(lambda x: stats.beta.cdf(x, A, B + 1) * stats.beta.pdf(x, A + 1, B), 0, 1)[0]
    assert tokens["separation_pp"] == pytest.approx(100 / (CONCENTRATION + 1), abs=2)
    assert tokens["separation_pp_ci95"][0] < 100 / (CONCENTRATION + 1) < tokens["separation_pp_ci95"][1]
    assert tokens["auroc"] == pytest.approx(area, abs=0.02)
    assert tokens["auroc_ci95"][0] < area < tokens["auroc_ci95"][1]


def test_brier_score_of_calibrated_confidence(large_key: AnswerKey) -> None:
    """It is μ(1 − μ) − Var(p); the resolution is Var(p) and the reliability nothing."""
    drawn = simulate(large_key, [model()])[0]
    parts = brier(drawn.confidence[0], large_key.is_correct(drawn.answers.greedy[0]))
    assert parts.score == pytest.approx(ACCURACY * (1 - ACCURACY) - VARIANCE, abs=0.008)
    assert parts.resolution == pytest.approx(VARIANCE, abs=0.008)
    assert parts.reliability == pytest.approx(0.0, abs=0.002)


def test_overstated_confidence_is_seen(key: AnswerKey) -> None:
    """Twice the logit is miscalibration that 200 questions show; the stated truth is within its null."""
    honest, boastful = simulate(key, [model("honest"), model("boastful", slope=2.5, shift=1.0)])
    p_values = [
        ece_null(one.answers.token_confidence[0], key.is_correct(one.answers.greedy[0])).p_value
        for one in (honest, boastful)
    ]
    assert p_values[0] > 0.05 > p_values[1]


def test_intervals_cover_the_truth(key: AnswerKey) -> None:
    """Exact intervals hold the true accuracy in at least 95 of 100 runs, the bootstrap nearly so."""
    correct = np.array(
        [
            key.is_correct(one.answers.greedy[0])
            for seed in range(15)
            for one in simulate(key, [model()] * 20, samples=0, seed=seed)
        ]
    )
    lower, upper = clopper_pearson(correct.sum(axis=1), correct.shape[1])
    exact = np.mean((lower <= ACCURACY) & (upper >= ACCURACY))
    lower, upper = percentile_interval(resampled_means(correct.T.astype(float)))
    bootstrap = np.mean((lower <= ACCURACY) & (upper >= ACCURACY))
    assert exact >= 0.93
    assert bootstrap >= 0.90


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_paired_tests_keep_their_level(key: AnswerKey, correlation: float) -> None:
    """Equal models differ significantly at most one time in twenty, by the test and by the interval."""
    rejected = covered = 0
    for seed in range(150):
        pair = simulate(key, [model("a"), model("b")], correlation=correlation, samples=0, seed=seed)
        first, second = (key.is_correct(one.answers.greedy[0]) for one in pair)
        gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
        rejected += float(mcnemar_exact(gained, lost)) <= 0.05
        lower, upper = tango_interval(gained, lost, first.size)
        covered += bool(lower <= 0 <= upper)
    assert rejected / 150 <= 0.05 + 0.04
    assert covered / 150 >= 0.95 - 0.04


def test_correlated_models_fail_together(large_key: AnswerKey) -> None:
    """Identical models gain nothing from voting; independent ones all err as rarely as chance has it."""
    trio = [model(name) for name in "abc"]
    same = scored(large_key, *trio, correlation=1.0).tables["ensembles"][0]
    apart = scored(large_key, *trio, correlation=0.0)
    vote = apart.tables["ensembles"][0]
    assert same["accuracy"] == same["best_member_accuracy"]
    assert same["synchronized_failure"] == pytest.approx(1 - same["accuracy"])
    all_wrong = np.mean([row["n_wrong"] == 3 for row in apart.tables["questions"]])
    assert all_wrong == pytest.approx((1 - ACCURACY) ** 3, abs=0.006)
    assert vote["synchronized_failure"] < all_wrong
    assert vote["accuracy"] > vote["best_member_accuracy"] + 0.05


def test_errors_concentrate_with_correlation(key: AnswerKey) -> None:
    """Where models share what is hard, the worst questions hold more of the errors."""
    names = [model(str(number)) for number in range(8)]
    shares = [
        scored(key, *names, correlation=correlation).tables["concentration"][0]["share_in_worst_10%"]
        for correlation in (0.0, 0.5, 1.0)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_scaling_slope_comes_out(large_key: AnswerKey) -> None:
    """Accuracy that rises by 8 points for ten times the parameters is found to do so."""
    sizes = [1e9, 4e9, 1.6e10, 6.4e10]
    models = [
        model(
            f"{size:g}",
            accuracy={"closed_book": 0.6 + 0.08 * np.log10(size / 1e9)},
            parameters=size,
            family="f",
        )
        for size in sizes
    ]
    lines = scored(large_key, *models).tables["scaling"]
    accuracy = {row["family"]: row["slope"] for row in lines if row["metric"] == "accuracy"}
    assert accuracy == pytest.approx({"all": 0.08, "f": 0.08}, abs=0.015)


def test_pooled_intervals_cluster_by_question(key: AnswerKey) -> None:
    """Two conditions with the same answers have no narrower interval together than one alone."""
    drawn = simulate(key, [model()])[0].answers
    doubled = _twice(drawn)
    table = score(key, [doubled]).tables["confidence"]
    rows = {row["condition"]: row for row in table if row["signal"] == "token_probability"}
    assert rows["all"]["n"] == 2 * rows["all"]["questions"] == 400
    assert rows["all"]["auroc_ci95"] == pytest.approx(rows["closed_book"]["auroc_ci95"])
    assert rows["all"]["separation_pp_ci95"] == pytest.approx(rows["closed_book"]["separation_pp_ci95"])


def _twice(one: Answers) -> Answers:
    """Return the same answers under two conditions."""
    names = ("greedy", "samples", "repeat", "latency_s", "token_confidence", "failed", "held")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(one, name)] * 2) for name in names}
    return replace(one, conditions=("closed_book", "clean_evidence"), **arrays)


@pytest.mark.parametrize("accuracy", [0.735, 0.88, 0.94])
def test_separation_is_unbiased_and_its_interval_holds_the_truth(key: AnswerKey, accuracy: float) -> None:
    """Over 200 models, two correlated conditions each: right on average, and covered 95 times in 100."""
    truth, values, covered = 100 / (CONCENTRATION + 1), [], 0
    question = np.tile(np.arange(len(key.questions)), 2)
    both = {"closed_book": accuracy, "clean_evidence": accuracy}
    for seed in range(200):
        drawn = simulate(key, [model(accuracy=both)], correlation=0.6, samples=1, seed=seed)[0]
        letters = drawn.answers.greedy
        correct, high_risk = key.is_correct(letters).ravel(), key.harms(letters)[0].ravel()
        found = separation(drawn.confidence.ravel(), correct, high_risk, question)
        values.append(found.value)
        covered += found.lower <= truth <= found.upper
    assert np.mean(values) == pytest.approx(truth, abs=1.5)
    assert 0.90 <= covered / 200 <= 0.99


def test_separation_needs_no_calibration_to_be_inflated(key: AnswerKey) -> None:
    """Rescaled confidence separates more and ranks no better: why only calibrated values are judged."""
    honest = simulate(key, [model("honest")])[0]
    correct = key.is_correct(honest.answers.greedy[0])
    wrong = ~correct
    stated = honest.confidence[0]
    boastful = (stated > 0.8).astype(float)
    assert separation(boastful, correct, wrong).value > separation(stated, correct, wrong).value
    assert auroc(boastful, correct).value < auroc(stated, correct).value
