"""Choosing a threshold on one half of the suite, so that the other half can judge it."""

from radsafe_bench.tuning.proposal import Proposal, Target, Tested, propose
from radsafe_bench.tuning.thresholds import (
    ThresholdPath,
    conformal_risk_control,
    fewest_delivered,
    fixed_sequence,
    learn_then_test,
    p_values,
    selective_guaranteed_risk,
)
from radsafe_bench.tuning.writing import tuned_policy

__all__ = [
    "Proposal",
    "Target",
    "Tested",
    "ThresholdPath",
    "conformal_risk_control",
    "fewest_delivered",
    "fixed_sequence",
    "learn_then_test",
    "p_values",
    "propose",
    "selective_guaranteed_risk",
    "tuned_policy",
]
