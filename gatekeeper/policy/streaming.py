"""Whether a stream may leave sentence by sentence, or waits for its end.

A sentence that has left cannot be taken back. So a rule that holds answers must come to the same of the
beginning of an answer as of the whole: all its tests are settled before the answer, or are lower bounds
of numbers that never fall while the answer grows. A rule that annotates may read the whole, because its
note follows the text.
"""

from typing import Final

from gatekeeper.assessment import Action
from gatekeeper.exchange import Conversation, Surface
from gatekeeper.policy.model import ASKING, CHECKS, Policy, Rule, Test

_FIXED: Final = frozenset(
    {
        "answer.empty",
        "evidence.conflicts",
        "evidence.documents",
        "evidence.state",
        "query.multiple_choice",
        "triage.high_risk",
        "triage.injection",
    }
)
"""Known before the answer; `answer.empty` is settled by its first word."""

_RISING: Final = frozenset(
    {
        "claims.contradicted",
        "claims.not_addressed",
        "claims.supported",
        "claims.total",
        "claims.ungrounded",
        "p_contradicted",
    }
)
"""Never fall while the answer grows, so reaching a lower bound is final."""


def needs_whole(policy: Policy) -> tuple[str, ...]:
    """Return why a policy can judge no sentence before the end, one reason each; empty if it can."""
    reasons = [
        f"rule '{rule.id}' reads {', '.join(late)} of the whole answer"
        for rule in policy.rules
        if rule.then.holds and (late := _late(policy, rule))
    ]
    reasons += [
        f"rule '{rule.id}' asks for another answer" for rule in policy.rules if rule.then is Action.REGENERATE
    ]
    reasons += [
        f"check '{check}' asks for another answer where it fails"
        for check in CHECKS
        if policy.checks.enabled(check) and getattr(policy.checks, check).unavailable is Action.REGENERATE
    ]
    reasons += [
        f"check '{check}' asks a model, which reads the whole answer"
        for check in ASKING
        if getattr(policy.checks, check).asks
    ]
    if policy.reasoning == "judge":
        reasons.append("reasoning is judged with the answer that follows from it")
    return tuple(reasons)


def in_windows(policy: Policy, conversation: Conversation) -> bool:
    """Whether this stream leaves sentence by sentence.

    Several choices, tools, JSON and token probabilities that the client asked for are judged whole.
    """
    form = conversation.body.get("response_format")
    prose = not isinstance(form, dict) or form.get("type", "text") == "text"
    return (
        policy.streaming == "window"
        and conversation.stream
        and conversation.surface is Surface.CHAT
        and conversation.n == 1
        and not conversation.has_tools
        and not conversation.wants_logprobs
        and prose
        and not needs_whole(policy)
    )


def _late(policy: Policy, rule: Rule) -> list[str]:
    topics = {f"triage.{topic}" for topic in policy.checks.triage.topics}
    return [
        signal
        for signal, test in rule.when.items()
        if signal not in _FIXED | topics and not (signal in _RISING and _is_floor(test))
    ]


def _is_floor(test: Test) -> bool:
    return test.at_most is None and test.below is None and test.equals is None
