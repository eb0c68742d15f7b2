"""The fail-closed self-test: before serving, a check is broken on purpose and the policy must notice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gatekeeper.assessment import Finding, Subject
from gatekeeper.errors import PolicyError
from gatekeeper.exchange import (
    Answer,
    Case,
    Completion,
    Conversation,
    Evidence,
    EvidenceState,
    Query,
    Surface,
)
from gatekeeper.gate import Gate, Timings


@dataclass(frozen=True, slots=True)
class _Broken:
    """Stands in for an enabled check and always fails."""

    name: str
    inline: bool = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        raise RuntimeError("broken on purpose")


async def fails_closed(gate: Gate) -> None:
    """Judge a canned answer with each check broken in turn.

    Raise PolicyError when a broken check goes unnoticed: its `unavailable` action must be asked for.
    """
    policy = gate.bundle.policy
    answer = Answer(index=0, content="The interval is 6 months.")
    case = Case(
        Conversation(Surface.CHAT, "self-test", (), {}),
        Evidence((), EvidenceState.NONE),
        Query("What is the interval?"),
    )
    for check in gate.bundle.checks:
        checks = tuple(_Broken(other.name) if other is check else other for other in gate.bundle.checks)
        broken = replace(gate, bundle=replace(gate.bundle, checks=checks))
        judgement = await broken.judge(case, Completion((answer,), {}), answer, Timings())
        asked = [
            reason.action
            for reason in judgement.decision.reasons
            if reason.rule == "check_unavailable" and check.name in reason.signals
        ]
        if asked != [getattr(policy.checks, check.name).unavailable]:
            raise PolicyError(
                f"self-test: the failing check '{check.name}' went unnoticed; the gate does not start"
            )
