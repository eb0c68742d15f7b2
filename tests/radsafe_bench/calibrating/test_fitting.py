"""The fit: an intercept per evidence state, and predictions that never saw their own question."""

from dataclasses import replace

import numpy as np
import pytest

from gatekeeper.calibration import Term
from gatekeeper.errors import CalibrationError
from gatekeeper.exchange import EvidenceState
from radsafe_bench.calibrating import Observations, cross_fitted, fit_logistic
from radsafe_bench.calibrating.fitting import PLATT

SHIFT = {"none": -1.0, "supplied": 1.0}


def drawn(n: int = 4000, seed: int = 0) -> Observations:
    """Return answers with a slope of 0.7 and an intercept that depends on the evidence."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 1.5, n)
    state = rng.choice(list(SHIFT), n)
    p = 1 / (1 + np.exp(-(0.7 * x + np.vectorize(SHIFT.get)(state))))
    confidence = 1 / (1 + np.exp(-x))
    return Observations(
        signals=tuple(
            {"confidence.raw": float(value), "evidence.state": str(name)}
            for value, name in zip(confidence, state, strict=True)
        ),
        question=np.arange(n) // 4,
        state=state,
        correct=rng.random(n) < p,
        high_risk=np.zeros(n, bool),
        names=tuple(f"q{place}" for place in range(n)),
    )


def test_slope_and_intercepts_are_recovered() -> None:
    """One slope, and one intercept for each state of the evidence."""
    fitted = fit_logistic(PLATT, drawn())
    assert fitted.terms[0].weight == pytest.approx(0.7, abs=0.08)
    assert fitted.intercepts == {
        EvidenceState.NONE: pytest.approx(-1.0, abs=0.15),
        EvidenceState.SUPPLIED: pytest.approx(1.0, abs=0.15),
    }


def test_a_state_that_was_not_fitted_gives_no_probability() -> None:
    """Conflicting evidence was not in the data, so nothing is said of it."""
    fitted = fit_logistic(PLATT, drawn())
    assert fitted.probability({"confidence.raw": 0.9, "evidence.state": "conflicting"}) is None


def test_a_prediction_does_not_depend_on_its_own_question() -> None:
    """Turning a question's outcomes round leaves its own predictions as they were, unlike a plain fit."""
    observations = drawn(400)
    own = observations.question == 7
    turned = replace(observations, correct=np.where(own, ~observations.correct, observations.correct))
    first, second = cross_fitted(PLATT, observations), cross_fitted(PLATT, turned)
    same_folds = np.isclose(first[own], second[own])
    assert same_folds.all()
    plain, after = fit_logistic(PLATT, observations), fit_logistic(PLATT, turned)
    assert plain.terms != after.terms


def test_few_answers_are_drawn_towards_a_common_intercept() -> None:
    """A state with a handful of answers does not get an extreme intercept of its own."""
    observations = drawn(400)
    rare = np.zeros(400, bool)
    rare[:3] = True
    state = np.where(rare, "expired", "supplied")
    signals = tuple(
        {**signal, "evidence.state": str(name)}
        for signal, name in zip(observations.signals, state, strict=True)
    )
    few = replace(observations, signals=signals, state=state, correct=observations.correct | rare)
    intercepts = fit_logistic(PLATT, few).intercepts
    assert 0 <= intercepts[EvidenceState.EXPIRED] - intercepts[EvidenceState.SUPPLIED] < 1.5


def test_a_missing_signal_stops_the_fit() -> None:
    """A term that some answers do not have is not filled with a guess."""
    with pytest.raises(CalibrationError, match="missing"):
        fit_logistic([*PLATT, Term(signal="p_contradicted", weight=1.0)], drawn(100))
