"""Signals → action. Pure: the same assessment under the same policy gives the same decision."""

from collections.abc import Iterable, Mapping

from gatekeeper.assessment import Action, Assessment, Decision, Reason, SignalValue, strictest
from gatekeeper.policy.model import Policy, Rule


def decide(policy: Policy, assessment: Assessment) -> Decision:
    """Return the strictest action that any rule or any unavailable check asks for.

    In shadow mode the decision delivers (`release`) and `would` keeps what enforcing had done.
    """
    signals = assessment.signals
    matched = [_reason(rule, signals) for rule in policy.rules if matches(rule, signals)]
    matched += _unavailable(policy, assessment.unavailable)
    reasons = tuple(sorted(matched, key=lambda reason: -reason.action.severity))
    would = strictest(reason.action for reason in reasons)
    delivered = Action.RELEASE if policy.mode == "shadow" else would
    return Decision(action=delivered, reasons=reasons, would=would)


def matches(rule: Rule, signals: Mapping[str, SignalValue]) -> bool:
    """Return whether every test of a rule holds; a missing signal holds unless the rule skips it."""
    for name, test in rule.when.items():
        value = signals.get(name)
        if value is None:
            if rule.unavailable == "skip":
                return False
        elif not test.holds(value):
            return False
    return True


def _reason(rule: Rule, signals: Mapping[str, SignalValue]) -> Reason:
    values = {name: signals.get(name) for name in rule.when}
    return Reason(rule=rule.id, action=rule.then, signals=values, message=rule.message)


def _unavailable(policy: Policy, checks: Iterable[str]) -> list[Reason]:
    return [
        Reason(
            rule="check_unavailable",
            action=getattr(policy.checks, check).unavailable,
            signals={check: "unavailable"},
            message=f"The check '{check}' could not judge this answer.",
        )
        for check in checks
    ]
