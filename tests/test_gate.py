"""The whole pipeline: checks that fail, answers that are asked for again, several choices, one decision."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import log
from typing import Any

import pytest

from gatekeeper.assessment import Action, Finding, Judgement, Subject, Verdict
from gatekeeper.audit import record_of
from gatekeeper.auxiliary import Drawn
from gatekeeper.backends.base import Capabilities
from gatekeeper.bundle import bundle_of
from gatekeeper.calibration import Calibration, Calibrations
from gatekeeper.checks.base import Check
from gatekeeper.checks.samples import Samples
from gatekeeper.envelope import envelope_of
from gatekeeper.errors import NotSupported, PolicyError, UpstreamError
from gatekeeper.exchange import (
    Alternative,
    Answer,
    Case,
    Completion,
    EvidenceState,
    JsonObject,
    LogprobQuality,
    Token,
)
from gatekeeper.gate import Bundle, Gate, Outcome, new_decision_id
from gatekeeper.policy import LoadedPolicy, Policy
from gatekeeper.server.selftest import fails_closed
from tests.cases import TODAY, user
from tests.judging import Reader

WITHHOLD = "Metformin is withheld for 48 hours after contrast."
WRONG = "Metformin is withheld for 24 hours after contrast."
QUESTION = "How long is metformin withheld?"

HOLD = {"id": "contradicted", "when": {"p_contradicted": {"at_least": 0.5}}, "then": "escalate"}
AGAIN = {**HOLD, "then": "regenerate"}


@dataclass
class Told:
    """A backend that gives the answers it was told, one list of choices per call, and keeps the prompts."""

    said: Sequence[Sequence[str | Answer]]
    fingerprint: str | None = "told"
    prompts: list[JsonObject] = field(default_factory=list)
    name: str = "told"

    async def complete(self, case: Case) -> Completion:
        """Return the next answers, the last ones again where none are left."""
        self.prompts.append(case.conversation.body)
        choices = self.said[min(len(self.prompts), len(self.said)) - 1]
        answers = tuple(
            Answer(index, choice) if isinstance(choice, str) else choice
            for index, choice in enumerate(choices)
        )
        return Completion(answers, {}, fingerprint=self.fingerprint)

    def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Refuse: these tests read whole answers."""
        raise NotSupported("whole answers only")

    async def start(self) -> Capabilities:
        """Open nothing."""
        return Capabilities(True, 20, True, True)

    async def close(self) -> None:
        """Close nothing."""

    async def healthy(self) -> bool:
        """Return True."""
        return True

    async def models(self) -> JsonObject:
        """Return no models."""
        return {}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Refuse: there are no embeddings."""
        raise NotSupported("no embeddings")


@dataclass
class Says:
    """A check that finds what it was given, or fails as it was told."""

    name: str
    found: Sequence[Finding] = ()
    error: BaseException | None = None
    hangs: bool = False
    inline: bool = False
    running: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Hang, fail or return the findings."""
        self.running.set()
        try:
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.running.clear()
        if self.error is not None:
            raise self.error
        return self.found


def policy(*rules: dict[str, Any], timeout_s: float = 30.0, **rest: Any) -> Policy:
    """Return a policy of some rules; `timeout_s` is short where a check hangs on purpose."""
    checks = {name: {"timeout_s": timeout_s} for name in ("slots", "confidence", "hedging", "triage")}
    given = {"name": "test", "version": "1", "checks": checks, "rules": list(rules) or [HOLD], **rest}
    return Policy.model_validate(given)


def gate(
    backend: Told, under: Policy, checks: Sequence[Check] | None = None, *calibrations: Calibration
) -> Gate:
    """Return a gate with the policy's own checks, or with others in their place."""
    bundle = bundle_of(LoadedPolicy(under, "sha256:test", "test"), Calibrations(calibrations))
    if checks is not None:
        bundle = Bundle(bundle.loaded, tuple(checks), bundle.calibrations)
    return Gate(backend, bundle, today=lambda: TODAY)


async def answer(of: Gate, *evidence: str | dict[str, str], **body: Any) -> Outcome:
    """Ask the gate."""
    return await of.answer(user(QUESTION, evidence=list(evidence), **body), "gkd_test")


def actions(outcome: Outcome) -> list[Action]:
    """Return the action for each choice."""
    return [judgement.decision.action for judgement in outcome.judgements]


def rules(judgement: Judgement) -> list[str]:
    """Return the rules that asked for the action."""
    return [reason.rule for reason in judgement.decision.reasons]


