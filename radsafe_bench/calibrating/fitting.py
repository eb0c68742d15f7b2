"""Logistic calibrators, fitted by scikit-learn: one weight per signal, an intercept per evidence state.

L2 keeps the weights small and draws the states' intercepts towards a common one, which is what few
answers can carry; Platt scaling (Platt 1999) is the case of one term, the logit of the confidence.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from gatekeeper.calibration import Logistic, Term
from gatekeeper.errors import CalibrationError
from gatekeeper.exchange import EvidenceState
from radsafe_bench.calibrating.observations import CONFIDENCE, Observations
from radsafe_bench.stats.arrays import Bools, Floats

PLATT: Final = (Term(signal=CONFIDENCE, transform="logit", weight=1.0),)
"""The terms of the confidence calibrator; the weight is what fitting finds."""

FOLDS: Final = 5
FEWEST: Final = 5
"""Questions with right answers, and with wrong ones, that fitting needs at least."""

_STRENGTH: Final = 1.0
"""Inverse strength of L2 (scikit-learn's C)."""


def fit_logistic(terms: Sequence[Term], observations: Observations) -> Logistic:
    """Fit the terms' weights and the states' intercepts on all observations.

    Raises CalibrationError where there are too few right or wrong answers, or a term is missing.
    """
    check_enough(observations)
    return _fit(terms, observations, np.ones(len(observations), bool))


def cross_fitted(terms: Sequence[Term], observations: Observations) -> Floats:
    """Return P(correct) of every observation from a model that did not see its question.

    NaN for answers in a state that the other questions do not have.
    """
    predicted = np.full(len(observations), np.nan)
    check_enough(observations)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    for _, held_out in folds.split(observations.state, observations.correct, observations.question):
        fitted = np.ones(len(observations), bool)
        fitted[held_out] = False
        model = _fit(terms, observations, fitted)
        for place in held_out:
            probability = model.probability(observations.signals[place])
            predicted[place] = np.nan if probability is None else probability
    return predicted


def _fit(terms: Sequence[Term], observations: Observations, chosen: Bools) -> Logistic:
    correct = observations.correct[chosen]
    if correct.all() or not correct.any():
        raise CalibrationError("the wrong answers are too few to leave any out; record more")
    states = sorted(set(observations.state[chosen].tolist()))
    signals = [signal for signal, wanted in zip(observations.signals, chosen, strict=True) if wanted]
    values = np.array([[_unit(term).value(signal) for term in terms] for signal in signals], float)
    if np.isnan(values).any():
        raise CalibrationError("a signal of the calibrator is missing in some answers")
    indicators = indicators_of(observations.state[chosen], states)
    model = LogisticRegression(C=_STRENGTH, max_iter=1000).fit(np.hstack([values, indicators]), correct)
    weights, base = model.coef_[0], float(model.intercept_[0])
    offsets = weights[len(terms) :]
    return Logistic(
        intercepts={
            EvidenceState(state): base + float(offset) for state, offset in zip(states, offsets, strict=True)
        },
        terms=tuple(
            term.model_copy(update={"weight": float(weight)})
            for term, weight in zip(terms, weights, strict=False)
        ),
    )


def _unit(term: Term) -> Term:
    return term.model_copy(update={"weight": 1.0})


def indicators_of(states: NDArray[np.str_], names: Sequence[str]) -> Floats:
    """Return 0/1 columns that say which of the named states each answer's evidence is in."""
    return np.asarray(states[:, None] == np.array(names)[None, :], float)


def check_enough(observations: Observations, fewest: int = FEWEST) -> None:
    """Raise CalibrationError unless right and wrong answers each come from enough questions."""
    right, wrong = (
        np.unique(observations.question[members]).size
        for members in (observations.correct, ~observations.correct)
    )
    if min(right, wrong) < fewest:
        raise CalibrationError(
            f"{right} questions with right and {wrong} with wrong answers: at least {fewest} of each are "
            "needed to fit anything. Record more questions or conditions"
        )
