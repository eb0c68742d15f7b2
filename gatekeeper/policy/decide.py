"""Signals → action. Pure: the same assessment under the same policy gives the same decision."""

from collections.abc import Mapping
from typing import Final, final

from gatekeeper.assessment import Action, Assessment, Decision, Reason, SignalValue
from gatekeeper.policy.model import CHECKS, LOOKUP, Policy, Rule, Test

_LOOKUP: Final = Reason(
    LOOKUP, Action.RELEASE, {"answer.lookup": 1.0}, "Only looks evidence up, and says nothing."
)


def decide(policy: Policy, assessment: Assessment) -> Decision:
    """Return what a policy decides of one answer; who asks again and again keeps its Rulebook."""
    return Rulebook(policy).decide(assessment)


@final
class Rulebook:
    """A policy's rules, read out of its model once: to read that takes longer than to test an answer."""

    __slots__ = ("_delivers", "_rulings", "_unavailable")

    def __init__(self, policy: Policy) -> None:
        self._rulings = [Ruling(rule) for rule in policy.rules]
        self._delivers = policy.mode == "shadow"
        self._unavailable: dict[str, Action] = {
            check: getattr(policy.checks, check).unavailable for check in CHECKS
        }

    def decide(self, assessment: Assessment) -> Decision:
        """Return the strictest action that any rule or any unavailable check asks for.

        In shadow mode the decision delivers (`release`) and `would` keeps what enforcing had done. What
        only looks evidence up is no answer yet, so no rule is asked; a check that failed counts all the same.
        """
        signals = assessment.signals
        if signals.get("answer.lookup"):
            reasons = [_LOOKUP]
        else:
            reasons = [ruling.reason(signals) for ruling in self._rulings if ruling.matches(signals)]
        reasons += [_unavailable(check, self._unavailable[check]) for check in assessment.unavailable]
        if len(reasons) > 1:
            reasons.sort(key=_mildness)
        would = reasons[0].action if reasons else Action.RELEASE
        return Decision(Action.RELEASE if self._delivers else would, tuple(reasons), would)


@final
class Ruling:
    """One rule as answers meet it."""

    __slots__ = ("_conditions", "_rule")

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        skips = rule.unavailable == "skip"
        self._conditions = [_Condition(signal, test, skips) for signal, test in rule.when.items()]

    def matches(self, signals: Mapping[str, SignalValue]) -> bool:
        """Return whether every test of the rule holds; a missing signal holds unless the rule skips it."""
        for condition in self._conditions:  # noqa: SIM110 - a generator would be made for every rule
            if not condition.holds(signals.get(condition.signal)):
                return False
        return True

    def reason(self, signals: Mapping[str, SignalValue]) -> Reason:
        """Return the rule as a reason, with the signals that it matched on."""
        values = {condition.signal: signals.get(condition.signal) for condition in self._conditions}
        return Reason(self._rule.id, self._rule.then, values, self._rule.message)


@final
class _Condition:
    """One test of a rule: the signal, and what it must be."""

    __slots__ = ("_above", "_at_least", "_at_most", "_below", "_equals", "_one_of", "_skips", "signal")

    def __init__(self, signal: str, test: Test, skips: bool) -> None:
        self.signal = signal
        self._skips = skips
        self._at_least = test.at_least
        self._above = test.above
        self._at_most = test.at_most
        self._below = test.below
        self._equals = test.equals
        self._one_of = test.one_of

    def holds(self, value: SignalValue | None) -> bool:
        """Return whether a value passes the test, or a missing one is not to be skipped."""
        if value is None:
            return not self._skips
        if isinstance(value, str):
            return value == self._equals or (self._one_of is not None and value in self._one_of)
        return (
            (self._at_least is None or value >= self._at_least)
            and (self._above is None or value > self._above)
            and (self._at_most is None or value <= self._at_most)
            and (self._below is None or value < self._below)
            and (self._equals is None or value == self._equals)
        )


def _mildness(reason: Reason) -> int:
    return -reason.action.severity


def _unavailable(check: str, action: Action) -> Reason:
    message = f"The check '{check}' could not judge this answer."
    return Reason("check_unavailable", action, {check: "unavailable"}, message)
