"""The whole pipeline: read → generate → claims → check → assess → decide."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from gatekeeper.assess import assess
from gatekeeper.assessment import Action, Assessment, Finding, Judgement, Reason, Subject, Verdict
from gatekeeper.auxiliary import Auxiliary
from gatekeeper.backends.base import Backend
from gatekeeper.calibration import Calibrations
from gatekeeper.checks.base import Check
from gatekeeper.checks.samples import wanted
from gatekeeper.claims import read_claims, read_query
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Answer, Case, Completion, Conversation
from gatekeeper.policy import LoadedPolicy, Policy, Rulebook
from gatekeeper.policy.model import CHECKS
from gatekeeper.prompting import bind_to_evidence, shape


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that decisions depend on, swapped as a whole when a policy is reloaded.

    `checks` read every answer, `in_doubt` only one whose risk lies in the policy's uncertain band. `rules`
    and `seconds`, by check what it may take, are the policy's, out of its model, which is slow to read.
    """

    loaded: LoadedPolicy
    checks: tuple[Check, ...]
    calibrations: Calibrations = field(default_factory=Calibrations)
    certified: bool = False
    in_doubt: Check | None = None
    rules: Rulebook = field(init=False, compare=False, repr=False)
    seconds: Mapping[str, float] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        settings = self.policy.checks
        object.__setattr__(self, "rules", Rulebook(self.policy))
        object.__setattr__(self, "seconds", {name: getattr(settings, name).timeout_s for name in CHECKS})

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.loaded.policy


