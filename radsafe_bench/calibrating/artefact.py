"""From recorded runs to a calibration artefact, with what it is worth on questions that it did not see."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sklearn

import gatekeeper
from gatekeeper.calibration import Calibration
from gatekeeper.errors import CalibrationError, ConfigurationError
from radsafe_bench.calibrating.fitting import PLATT, cross_fitted, fit_logistic
from radsafe_bench.calibrating.observations import CONFIDENCE, Observations, observe
from radsafe_bench.gate.replay import fingerprint_of
from radsafe_bench.gate.trial import records_digest
from radsafe_bench.records import Run
from radsafe_bench.scoring.confidence import Signal, describe
from radsafe_bench.stats.arrays import Floats
from radsafe_bench.suites import Split, Suite


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration, the answers it was fitted on, and every statistic before and after.

    `raw` are the confidences as the tokens say, `calibrated` the cross-fitted ones, both (n,);
    `before` and `after` describe them.
    """

    calibration: Calibration
    observations: Observations
    raw: Floats
    calibrated: Floats
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def calibrate(runs: Sequence[Run], suite: Suite, now: datetime) -> Fit:
    """Fit the confidence of one model on the calibration split.

    Raises ConfigurationError where the runs are of several models or of another suite, CalibrationError
    where there is nothing to fit.
    """
    fingerprint = _one_model(runs)
    for run in runs:
        if run.manifest.suite.digest != suite.digest:
            raise ConfigurationError(f"{run.path} asked another suite; give the one it asked with --suite")
    observations = observe(runs, suite.split(Split.CALIBRATION))
    if not len(observations):
        raise CalibrationError(
            "no answer to a question of the calibration split has token probabilities; record the model "
            "with a server that gives them"
        )
    raw = np.array([float(signals[CONFIDENCE]) for signals in observations.signals])
    calibrated = cross_fitted(PLATT, observations)
    before, after = _described(raw, observations), _described(calibrated, observations)
    artefact = Calibration(
        fingerprint=fingerprint,
        confidence=fit_logistic(PLATT, observations),
        seen=observations.seen,
        created=now,
        sources={"suite": suite.digest, **{run.name: records_digest(run) for run in runs}},
        versions={
            "gatekeeper": gatekeeper.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        metrics={**_numbers("raw", before), **_numbers("calibrated", after)},
    )
    return Fit(artefact, observations, raw, calibrated, before, after)


def _one_model(runs: Sequence[Run]) -> str:
    found = sorted({fingerprint_of(run) for run in runs})
    if len(found) != 1:
        raise ConfigurationError(
            f"the runs are of {len(found)} models ({', '.join(found)}): a calibration holds for one; fit "
            "each on its own"
        )
    return found[0]


def _described(confidence: Floats, observations: Observations) -> Mapping[str, Any]:
    known = ~np.isnan(confidence)
    return describe(
        Signal(
            confidence[known],
            observations.correct[known],
            observations.high_risk[known],
            observations.question[known],
        )
    )


def _numbers(stage: str, described: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"{stage}.{name}": float(value) for name, value in described.items() if isinstance(value, int | float)
    }
