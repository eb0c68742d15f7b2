"""From recorded runs to a calibration artefact, with what it is worth on questions that it did not see."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import sklearn

import gatekeeper
from gatekeeper.bundle import load_bundle
from gatekeeper.calibration import Calibration, Calibrations
from gatekeeper.checks import Confidence, Triage
from gatekeeper.errors import CalibrationError, ConfigurationError
from gatekeeper.gate import Bundle
from gatekeeper.monitoring.risk.drift import PREFIX
from gatekeeper.settings import POLICIES
from radsafe_bench.calibrating.features import Feature, Features, choose
from radsafe_bench.calibrating.fitting import PLATT, cross_fitted, fit_logistic
from radsafe_bench.calibrating.fusing import Fused, fuse
from radsafe_bench.calibrating.observations import CONFIDENCE, Observations, observe
from radsafe_bench.gate.replay import fingerprint_of
from radsafe_bench.gate.trial import records_digest
from radsafe_bench.records import Run
from radsafe_bench.scoring.confidence import Signal, describe
from radsafe_bench.stats.arrays import Floats
from radsafe_bench.suites import Split, Suite


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration, the answers its confidence was fitted on, and every statistic before and after.

    `raw` are the confidences as the tokens say, `calibrated` the cross-fitted ones, both (n,);
    `before` and `after` describe them. `unmeasured` counts the answers without token probabilities.
    """

    calibration: Calibration
    observations: Observations
    raw: Floats
    calibrated: Floats
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    unmeasured: int
    risk: "RiskFit | None" = None


@dataclass(frozen=True, slots=True)
class RiskFit:
    """A fused risk with its features, and what it is worth on questions that it did not see."""

    fused: Fused
    features: Features
    described: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a calibration is to hold.

    `risk`: a fused risk over `features` (the usual ones unless named). `reference`: the distribution
    that drift is measured from.
    """

    risk: bool = False
    features: tuple[Feature, ...] = ()
    reference: bool = True


def calibrate(
    runs: Sequence[Run],
    suite: Suite,
    now: datetime,
    bundle: Bundle | None = None,
    wanted: Wanted = Wanted(),
) -> Fit:
    """Fit the confidence of one model on the calibration split, and the risk where wanted.

    The bundle's policy (the default one unless given) names the checks whose signals are fused and the
    topics of the reference. Raises ConfigurationError where the runs are of several models or of
    another suite, CalibrationError where there is nothing to fit.
    """
    fingerprint = _one_model(runs)
    for run in runs:
        if run.manifest.suite.digest != suite.digest:
            raise ConfigurationError(f"{run.path} asked another suite; give the one it asked with --suite")
    bundle = bundle or load_bundle(POLICIES / "default.yaml")
    everything = observe(runs, suite.split(Split.CALIBRATION), _measuring(bundle, wanted))
    observations = everything.measured(CONFIDENCE)
    if not len(observations):
        raise CalibrationError(
            "no answer to a question of the calibration split has token probabilities; record the model "
            "with a server that gives them"
        )
    raw = np.array([float(signals[CONFIDENCE]) for signals in observations.signals])
    calibrated = cross_fitted(PLATT, observations)
    before, after = _described(raw, observations), _described(calibrated, observations)
    risk = _risk(everything, wanted.features) if wanted.risk else None
    artefact = Calibration(
        fingerprint=fingerprint,
        confidence=fit_logistic(PLATT, observations),
        risk=risk.fused.model if risk else None,
        seen=everything.seen if risk else observations.seen,
        created=now,
        sources={
            "suite": suite.digest,
            **{run.name: records_digest(run) for run in runs},
            **({"policy": bundle.loaded.digest} if risk else {}),
        },
        versions={
            "gatekeeper": gatekeeper.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        metrics={
            **_numbers("raw", before),
            **_numbers("calibrated", after),
            **({"risk.strength": risk.fused.strength, **_numbers("risk", risk.described)} if risk else {}),
            **({PREFIX + name: n for name, n in everything.reference.items()} if wanted.reference else {}),
        },
    )
    unmeasured = len(everything) - len(observations)
    return Fit(artefact, observations, raw, calibrated, before, after, unmeasured, risk)


def _measuring(bundle: Bundle, wanted: Wanted) -> Bundle:
    """Return the bundle with the checks that the fit needs, whatever its policy turns off.

    Samples are not among them: whether they are drawn hangs on the risk that is being fitted.
    """
    enabled = bundle.checks if wanted.risk else (Triage(bundle.policy.checks.triage.topics),)
    others = tuple(check for check in enabled if check.name != Confidence.name)
    return replace(bundle, checks=(*others, Confidence()), calibrations=Calibrations(), in_doubt=None)


def _risk(observations: Observations, wanted: Sequence[Feature]) -> RiskFit:
    features = choose(observations, wanted)
    fused = fuse(observations, features)
    return RiskFit(fused, features, _described(fused.predicted, observations))


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
    """Return the numbers of a description; an interval is two of them."""
    found: dict[str, float] = {}
    for name, value in described.items():
        if isinstance(value, int | float):
            found[f"{stage}.{name}"] = float(value)
        elif isinstance(value, list) and all(isinstance(end, float) for end in value):
            found |= {
                f"{stage}.{name}.{end}": one for end, one in zip(("lower", "upper"), value, strict=True)
            }
    return found
