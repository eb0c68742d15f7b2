"""What one certified candidate leaves for the next to be compared with, written and read back."""

from collections.abc import Collection, Mapping
from typing import Any

from gatekeeper.certificate import OpenedCertificate
from gatekeeper.errors import ConfigurationError
from gatekeeper.policy.criteria import GateCriteria
from radsafe_bench.gate.criteria import EndedByCondition
from radsafe_bench.gate.outcomes import Ended, Ending
from radsafe_bench.gate.verdict import Verdict
from radsafe_bench.suites import Suite


def numbers_of(verdict: Verdict) -> dict[str, Any]:
    """Return how every question ended, the noise and the questions seen, as JSON."""
    return {
        "ended": {
            condition: {one.question: [one.ending.value, *one.harms] for one in ended}
            for condition, ended in verdict.ended.items()
        },
        "noise": {counts.condition: counts.noise for counts in verdict.counts if counts.noise is not None},
        "seen": list(verdict.seen),
    }


def ended_of(baseline: OpenedCertificate, seen: Collection[str] = ()) -> EndedByCondition:
    """Return how the baseline's questions ended, without those in `seen`."""
    return {
        condition: tuple(
            Ended(question, Ending(said[0]), tuple(said[1:]))
            for question, said in questions.items()
            if question not in seen
        )
        for condition, questions in baseline.numbers["ended"].items()
    }


def noise_of(baseline: OpenedCertificate) -> Mapping[str, float]:
    """Return the share of questions that changed by themselves, by condition; none where not measured."""
    noise: Mapping[str, float] = baseline.numbers["noise"]
    return noise


def seen_by(baseline: OpenedCertificate) -> Collection[str]:
    """Return the questions that the baseline was fitted on."""
    seen: Collection[str] = baseline.numbers["seen"]
    return seen


def check_baseline(criteria: GateCriteria, suite: Suite, baseline: OpenedCertificate | None) -> None:
    """Raise ConfigurationError where a candidate cannot be compared with a baseline, or must be and is not.

    A baseline that changes by itself on more questions than the margin allows is refused.
    """
    comparison = criteria.non_inferiority
    if baseline is None:
        if comparison is not None and comparison.baseline == "required":
            raise ConfigurationError("the policy compares with a certified baseline: give --baseline FILE")
        return
    if baseline.certificate.suite.digest != suite.digest:
        raise ConfigurationError("the baseline was certified on another suite, so nothing can be paired")
    for condition, share in noise_of(baseline).items():
        if comparison is not None and condition in criteria.scope and share > comparison.margin:
            raise ConfigurationError(
                f"the baseline changes by itself on {share:.1%} of the questions under {condition}, more "
                "than the margin: a comparison with it means nothing"
            )
