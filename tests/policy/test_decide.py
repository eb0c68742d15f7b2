"""Signals → action: the strictest rule wins, and what is unknown counts against release."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import Action, Assessment, Confidence
from gatekeeper.policy import Policy, decide

RULES: list[dict[str, Any]] = [
    {"id": "note", "when": {"p_wrong": {"at_least": 0.2}}, "then": "annotate"},
    {"id": "hold", "when": {"p_wrong": {"at_least": 0.5}}, "then": "escalate"},
    {"id": "stop", "when": {"p_contradicted": {"at_least": 0.9}}, "then": "block", "unavailable": "skip"},
]


def policy(rules: list[dict[str, Any]] | None = None, **rest: Any) -> Policy:
    """Return a policy of some rules."""
    return Policy.model_validate({"name": "test", "version": "1", "rules": rules or RULES, **rest})


def assessment(unavailable: tuple[str, ...] = (), **signals: float | str) -> Assessment:
    """Return an assessment that has nothing but signals."""
    return Assessment((), (), None, None, Confidence(), unavailable, signals)


@pytest.mark.parametrize(
    ("p_wrong", "action"),
    [(0.1, "release"), (0.2, "annotate"), (0.49, "annotate"), (0.5, "escalate"), (1.0, "escalate")],
)
def test_thresholds(p_wrong: float, action: str) -> None:
    """Each bound takes effect exactly where the policy puts it."""
    assert decide(policy(), assessment(p_wrong=p_wrong, p_contradicted=0.0)).action == action


def test_the_strictest_rule_wins_in_any_order() -> None:
    """The order of rules in the file never changes a decision."""
    signals = assessment(p_wrong=0.6, p_contradicted=0.95)
    for order in itertools.permutations(RULES):
        decision = decide(policy(list(order)), signals)
        assert decision.action is Action.BLOCK
        assert decision.reasons[0].rule == "stop"


def test_a_missing_signal_matches_unless_the_rule_skips_it() -> None:
    """An unknown probability is treated as if the rule held."""
    decision = decide(policy(), assessment())
    assert [reason.rule for reason in decision.reasons] == ["hold", "note"]
    assert decision.reasons[0].signals == {"p_wrong": None}


@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_what_only_looks_evidence_up_is_delivered(mode: str) -> None:
    """No rule holds a call that fetches the evidence which the rules ask for."""
    decision = decide(policy(mode=mode), assessment((), p_wrong=1.0, **{"answer.lookup": 1.0}))
    assert (decision.action, decision.would) == (Action.RELEASE, Action.RELEASE)
    assert [reason.rule for reason in decision.reasons] == ["lookup"]


def test_a_failed_check_holds_a_lookup_too() -> None:
    """That a check could not judge something never reads as safe."""
    decision = decide(policy(), assessment(("slots",), p_wrong=0.0, **{"answer.lookup": 1.0}))
    assert [reason.rule for reason in decision.reasons] == ["check_unavailable", "lookup"]
    assert decision.action is Action.ESCALATE


def test_an_unavailable_check_asks_for_its_action() -> None:
    """A check that failed counts with what the policy says of it."""
    settings = {"slots": {"unavailable": "abstain"}}
    decision = decide(policy(checks=settings), assessment(("slots",), p_wrong=0.0))
    assert decision.action is Action.ABSTAIN
    assert decision.reasons[0].rule == "check_unavailable"


def test_shadow_mode_delivers_and_remembers() -> None:
    """Shadow mode releases what enforcing would have held, and says so."""
    decision = decide(policy(mode="shadow"), assessment(p_wrong=0.9))
    assert (decision.action, decision.would) == (Action.RELEASE, Action.ESCALATE)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_risk_never_gives_a_milder_action(low: float, high: float, contradicted: float) -> None:
    """With upper thresholds only, a higher p_wrong is never treated more mildly."""
    low, high = sorted((low, high))
    milder = decide(policy(), assessment(p_wrong=low, p_contradicted=contradicted))
    stricter = decide(policy(), assessment(p_wrong=high, p_contradicted=contradicted))
    assert milder.action.severity <= stricter.action.severity


@pytest.mark.parametrize(
    ("test", "inside", "outside"),
    [
        ({"above": 0.5}, 0.6, 0.5),
        ({"below": 0.5}, 0.4, 0.5),
        ({"at_most": 0.5}, 0.5, 0.6),
        ({"at_least": 0.2, "below": 0.4}, 0.3, 0.4),
        ({"equals": 1}, 1.0, 0.0),
    ],
)
def test_every_comparison(test: dict[str, float], inside: float, outside: float) -> None:
    """Every word of the comparison language means what it says at its edge."""
    rule = [{"id": "r", "when": {"p_wrong": test}, "then": "block"}]
    assert decide(policy(rule), assessment(p_wrong=inside)).action is Action.BLOCK
    assert decide(policy(rule), assessment(p_wrong=outside)).action is Action.RELEASE
