"""The regression gate: a policy on a recorded model, judged by the criteria that the policy states."""

from radsafe_bench.gate.criteria import Result, Row
from radsafe_bench.gate.looks import Looks, look, looks_so_far
from radsafe_bench.gate.replay import Decided, replay
from radsafe_bench.gate.trial import Trial, conclude, trial_of
from radsafe_bench.gate.verdict import Verdict, harness_error

__all__ = [
    "Decided",
    "Looks",
    "Result",
    "Row",
    "Trial",
    "Verdict",
    "conclude",
    "harness_error",
    "look",
    "looks_so_far",
    "replay",
    "trial_of",
]