@dataclass(slots=True)
class Timings:
    """Seconds spent on one request: in all, waiting for the backend, and in each check."""

    total: float = 0.0
    upstream: float = 0.0
    checks: dict[str, float] = field(default_factory=dict)

    @property
    def overhead(self) -> float:
        """Seconds that the gate itself added."""
        return max(0.0, self.total - self.upstream)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request. `action` is the strictest over all choices."""

    decision_id: str
    at: datetime
    case: Case
    completion: Completion
    judgements: tuple[Judgement, ...]
    bundle: Bundle
    tries: int
    timings: Timings

    @property
    def action(self) -> Action:
        """The strictest action over all choices."""
        return self.leading.decision.action

    @property
    def leading(self) -> Judgement:
        """The judgement of the strictest action, the first one where several have it."""
        if len(self.judgements) == 1:
            return self.judgements[0]
        return max(self.judgements, key=lambda judgement: judgement.decision.action.severity)


def new_decision_id() -> str:
    """Return a fresh decision id; it is known before the decision, so that streams can name it."""
    return "gkd_" + os.urandom(12).hex()


@dataclass(frozen=True, slots=True)
class Gate:
    """One backend under one bundle. Immutable: a reload makes a new Gate.

    `auxiliary` answers the model calls that checks make; without one those checks are unavailable.
    """

    backend: Backend
    bundle: Bundle
    auxiliary: Auxiliary | None = None
    today: Callable[[], date] = field(default=lambda: datetime.now(UTC).date())

    async def answer(self, conversation: Conversation, decision_id: str) -> Outcome:
        """Generate an answer, judge every choice of it, and say what the application gets."""
        began, timings, policy = time.perf_counter(), Timings(), self.bundle.policy
        case = self.read(conversation)
        prompt, tries = shape(case, policy), 0
        completion = await self.generate(prompt, timings)
        judgements = await self.judge_all(case, completion, timings)
        while _asks_again(judgements) and tries < policy.regenerate.tries:
            tries += 1
            prompt = bind_to_evidence(case, policy.regenerate.instruction)
            completion = await self.generate(prompt, timings)
            judgements = await self.judge_all(case, completion, timings)
        timings.total = time.perf_counter() - began
        return Outcome(
            decision_id=decision_id,
            at=datetime.now(UTC),
            case=case,
            completion=completion,
            judgements=tuple(_settle(judgement, policy) for judgement in judgements),
            bundle=self.bundle,
            tries=tries,
            timings=timings,
        )

    def read(self, conversation: Conversation) -> Case:
        """Find the evidence and the question in a conversation."""
        evidence = read_evidence(conversation, self.today())
        return Case(conversation, evidence, read_query(conversation, evidence))

    async def generate(self, case: Case, timings: Timings) -> Completion:
        """Ask the backend; whatever it streams has ended before anything is judged."""
        began = time.perf_counter()
        try:
            return await self.backend.complete(case)
        finally:
            timings.upstream += time.perf_counter() - began

    async def judge_all(self, case: Case, completion: Completion, timings: Timings) -> list[Judgement]:
        """Judge every choice of a completion."""
        return [await self.judge(case, completion, answer, timings) for answer in completion.answers]

    async def judge(self, case: Case, completion: Completion, answer: Answer, timings: Timings) -> Judgement:
        """Judge one answer: claims → findings → assessment → decision."""
        policy = self.bundle.policy
        claims = read_claims(answer, case.query, reasoning=policy.reasoning == "judge")
        subject = Subject(case, answer, claims, self.auxiliary, policy.evidence.lookups)
        findings = await self.check(subject, timings.checks)
        calibration = self.bundle.calibrations.of(completion.fingerprint)
        unsound_cap = policy.evidence.unsound_cap
        assessment = assess(subject, findings, calibration, unsound_cap)
        if self.bundle.in_doubt is not None:
            findings += await self.look_again(self.bundle.in_doubt, subject, assessment, timings.checks)
            assessment = assess(subject, findings, calibration, unsound_cap)
        return Judgement(answer, assessment, self.bundle.rules.decide(assessment))

    async def check(self, subject: Subject, seconds: dict[str, float]) -> list[Finding]:
        """Run every enabled check: those that only compute in turn, those that wait side by side."""
        findings: list[Finding] = []
        waiting = []
        for check in self.bundle.checks:
            if check.inline:
                findings += self.computed(check, subject, seconds)
            else:
                waiting.append(self.guarded(check, subject, seconds))
        for found in await asyncio.gather(*waiting) if waiting else ():
            findings += found
        return findings

    async def look_again(
        self, check: Check, subject: Subject, assessment: Assessment, seconds: dict[str, float]
    ) -> Sequence[Finding]:
        """Run the check for answers in doubt where this one is, and say whether it is."""
        doubted = wanted(self.bundle.policy.checks.samples, assessment)
        told = Finding(check.name, f"{check.name}.wanted", value=float(doubted))
        return (told, *(await self.guarded(check, subject, seconds) if doubted else ()))

    async def guarded(self, check: Check, subject: Subject, seconds: dict[str, float]) -> Sequence[Finding]:
        """Run one check within its time; whatever goes wrong becomes an `unavailable` finding."""
        if check.inline:
            return self.computed(check, subject, seconds)
        limit, began = self.bundle.seconds[check.name], time.perf_counter()
        found: Sequence[Finding] | str
        try:
            async with asyncio.timeout(limit):
                found = await check(subject)
        except TimeoutError:
            found = "timeout"
        except Exception:
            found = "error"
        return _in_time(check, found, time.perf_counter() - began, limit, seconds)

    def computed(self, check: Check, subject: Subject, seconds: dict[str, float]) -> Sequence[Finding]:
        """Run a check that never waits; one that waits all the same is out of time.

        No timer could interrupt what only computes, so none is set.
        """
        limit, began = self.bundle.seconds[check.name], time.perf_counter()
        found: Sequence[Finding] | str = "timeout"
        work = check(subject)
        try:
            work.send(None)
            work.close()
        except StopIteration as done:
            found = done.value
        except TimeoutError:
            pass
        except Exception:
            found = "error"
        return _in_time(check, found, time.perf_counter() - began, limit, seconds)


def _in_time(
    check: Check, found: Sequence[Finding] | str, spent: float, limit: float, seconds: dict[str, float]
) -> Sequence[Finding]:
    """Note what a check took and return what it found, or that it failed (`found` is how) or was too slow."""
    seconds[check.name] = seconds.get(check.name, 0.0) + spent
    if isinstance(found, str):
        return _unavailable(check, found)
    return found if spent <= limit else _unavailable(check, "timeout")


def _unavailable(check: Check, kind: str) -> tuple[Finding]:
    """No failure of a check may read as "safe": it is a finding of its own."""
    return (Finding(check.name, f"{check.name}.{kind}", Verdict.UNAVAILABLE),)


def _asks_again(judgements: Sequence[Judgement]) -> bool:
    for judgement in judgements:  # noqa: SIM110 - a generator would be made for every answer
        if judgement.decision.action is Action.REGENERATE:
            return True
    return False


def _settle(judgement: Judgement, policy: Policy) -> Judgement:
    """Turn a `regenerate` that no try could satisfy into the policy's next stricter action."""
    if judgement.decision.action is not Action.REGENERATE:
        return judgement
    then = policy.regenerate.then
    signals: Mapping[str, float] = {"tries": float(policy.regenerate.tries)}
    reason = Reason("regeneration_failed", then, signals, "No further answer satisfied the policy.")
    decision = replace(
        judgement.decision, action=then, would=then, reasons=(reason, *judgement.decision.reasons)
    )
    return replace(judgement, decision=decision)
