"""An Outcome as a line of the decision log: what was decided on what, without any text of it."""

import hashlib
from collections.abc import Collection
from typing import Any

import orjson

from gatekeeper.assess import verdicts
from gatekeeper.assessment import Judgement
from gatekeeper.exchange import Answer, Evidence
from gatekeeper.gate import Outcome
from gatekeeper.wire.names import is_name


def record_of(outcome: Outcome, models: Collection[str] = ()) -> dict[str, Any]:
    """Return the decision as hashes, spans, numbers and enums.

    `models` are the names that the model server lists: a name that it only repeats may be anything that
    the client wrote, so of such a one the fingerprint is recorded as a hash.
    """
    evidence = outcome.case.evidence
    position = {document.id: index for index, document in enumerate(evidence.documents)}
    return {
        "event": "decision",
        "id": outcome.decision_id,
        "at": outcome.at.isoformat(),
        "action": str(outcome.action),
        "mode": outcome.bundle.policy.mode,
        "policy": outcome.bundle.loaded.digest,
        "certified": outcome.bundle.certified,
        "backend": outcome.completion.backend,
        "fingerprint": _fingerprint(outcome, models),
        "request": digest(orjson.dumps(outcome.case.conversation.body, option=orjson.OPT_SORT_KEYS)),
        "evidence": _evidence(evidence, position),
        "answers": [_answer(judgement, position) for judgement in outcome.judgements],
        "tries": outcome.tries,
        "seconds": {
            "total": round(outcome.timings.total, 6),
            "upstream": round(outcome.timings.upstream, 6),
        },
    }


def _fingerprint(outcome: Outcome, models: Collection[str]) -> str | None:
    fingerprint, model = outcome.completion.fingerprint, outcome.completion.model
    if fingerprint is None or not model or model in models or model not in fingerprint:
        return fingerprint
    repeated = model == outcome.case.conversation.model or not is_name(model)
    known = not repeated or fingerprint in outcome.bundle.calibrations.fingerprints
    return fingerprint if known else f"sha256:{digest(fingerprint.encode())}"


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes as hex."""
    return hashlib.sha256(data).hexdigest()


def _evidence(evidence: Evidence, position: dict[str, int]) -> dict[str, Any]:
    return {
        "state": str(evidence.state),
        "extractors": list(evidence.extractors),
        "documents": [digest(document.text.encode()) for document in evidence.documents],
        "conflicts": [
            {
                "detector": conflict.detector,
                "between": [
                    [position[side.document], *side.span] for side in (conflict.first, conflict.second)
                ],
            }
            for conflict in evidence.conflicts
        ],
    }


def _answer(judgement: Judgement, position: dict[str, int]) -> dict[str, Any]:
    assessment, decision = judgement.assessment, judgement.decision
    return {
        "index": judgement.answer.index,
        "sha256": digest(_whole(judgement.answer)),
        "action": str(decision.action),
        "would": str(decision.would),
        "rules": [reason.rule for reason in decision.reasons],
        "signals": dict(assessment.signals),
        "unavailable": list(assessment.unavailable),
        "claims": [
            {
                "field": str(claim.field),
                "span": list(claim.span),
                "verdict": str(finding.verdict) if finding and finding.verdict else None,
                "detector": finding.detector if finding else None,
                "evidence": [position[finding.evidence.document], *finding.evidence.span]
                if finding and finding.evidence
                else None,
            }
            for claim, finding in zip(
                assessment.claims, verdicts(len(assessment.claims), assessment.findings), strict=True
            )
        ],
    }


def _whole(answer: Answer) -> bytes:
    """Return all that the model said, in one unambiguous form."""
    calls = [[call.name, call.arguments] for call in answer.tool_calls]
    return orjson.dumps([answer.content, answer.reasoning, answer.refusal, calls])
