"""The fail-closed self-test: before serving, checks are broken on purpose and the policy must notice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gatekeeper.assess import assess
from gatekeeper.assessment import Finding, Judgement, Subject
from gatekeeper.auxiliary import DrawCall, Drawn, LabelCall, Problem, Reading
from gatekeeper.checks.base import Check
from gatekeeper.claims import read_claims
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
from gatekeeper.policy.model import ASKING
from gatekeeper.wire.request import parse_chat

_ANSWER = Answer(index=0, content="The interval is 6 months.")
_CASE = Case(
    Conversation(Surface.CHAT, "self-test", (), {}),
    Evidence((), EvidenceState.NONE),
    Query("What is the interval?"),
)
_CHOICE = Answer(index=0, content="A")
_ASKED = {
    "messages": [{"role": "user", "content": "What is the interval?\nA. 6 months\nB. 12 months"}],
    "evidence": ["The interval is 6 months."],
}


@dataclass(frozen=True, slots=True)
class _Broken:
    """Stands in for an enabled check and always fails."""

    name: str
    inline: bool = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        raise RuntimeError("broken on purpose")


class _Silent:
    """Stands in for the model that checks ask, and never answers."""

    async def label(self, calls: Sequence[LabelCall], within_s: float) -> list[Reading]:
        return [Reading(problem=Problem.ERROR)] * len(calls)

    async def draw(self, calls: Sequence[DrawCall], within_s: float) -> list[Drawn]:
        return [Drawn(problem=Problem.ERROR)] * len(calls)


async def fails_closed(gate: Gate) -> None:
    """Judge a canned answer with each check broken in turn, then one with a model that never answers.

    Raise PolicyError when that goes unnoticed: the check's `unavailable` action must be asked for.
    """
    silent = replace(gate, auxiliary=_Silent())
    for check in gate.bundle.checks:
        checks = tuple(_Broken(other.name) if other is check else other for other in gate.bundle.checks)
        broken = replace(silent, bundle=replace(gate.bundle, checks=checks))
        _notices(gate, await _judged(broken, _CASE, _ANSWER), check.name)
    judged = await _judged(silent, silent.read(parse_chat(_ASKED)), _CHOICE)
    for check in gate.bundle.checks:
        if check.name in ASKING and getattr(gate.bundle.policy.checks, check.name).asks:
            _notices(gate, judged, check.name)
    if gate.bundle.in_doubt is not None:
        for check in (_Broken(gate.bundle.in_doubt.name), gate.bundle.in_doubt):
            _notices(gate, await _doubted(silent, check), check.name)


async def _judged(gate: Gate, case: Case, answer: Answer) -> Judgement:
    return await gate.judge(case, Completion((answer,), {}), answer, Timings())


async def _doubted(gate: Gate, check: Check) -> Judgement:
    """Judge by a check alone that only answers in doubt get to see."""
    case = gate.read(parse_chat(_ASKED))
    subject = Subject(case, _CHOICE, read_claims(_CHOICE, case.query, reasoning=False), gate.auxiliary)
    assessment = assess(subject, await gate.guarded(check, subject, {}))
    return Judgement(_CHOICE, assessment, gate.bundle.rules.decide(assessment))


def _notices(gate: Gate, judgement: Judgement, check: str) -> None:
    asked = [
        reason.action
        for reason in judgement.decision.reasons
        if reason.rule == "check_unavailable" and check in reason.signals
    ]
    if asked != [getattr(gate.bundle.policy.checks, check).unavailable]:
        raise PolicyError(f"self-test: the failing check '{check}' went unnoticed; the gate does not start")
