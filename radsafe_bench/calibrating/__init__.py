"""Fitting a calibration on recorded answers: what tokens and checks say → how often that is right."""

from radsafe_bench.calibrating.artefact import Fit, RiskFit, Wanted, calibrate
from radsafe_bench.calibrating.features import Feature, Features, choose
from radsafe_bench.calibrating.fitting import cross_fitted, fit_logistic
from radsafe_bench.calibrating.fusing import Fused, fuse
from radsafe_bench.calibrating.observations import Observations, observe

__all__ = [
    "Feature",
    "Features",
    "Fit",
    "Fused",
    "Observations",
    "RiskFit",
    "Wanted",
    "calibrate",
    "choose",
    "cross_fitted",
    "fit_logistic",
    "fuse",
    "observe",
]