async def test_a_supported_answer_leaves() -> None:
    """An answer that says what the evidence says is released, once, as it was generated."""
    backend = Told([[WITHHOLD]])
    outcome = await answer(gate(backend, policy()), WITHHOLD)
    assert outcome.action is Action.RELEASE
    assert outcome.judgements[0].answer.content == WITHHOLD
    assert (outcome.tries, len(backend.prompts), outcome.decision_id) == (0, 1, "gkd_test")


async def test_a_contradicted_answer_is_held() -> None:
    """One flipped number holds the answer, with the rule that asked for it."""
    outcome = await answer(gate(Told([[WRONG]]), policy()), WITHHOLD)
    assert outcome.action is Action.ESCALATE
    assert rules(outcome.judgements[0]) == ["contradicted"]


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize(
    ("broken", "detector"),
    [
        ({"error": RuntimeError("broken")}, "slots.error"),
        ({"error": TimeoutError()}, "slots.timeout"),
        ({"hangs": True}, "slots.timeout"),
    ],
)
async def test_a_failing_check_never_reads_as_safe(
    inline: bool, broken: dict[str, Any], detector: str
) -> None:
    """A check that crashes or hangs is a finding of its own, and the policy's action follows."""
    check = Says("slots", inline=inline, **broken)
    outcome = await answer(gate(Told([[WITHHOLD]]), policy(timeout_s=0.05), [check]), WITHHOLD)
    (judgement,) = outcome.judgements
    assert outcome.action is Action.ESCALATE
    assert "check_unavailable" in rules(judgement)
    assert judgement.assessment.findings == (Finding("slots", detector, Verdict.UNAVAILABLE),)


async def test_the_other_checks_are_heard_beside_a_broken_one() -> None:
    """One broken check does not silence the rest."""
    found = Finding("hedging", "hedging.hedged", value=1.0)
    checks = [Says("slots", hangs=True), Says("triage", error=ValueError()), Says("hedging", [found])]
    (judgement,) = (await answer(gate(Told([[WITHHOLD]]), policy(timeout_s=0.05), checks))).judgements
    assert judgement.assessment.unavailable == ("slots", "triage")
    assert judgement.assessment.signals["hedging.hedged"] == 1.0


async def test_the_policy_says_what_a_failed_check_means() -> None:
    """A check whose failure only annotates does not hold the answer."""
    checks = {"hedging": {"timeout_s": 0.05, "unavailable": "annotate"}}
    rule = {"id": "never", "when": {"evidence.documents": {"above": 99}}, "then": "block"}
    under = policy(rule, checks=checks)
    outcome = await answer(gate(Told([[WITHHOLD]]), under, [Says("hedging", hangs=True)]), WITHHOLD)
    assert outcome.action is Action.ANNOTATE


async def test_a_client_that_leaves_stops_the_judging() -> None:
    """Cancelling a request cancels its checks, and is not mistaken for a failed check."""
    check = Says("slots", hangs=True)
    task = asyncio.create_task(answer(gate(Told([[WITHHOLD]]), policy(), [check])))
    await check.running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not check.running.is_set()


async def test_a_failing_backend_is_an_error_and_no_answer() -> None:
    """A model server that fails reaches the client as such; nothing is judged in its place."""

    class Failing(Told):
        async def complete(self, case: Case) -> Completion:
            raise UpstreamError("the model server failed", status=503)

    with pytest.raises(UpstreamError):
        await answer(gate(Failing([]), policy()), WITHHOLD)


async def test_a_second_answer_can_be_released() -> None:
    """Asked again with the evidence before it, the model corrects itself, and that answer leaves."""
    backend = Told([[WRONG], [WITHHOLD]])
    outcome = await answer(gate(backend, policy(AGAIN)), WITHHOLD)
    assert (outcome.action, outcome.tries) == (Action.RELEASE, 1)
    assert outcome.judgements[0].answer.content == WITHHOLD
    first, second = (prompt["messages"] for prompt in backend.prompts)
    assert first == [{"role": "user", "content": QUESTION}]
    assert second[0]["role"] == "system"
    assert WITHHOLD in second[0]["content"]
    assert policy().regenerate.instruction in second[0]["content"]


@pytest.mark.parametrize("tries", [1, 3])
async def test_tries_end(tries: int) -> None:
    """A model that stays wrong is asked as often as the policy says, then its answer is held."""
    backend = Told([[WRONG]])
    under = policy(AGAIN, regenerate={"tries": tries, "then": "abstain"})
    outcome = await answer(gate(backend, under), WITHHOLD)
    assert (outcome.action, outcome.tries, len(backend.prompts)) == (Action.ABSTAIN, tries, tries + 1)
    decision = outcome.judgements[0].decision
    assert rules(outcome.judgements[0]) == ["regeneration_failed", "contradicted"]
    assert decision.would is Action.ABSTAIN
    assert decision.reasons[0].signals == {"tries": float(tries)}


