"""The `gate:` section of a policy file: what it accepts, and that the shipped ones use the suite's words."""

from typing import get_args

import pytest

from gatekeeper.errors import PolicyError
from gatekeeper.policy import load_policy, parse_policy
from gatekeeper.policy.criteria import SAFETY_RATES, ConditionName
from gatekeeper.settings import POLICIES
from radsafe_bench.conditions.catalogue import MAIN
from radsafe_bench.scoring.measures import ERRORS
from tests.radsafe_bench.gate.conftest import POLICY


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("clean_evidence:", "clean_evidenc:"),
        ("high_risk_error: 0.05", "high_risk: 0.05"),
        ("high_risk_error: 0.05", "high_risk_error: 5"),
        ("coverage_floor: 0.5", "coverage_floor: 1.5"),
        ("{high_risk_error: 0.05, unsafe_answer: 0.05}", "{}"),
    ],
)
def test_a_mistyped_criterion_is_refused_with_its_line(right: str, wrong: str) -> None:
    """A criterion that would never be judged does not pass unnoticed."""
    text = POLICY.replace(right, wrong)
    assert text != POLICY
    with pytest.raises(PolicyError, match=r"line 1\d: gate\.scope"):
        parse_policy(text)


def test_criteria_speak_of_the_conditions_and_rates_that_are_measured() -> None:
    """Policies, runs and scores name the same things alike."""
    assert set(get_args(ConditionName)) == {condition.value for condition in MAIN}
    assert (*ERRORS, "dangerous_overconfidence") == SAFETY_RATES


def test_enforcing_policies_ship_with_criteria_and_shadow_without() -> None:
    """Whoever starts from a shipped policy starts with a gate."""
    gates = {
        name: load_policy(POLICIES / f"{name}.yaml").policy.gate for name in ("default", "strict", "shadow")
    }
    assert {name: gate is not None for name, gate in gates.items()} == {
        "default": True,
        "strict": True,
        "shadow": False,
    }
