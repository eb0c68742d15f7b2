"""One risk from many signals by ridge logistic regression, all of it chosen on unseen questions.

Features are put on one scale before the penalty and back into their own units after it. A signal that
was not measured in enough questions to learn what that means gets a value of its own there; one that
was missing too rarely gets none, and then answers without it get no risk. Where a weight has the wrong
sign (more contradiction would lower the risk), the feature that is most wrong is dropped and the rest
fitted again, until all signs are right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from gatekeeper.calibration import Logistic
from gatekeeper.errors import CalibrationError
from gatekeeper.exchange import EvidenceState
from radsafe_bench.calibrating.features import Features
from radsafe_bench.calibrating.fitting import FEWEST, FOLDS, check_enough, indicators_of
from radsafe_bench.calibrating.observations import Observations
from radsafe_bench.stats.arrays import Bools, Floats

STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Inverse strengths of the ridge (scikit-learn's C) that are tried, strongest first."""

_FEWEST: Final = 2 * FEWEST
"""Questions with right answers, and with wrong ones, that fusing needs: more weights need more of both."""

_EDGE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused risk: P(correct) of every answer from fits that never saw its question, (n,).

    `dropped` are the features that the final fit left out because their sign was wrong.
    """

    model: Logistic
    strength: float
    predicted: Floats
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Data:
    """Answers as arrays: `values` (n, k) of the features, the rest (n,)."""

    features: Features
    values: Floats
    state: NDArray[np.str_]
    question: NDArray[np.intp]
    correct: Bools

    def rows(self, chosen: Bools) -> "_Data":
        return _Data(
            self.features,
            self.values[chosen],
            self.state[chosen],
            self.question[chosen],
            self.correct[chosen],
        )


def fuse(observations: Observations, features: Features) -> Fused:
    """Fit all answers; predict each from the others, the ridge chosen anew by cross-fitting within them.

    Raises CalibrationError where there are too few right or wrong answers.
    """
    check_enough(observations, _FEWEST)
    data = _Data(features, features.values, observations.state, observations.question, observations.correct)
    predicted = np.full(len(observations), np.nan)
    for fitted, held_out in _folds(data):
        rest = data.rows(fitted)
        predicted[held_out] = _predict(_fit(rest, _best_strength(rest)), data.rows(held_out))
    strength = _best_strength(data)
    model = _fit(data, strength)
    kept = {term.signal for term in model.terms}
    dropped = tuple(one.signal for one in features.chosen if one.signal not in kept)
    return Fused(model, strength, predicted, dropped)


def _folds(data: _Data) -> Iterator[tuple[Bools, Bools]]:
    """Yield which answers to fit and which to hold out; all answers to one question stay together."""
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    for _, places in folds.split(data.values, data.correct, data.question):
        held_out = np.zeros(data.correct.size, bool)
        held_out[places] = True
        yield ~held_out, held_out


def _best_strength(data: _Data) -> float:
    """Return the strength with the least log loss on held-out questions."""
    losses = []
    for strength in STRENGTHS:
        p = np.full(data.correct.size, np.nan)
        for fitted, held_out in _folds(data):
            p[held_out] = _predict(_fit(data.rows(fitted), strength), data.rows(held_out))
        p = np.clip(p, _EDGE, 1 - _EDGE)
        losses.append(-np.nanmean(np.log(np.where(data.correct, p, 1 - p))))
    return STRENGTHS[int(np.argmin(losses))]


def _predict(model: Logistic, data: _Data) -> Floats:
    """Return `model.probability` of every answer, NaN where it cannot say."""
    columns = {feature.signal: column for column, feature in enumerate(data.features.chosen)}
    intercepts = {state.value: intercept for state, intercept in model.intercepts.items()}
    total = np.array([intercepts.get(state, np.nan) for state in data.state.tolist()], float)
    for term in model.terms:
        read = data.values[:, columns[term.signal]]
        missing = np.nan if term.missing is None else term.missing
        total += np.where(np.isnan(read), missing, term.weight * read)
    return np.asarray(expit(total), float)


def _fit(data: _Data, strength: float) -> Logistic:
    """Fit with every sign as it has to be."""
    kept = np.arange(len(data.features.chosen))
    directions = np.array([feature.direction for feature in data.features.chosen])
    while True:
        model, weights = _fit_kept(data, kept, strength)
        wrong = np.maximum(0.0, -weights * directions[kept])
        if not wrong.any():
            return model
        kept = np.delete(kept, np.argmax(wrong))


def _fit_kept(data: _Data, kept: np.ndarray, strength: float) -> tuple[Logistic, Floats]:
    """Fit some of the features; return the model, and the weights on the common scale."""
    values, learnable = data.values[:, kept], data.features.learnable[kept]
    whole = np.asarray(~np.isnan(values[:, ~learnable]).any(axis=1), bool)
    values, seen = values[whole], data.rows(whole)
    if seen.correct.all() or not seen.correct.any():
        raise CalibrationError("the wrong answers are too few to leave any out; record more")
    mean, spread = _scale(values)
    scaled = np.nan_to_num((values - mean) / spread)
    absent = np.isnan(values[:, learnable]).astype(float)
    states = sorted(set(seen.state.tolist()))
    design = np.hstack([scaled, absent, indicators_of(seen.state, states)])
    fitted = LogisticRegression(C=strength, solver="newton-cholesky").fit(design, seen.correct)
    weights, shifts, offsets = np.split(fitted.coef_[0], np.cumsum([len(kept), learnable.sum()]))
    slopes, average = weights / spread, weights * mean / spread
    unmeasured = np.zeros(len(kept))
    unmeasured[learnable] = shifts
    base = float(fitted.intercept_[0] - average.sum())
    terms = tuple(
        data.features.chosen[place].term(
            float(slopes[column]),
            float(average[column] + unmeasured[column]) if learnable[column] else None,
        )
        for column, place in enumerate(kept)
    )
    intercepts = {EvidenceState(state): base + float(one) for state, one in zip(states, offsets, strict=True)}
    return Logistic(intercepts=intercepts, terms=terms), weights


def _scale(values: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each column where it was measured, 1 for a constant one."""
    measured = ~np.isnan(values)
    count = np.maximum(1, measured.sum(axis=0))
    mean = np.where(measured, values, 0.0).sum(axis=0) / count
    variance = np.where(measured, (values - mean) ** 2, 0.0).sum(axis=0) / count
    return mean, np.where(variance > 0, np.sqrt(variance), 1.0)