async def test_a_stricter_rule_is_not_asked_again() -> None:
    """An answer that is held anyway costs no second generation."""
    backend = Told([[WRONG]])
    again = {**AGAIN, "id": "again"}
    outcome = await answer(gate(backend, policy(again, HOLD)), WITHHOLD)
    assert (outcome.action, len(backend.prompts)) == (Action.ESCALATE, 1)


async def test_shadow_mode_asks_once_and_remembers() -> None:
    """In shadow mode the first answer leaves; what would have happened is on record."""
    backend = Told([[WRONG], [WITHHOLD]])
    outcome = await answer(gate(backend, policy(AGAIN, mode="shadow")), WITHHOLD)
    decision = outcome.judgements[0].decision
    assert (decision.action, decision.would, len(backend.prompts)) == (Action.RELEASE, Action.REGENERATE, 1)


async def test_every_choice_is_judged() -> None:
    """With n > 1, one wrong choice is held, the right one beside it is not, and the strictest is named."""
    outcome = await answer(gate(Told([[WITHHOLD, WRONG, WITHHOLD]]), policy()), WITHHOLD, n=3)
    assert actions(outcome) == [Action.RELEASE, Action.ESCALATE, Action.RELEASE]
    assert outcome.action is Action.ESCALATE


async def test_one_wrong_choice_asks_for_all_again() -> None:
    """Choices come from one generation, so all are asked for again, and the second lot is judged."""
    backend = Told([[WITHHOLD, WRONG], [WRONG, WITHHOLD]])
    outcome = await answer(gate(backend, policy(AGAIN)), WITHHOLD, n=2)
    assert len(backend.prompts) == 2
    assert actions(outcome) == [Action.ESCALATE, Action.RELEASE]


async def test_no_evidence_is_a_reason() -> None:
    """A policy that needs evidence holds an answer to a bare question."""
    rule = {"id": "none", "when": {"evidence.state": {"equals": "none"}}, "then": "abstain"}
    outcome = await answer(gate(Told([[WITHHOLD]]), policy(rule)))
    assert (outcome.action, outcome.case.evidence.state) == (Action.ABSTAIN, EvidenceState.NONE)


@pytest.mark.parametrize(("today", "state"), [(date(2026, 1, 1), "supplied"), (date(2026, 1, 2), "expired")])
async def test_the_gates_own_day_decides_what_has_expired(today: date, state: str) -> None:
    """Evidence that was valid yesterday is expired today, without a restart."""
    asked = gate(Told([[WITHHOLD]]), policy())
    there = Gate(asked.backend, asked.bundle, today=lambda: today)
    outcome = await answer(there, {"text": WITHHOLD, "expires": "2026-01-01"})
    assert outcome.case.evidence.state == state


REASONING_RULE = {"id": "hold", "when": {"claims.contradicted": {"at_least": 1}}, "then": "escalate"}


@pytest.mark.parametrize(("reasoning", "action"), [("strip", "release"), ("judge", "escalate")])
async def test_reasoning_is_judged_where_it_is_delivered(reasoning: str, action: str) -> None:
    """Reasoning that is stripped holds nothing; reasoning that leaves is judged like the answer."""
    said = Answer(0, WITHHOLD, reasoning=WRONG)
    outcome = await answer(gate(Told([[said]]), policy(REASONING_RULE, reasoning=reasoning)), WITHHOLD)
    assert outcome.action == action


FITTED: dict[str, Any] = {
    "fingerprint": "told",
    "confidence": {"intercepts": {"supplied": -5.0}, "terms": [{"signal": "confidence.raw", "weight": 0.0}]},
}


@pytest.mark.parametrize(
    ("fingerprint", "state"), [("told", "calibrated"), ("other", "uncalibrated"), (None, "uncalibrated")]
)
async def test_a_calibration_is_applied_to_its_own_model_only(fingerprint: str | None, state: str) -> None:
    """The model that answered decides which calibration counts, not the one that was configured."""
    token = Token(WITHHOLD, -0.1, (Alternative(WITHHOLD, -0.1),), offset=0)
    said = Answer(0, WITHHOLD, (token,), LogprobQuality.FULL)
    asked = gate(Told([[said]], fingerprint), policy(), None, Calibration.model_validate(FITTED))
    (judgement,) = (await answer(asked, WITHHOLD)).judgements
    assert judgement.assessment.signals["calibration.state"] == state


