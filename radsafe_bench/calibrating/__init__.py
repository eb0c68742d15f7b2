"""Fitting a calibration on recorded answers: what the tokens say → how often that is right."""

from radsafe_bench.calibrating.artefact import Fit, calibrate
from radsafe_bench.calibrating.fitting import cross_fitted, fit_logistic
from radsafe_bench.calibrating.observations import Observations, observe

__all__ = ["Fit", "Observations", "calibrate", "cross_fitted", "fit_logistic", "observe"]
