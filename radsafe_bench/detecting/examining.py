"""Every check on every item, read as the gate reads an exchange, each check by itself and timed."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from gatekeeper.assess import assess
from gatekeeper.assessment import Assessment, Finding, Subject, Verdict
from gatekeeper.auxiliary import Auxiliary
from gatekeeper.checks.base import Check
from gatekeeper.claims import read_claims, read_query
from gatekeeper.errors import ReplayMiss
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Case, Evidence, JsonObject
from gatekeeper.gate import Bundle
from gatekeeper.wire.request import parse_chat
from radsafe_bench.detecting.items import Item

_UNDATED: Final = date(2026, 1, 1)
"""The day on which pairs are read, so that evidence with a date expires on every machine alike."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one check said of an item.

    `verdict` is None where the check reads no claims. `score` is its largest probability of a
    contradiction, None where it gives none. `decider` names what decided (`slots.number`), `cited` is
    the evidence that it showed. `seconds` passed, `cpu` seconds of this process were used.
    """

    verdict: Verdict | None
    score: float | None
    decider: str
    cited: str
    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Examined:
    """An item with what every check said, by name, and the assessment of them all."""

    item: Item
    reads: Mapping[str, Read]
    claims: int
    assessment: Assessment


def examine_all(
    items: Iterable[Item],
    bundle: Bundle,
    auxiliary: Auxiliary | None = None,
    on_item: Callable[[], None] = lambda: None,
) -> tuple[list[Examined], bool]:
    """Examine items in order; return them and whether all were: an interrupt ends it after the current one.

    No check has a time limit here: how fast this machine is decides nothing. Raises ReplayMiss where a
    check needs a call that was not recorded.
    """
    done: list[Examined] = []

    async def examine_each() -> None:
        examiner = _Examiner(bundle, auxiliary)
        for item in items:
            await asyncio.sleep(0)  # where an interrupt arrives
            done.append(await examiner.examine(item))
            on_item()

    try:
        asyncio.run(examine_each())
    except (asyncio.CancelledError, KeyboardInterrupt):
        return done, False
    return done, True


class _Examiner:
    """Reads each request once for all items that share it; the first one warms every check."""

    def __init__(self, bundle: Bundle, auxiliary: Auxiliary | None) -> None:
        self._bundle = bundle
        self._auxiliary = auxiliary
        self._last: tuple[JsonObject, Case] | None = None
        self._warm = False

    async def examine(self, item: Item) -> Examined:
        """Run every check on one item, one after another."""
        case, policy = self._case(item), self._bundle.policy
        claims = read_claims(item.answer, case.query, reasoning=policy.reasoning == "judge")
        subject = Subject(case, item.answer, claims, self._auxiliary)
        if not self._warm:  # what is loaded on the first call is no cost of a pair
            await self._run(subject)
            self._warm = True
        findings, reads = await self._run(subject)
        calibration = self._bundle.calibrations.of(item.fingerprint)
        assessment = assess(subject, findings, calibration, policy.evidence.unsound_cap)
        return Examined(item, reads, len(claims), assessment)

    def _case(self, item: Item) -> Case:
        if self._last is None or self._last[0] != item.request:
            conversation = parse_chat(item.request)
            evidence = read_evidence(conversation, item.day or _UNDATED)
            self._last = item.request, Case(conversation, evidence, read_query(conversation, evidence))
        return self._last[1]

    async def _run(self, subject: Subject) -> tuple[list[Finding], dict[str, Read]]:
        findings: list[Finding] = []
        reads: dict[str, Read] = {}
        for check in self._bundle.checks:
            began, cpu = time.perf_counter(), time.process_time()
            found = await _found(check, subject)
            spent = time.perf_counter() - began, time.process_time() - cpu
            findings += found
            reads[check.name] = _read(found, subject, *spent)
        return findings, reads


async def _found(check: Check, subject: Subject) -> Sequence[Finding]:
    """Return a check's findings; as in the gate, one that fails is unavailable."""
    try:
        return await check(subject)
    except ReplayMiss:
        raise
    except Exception:
        return (Finding(check.name, f"{check.name}.error", Verdict.UNAVAILABLE),)


def _read(findings: Sequence[Finding], subject: Subject, seconds: float, cpu: float) -> Read:
    said = [finding for finding in findings if finding.verdict is not None]
    scores = [
        float(finding.value)
        for finding in said
        if finding.verdict is not Verdict.UNAVAILABLE and finding.value is not None
    ]
    verdict = _verdict(said)
    deciding = next((finding for finding in said if finding.verdict is verdict), None)
    return Read(
        verdict=verdict,
        score=max(scores, default=None),
        decider=deciding.detector if deciding else "",
        cited=_cited(deciding, subject.case.evidence),
        seconds=seconds,
        cpu=cpu,
    )


def _verdict(said: Sequence[Finding]) -> Verdict | None:
    """Return a check's verdict on all claims together: one contradiction is enough, support needs all."""
    found = [finding.verdict for finding in said]
    if Verdict.CONTRADICTED in found:
        return Verdict.CONTRADICTED
    if Verdict.UNAVAILABLE in found:
        return Verdict.UNAVAILABLE
    return Verdict.NOT_ADDRESSED if Verdict.NOT_ADDRESSED in found else next(iter(found), None)


def _cited(finding: Finding | None, evidence: Evidence) -> str:
    if finding is None or finding.evidence is None:
        return ""
    texts = {document.id: document.text for document in evidence.documents}
    return texts[finding.evidence.document][slice(*finding.evidence.span)]
