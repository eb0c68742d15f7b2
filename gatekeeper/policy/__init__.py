"""Policies: YAML files of thresholds on an assessment's signals, each asking for an action."""

from gatekeeper.policy.decide import Rulebook, Ruling, decide
from gatekeeper.policy.load import LoadedPolicy, load_policy, parse_policy
from gatekeeper.policy.model import Policy, Rule
from gatekeeper.policy.signals import SIGNALS, SignalSpec, vocabulary
from gatekeeper.policy.streaming import in_windows, needs_whole

__all__ = [
    "SIGNALS",
    "LoadedPolicy",
    "Policy",
    "Rule",
    "Rulebook",
    "Ruling",
    "SignalSpec",
    "decide",
    "in_windows",
    "load_policy",
    "needs_whole",
    "parse_policy",
    "vocabulary",
]
