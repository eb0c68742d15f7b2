"""Calibration: from what the tokens say to how often that is right, for one model."""

from gatekeeper.calibration.artefact import Calibration, Calibrations, Logistic, Term, load_calibration

__all__ = ["Calibration", "Calibrations", "Logistic", "Term", "load_calibration"]
