"""The fused risk: worth what theory says, never turned round, never guessing what was not measured."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from gatekeeper.assessment import SignalValue
from gatekeeper.errors import CalibrationError, ConfigurationError
from gatekeeper.exchange import EvidenceState
from radsafe_bench.calibrating import Feature, Fused, Observations, choose, fuse
from radsafe_bench.stats import auroc, ece_null, separation
from tests.radsafe_bench.calibrating.drawing import TOKEN_AUROC, observed, tokens_and_verdict


def fused(observations: Observations, *features: str) -> Fused:
    """Fuse the named features, or the usual ones."""
    return fuse(observations, choose(observations, [Feature.named(name) for name in features]))


@pytest.mark.parametrize(("accuracy", "points"), [(0.735, 51), (0.88, 40), (0.94, 29)])
def test_tokens_and_a_verdict_separate_as_far_as_theory_says(accuracy: float, points: float) -> None:
    """Token AUROC 0.70 with a verdict of TPR 0.8 and FPR 0.1: the points that the design computed."""
    drawn = tokens_and_verdict(accuracy, 12_000)
    found = fused(drawn)
    measured = separation(found.predicted, drawn.correct, drawn.high_risk, drawn.question)
    assert measured.value == pytest.approx(points, abs=3)
    assert auroc(found.predicted, drawn.correct).value > TOKEN_AUROC + 0.1
    assert ece_null(found.predicted, drawn.correct).p_value > 0.01


def test_weights_come_back_in_the_units_of_the_signals() -> None:
    """A risk drawn from known weights is found again, whatever scale the fit worked on."""
    rng = np.random.default_rng(1)
    x, count = rng.normal(1.0, 1.5, 4000), rng.integers(0, 40, 4000).astype(float)
    correct = rng.random(4000) < expit(0.5 + 0.8 * x - 0.1 * count)
    drawn = observed(
        [
            {"confidence.raw": float(p), "claims.contradicted": float(n)}
            for p, n in zip(expit(x), count, strict=True)
        ],
        correct,
    )
    model = fused(drawn, "confidence.raw", "claims.contradicted").model
    weights = {term.signal: term.weight for term in model.terms}
    assert weights["confidence.raw"] == pytest.approx(0.8, abs=0.1)
    assert weights["claims.contradicted"] == pytest.approx(-0.1, abs=0.01)
    assert model.intercepts[EvidenceState.SUPPLIED] == pytest.approx(0.5, abs=0.2)


def test_more_contradiction_never_makes_an_answer_likelier_right() -> None:
    """A check whose contradictions go with right answers is dropped and named; the others stay."""
    drawn = tokens_and_verdict(0.7, 600)
    turned = replace(
        drawn,
        signals=tuple(
            {**one, "judge.p_contradicted": 0.9 if right else 0.1}
            for one, right in zip(drawn.signals, drawn.correct, strict=True)
        ),
    )
    found = fused(turned)
    assert found.dropped == ("judge.p_contradicted",)
    assert {term.signal for term in found.model.terms} == {"confidence.raw", "nli.p_contradicted"}
    assert found.model.terms == fused(drawn).model.terms


def test_what_a_missing_signal_means_is_learnt() -> None:
    """Where answers without a verdict are mostly wrong, one without it is judged so, not as if it were 0."""
    drawn = tokens_and_verdict(0.7, 800)
    rng = np.random.default_rng(2)
    gone = rng.random(800) < np.where(drawn.correct, 0.02, 0.5)
    signals = tuple(
        {name: value for name, value in one.items() if not (lost and name == "nli.p_contradicted")}
        for one, lost in zip(drawn.signals, gone, strict=True)
    )
    model = fused(replace(drawn, signals=signals)).model
    said: dict[str, SignalValue] = {"evidence.state": "supplied", "confidence.raw": 0.6}
    without = model.probability(said)
    cleared = model.probability({**said, "nli.p_contradicted": 0.05})
    assert without is not None
    assert cleared is not None
    assert without < 0.5 < cleared


def test_a_signal_that_was_never_missing_gives_no_risk_where_it_is() -> None:
    """A check that fails for the first time in service leaves the risk unknown."""
    model = fused(tokens_and_verdict(0.7, 300)).model
    assert model.probability({"evidence.state": "supplied", "confidence.raw": 0.9}) is None


def test_a_prediction_does_not_depend_on_its_own_question() -> None:
    """Turning one question's outcomes round leaves its own predictions as they were, strength included."""
    drawn = replace(tokens_and_verdict(0.7, 300), question=np.arange(300) // 3)
    own = drawn.question == 11
    turned = replace(drawn, correct=np.where(own, ~drawn.correct, drawn.correct))
    assert np.array_equal(fused(drawn).predicted[own], fused(turned).predicted[own])


def test_figures_are_of_the_numbers_that_a_gate_computes() -> None:
    """Out-of-fold predictions differ from the served model's by no more than leaving a fifth out does."""
    drawn = tokens_and_verdict(0.7, 1000)
    found = fused(drawn)
    served = np.array([found.model.probability(signals) for signals in drawn.signals], float)
    assert np.abs(served - found.predicted).mean() < 0.02


def test_noise_is_shrunk_away() -> None:
    """Signals that say nothing separate nothing on unseen questions, and get a strong ridge."""
    rng = np.random.default_rng(3)
    correct = rng.random(300) < 0.7
    drawn = observed(
        [{f"x.{k}": float(v) for k, v in enumerate(row)} for row in rng.normal(size=(300, 8))], correct
    )
    found = fused(drawn, *(f"x.{k}" for k in range(8)))
    assert found.strength <= 0.1
    assert abs(separation(found.predicted, correct, ~correct).value) < 3


def test_too_few_wrong_answers_are_no_basis() -> None:
    """Nine wrong answers cannot carry several weights."""
    drawn = tokens_and_verdict(0.7, 200)
    correct = np.ones(200, bool)
    correct[:9] = False
    with pytest.raises(CalibrationError, match="at least 10 of each"):
        fused(replace(drawn, correct=correct))


def test_signals_that_say_nothing_are_left_out_by_name() -> None:
    """Constant, repeated and rarely measured signals carry no weight, and the operator reads why."""
    drawn = tokens_and_verdict(0.7, 100)
    signals = [
        {
            **one,
            "slots.p_contradicted": one["nli.p_contradicted"],
            "claims.supported_share": 0.5,
            **({"rare.p_contradicted": float(place)} if place < 3 else {}),
        }
        for place, one in enumerate(drawn.signals)
    ]
    features = choose(replace(drawn, signals=tuple(signals)))
    assert [feature.signal for feature in features.chosen] == ["confidence.raw", "nli.p_contradicted"]
    assert features.left_out == {
        "claims.supported_share": "is the same in every answer",
        "rare.p_contradicted": "was measured in fewer than 5 questions",
        "slots.p_contradicted": "repeats nli.p_contradicted",
    }


def test_any_number_can_be_a_feature() -> None:
    """A signal that no table knows is fused when it is named; its sign is open, its transform can be said."""
    assert Feature.named("options.margin") == Feature("options.margin", "identity", 0)
    assert Feature.named("nli.p_contradicted:logit") == Feature("nli.p_contradicted", "logit", -1)
    assert Feature.named("confidence.option") == Feature("confidence.option", "logit", 1)
    assert Feature.named("confidence.entropy") == Feature("confidence.entropy", "identity", -1)
    with pytest.raises(ConfigurationError, match="logit, identity"):
        Feature.named("confidence.raw:square")


def test_a_feature_that_nothing_measured_is_refused() -> None:
    """A misspelt signal is named, beside those that there are."""
    with pytest.raises(ConfigurationError, match=r"'options\.margn'; they have confidence\.raw"):
        fused(tokens_and_verdict(0.7, 100), "options.margn")
    with pytest.raises(ConfigurationError, match=r"'evidence\.state'"):
        fused(tokens_and_verdict(0.7, 100), "evidence.state")


def test_nothing_to_fuse_is_said() -> None:
    """Recordings without any signal that varies give no risk."""
    drawn = observed([{"claims.supported_share": 0.0}] * 40, np.arange(40) % 2 == 0)
    with pytest.raises(CalibrationError, match="no signal differs"):
        fused(drawn)