async def test_the_same_exchange_gives_the_same_judgement() -> None:
    """A recorded exchange is decided alike every time: nothing but id and clock differ."""
    said = [[WITHHOLD, WRONG, "It is probably 3 days.", ""]]
    once = await answer(gate(Told(said), policy()), WITHHOLD, n=4)
    again = await answer(gate(Told(said), policy()), WITHHOLD, n=4)
    assert once.judgements == again.judgements


async def test_the_order_of_checks_changes_no_decision() -> None:
    """Checks judge on their own, so listing them otherwise gives the same action and reasons."""
    usual = gate(Told([[WRONG]]), policy())
    turned = gate(Told([[WRONG]]), policy(), usual.bundle.checks[::-1])
    one = await answer(usual, WITHHOLD)
    other = await answer(turned, WITHHOLD)
    assert one.judgements[0].decision == other.judgements[0].decision


async def test_time_is_kept_for_every_check() -> None:
    """Metrics can say where the time went: each check that ran is named, the backend apart."""
    outcome = await answer(gate(Told([[WITHHOLD]]), policy()), WITHHOLD)
    assert set(outcome.timings.checks) == {"slots", "confidence", "hedging", "triage"}
    assert outcome.timings.overhead == outcome.timings.total - outcome.timings.upstream


def test_decision_ids_are_never_given_twice() -> None:
    """Two decisions can always be told apart in the log."""
    assert len({new_decision_id() for _ in range(1000)}) == 1000
    assert new_decision_id().startswith("gkd_")


DOUBT: dict[str, Any] = {"enabled": True, "answers": 2, "band": [0.2, 0.8]}
TORN = {
    "id": "torn",
    "when": {"samples.wanted": {"equals": 1}, "samples.agreement": {"below": 0.6}},
    "then": "abstain",
}


def doubting(said: str, drawn: Sequence[str], p_right: float) -> tuple[Gate, Reader]:
    """Return a gate before an answer of some probability, and the model that draws samples of it."""
    token = Token(said, log(p_right), (Alternative(said, log(p_right)),), offset=0)
    backend = Told([[Answer(0, said, (token,), LogprobQuality.FULL)]])
    checks = {"samples": DOUBT, "slots": {"enabled": False}}
    under = Policy.model_validate({"name": "doubt", "version": "1", "checks": checks, "rules": [TORN]})
    model = Reader(draws=[Drawn(text) for text in drawn])
    return replace(gate(backend, under), auxiliary=model), model


@pytest.mark.parametrize(
    ("p_right", "drawn", "action", "asked"),
    [
        (0.95, [WRONG, WRONG], Action.RELEASE, 0),
        (0.05, [WRONG, WRONG], Action.RELEASE, 0),
        (0.5, [WRONG, WRONG], Action.ABSTAIN, 2),
        (0.5, [WITHHOLD, WITHHOLD], Action.RELEASE, 2),
        (0.5, [], Action.ABSTAIN, 2),
    ],
    ids=["sure", "hopeless", "torn", "firm", "none came"],
)
async def test_samples_are_drawn_in_doubt_only(
    p_right: float, drawn: list[str], action: Action, asked: int
) -> None:
    """Outside the band nothing more is generated; inside it the decision waits for the samples."""
    asking, model = doubting(WITHHOLD, drawn, p_right)
    outcome = await answer(asking, WITHHOLD)
    assert (outcome.action, len(model.drawn)) == (action, asked)
    assert outcome.judgements[0].assessment.signals["samples.wanted"] == float(asked > 0)
    assert ("samples" in outcome.timings.checks) == (asked > 0)


async def test_samples_are_neither_delivered_nor_logged() -> None:
    """Of the drawn answers numbers remain: the response and the log hold none of their words."""
    asking, _ = doubting(WITHHOLD, ["Zebra crossing.", "Zebra foal."], 0.5)
    outcome = await answer(asking, WITHHOLD)
    seen = f"{envelope_of(outcome)}{record_of(outcome)}"
    assert "Zebra" not in seen
    assert "samples.agreement" in seen
    assert envelope_of(outcome)["assessment"]["samples"]["drawn"] == 2.0


async def test_the_self_test_notices_samples_that_fail_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a model that draws nothing passed for agreement, the process would not start."""
    asking, model = doubting(WITHHOLD, [], 0.5)
    await fails_closed(asking)
    assert model.drawn == []

    async def open_check(self: object, subject: Subject) -> Sequence[Finding]:
        return ()

    monkeypatch.setattr(Samples, "__call__", open_check)
    with pytest.raises(PolicyError, match="'samples' went unnoticed"):
        await fails_closed(asking)
