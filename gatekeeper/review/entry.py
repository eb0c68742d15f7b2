"""Which answers of an outcome enter the review queue, and as what."""

import hashlib
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from gatekeeper.assessment import Judgement
from gatekeeper.exchange import Answer
from gatekeeper.gate import Outcome
from gatekeeper.review.sealing import Seal
from gatekeeper.review.tables import Item


class Drawn(NamedTuple):
    """A choice to be looked at, why, and the inverse of the probability of its being drawn."""

    judgement: Judgement
    purpose: str
    weight: float


def drawn_from(outcome: Outcome, audit_rate: float) -> list[Drawn]:
    """Return every held choice, and with probability `audit_rate` one of the delivered ones.

    At most one delivered choice of a request is drawn: choices of one request are alike, so they
    would count as more labels than they are. The draw follows from the decision id alone, which is
    random and known before there is an answer: it can be recomputed, and nothing about the answer sways it.
    """
    held = [Drawn(j, "held", 1.0) for j in outcome.judgements if j.decision.action.holds]
    delivered = [j for j in outcome.judgements if not j.decision.action.holds]
    lot = hashlib.sha256(outcome.decision_id.encode()).digest()
    if not delivered or int.from_bytes(lot[:8]) >= audit_rate * 2**64:
        return held
    one = delivered[int.from_bytes(lot[8:16]) % len(delivered)]
    return [*held, Drawn(one, "audit", len(delivered) / audit_rate)]


def items_of(
    outcome: Outcome,
    record: Mapping[str, Any],
    drawn: Sequence[Drawn],
    *,
    client: str,
    ttl_s: float,
    seal: Seal | None,
) -> list[Item]:
    """Return the rows of drawn choices; `record` is the outcome's line of the decision log."""
    answers = {answer["index"]: answer for answer in record["answers"]}
    several = len(outcome.judgements) > 1
    items = []
    for judgement, purpose, weight in drawn:
        index = judgement.answer.index
        row = f"{outcome.decision_id}-{index}" if several else outcome.decision_id
        assessment, at = judgement.assessment, outcome.at.timestamp()
        unknown = float("triage" in assessment.unavailable)  # a topic that nobody read may be a high-risk one
        high_risk = assessment.signals.get("triage.high_risk", unknown) == 1.0
        items.append(
            Item(
                id=row,
                decision_id=outcome.decision_id,
                choice=index,
                at=at,
                expires_at=at + ttl_s,
                client=client,
                purpose=purpose,
                action=judgement.decision.action.value,
                status="open",
                policy=outcome.bundle.loaded.digest,
                high_risk=high_risk,
                p_wrong=assessment.p_wrong,
                confidence=assessment.confidence.calibrated,
                urgency=_urgency(judgement, high_risk=high_risk),
                weight=weight,
                detail=_detail(record, answers[index], judgement),
                sealed=seal.close(_text(outcome, judgement.answer), row) if seal else None,
            )
        )
    return items


def _urgency(judgement: Judgement, *, high_risk: bool) -> int:
    """Return 0 to 21: tenths of the risk, high-risk topics above all others.

    Tenths, so that among about equally risky answers the oldest comes first. An unknown risk counts as 1.
    """
    assessment = judgement.assessment
    known = [p for p in (assessment.p_wrong, assessment.p_contradicted) if p is not None]
    return ceil(10 * max(known, default=1.0)) + (11 if high_risk else 0)


def _detail(record: Mapping[str, Any], answer: Mapping[str, Any], judgement: Judgement) -> dict[str, Any]:
    shared = ("mode", "certified", "backend", "fingerprint", "request", "evidence")
    return {
        **{name: record[name] for name in shared},
        "answer": answer,
        "reasons": [
            {"rule": reason.rule, "action": reason.action.value, "message": reason.message}
            for reason in judgement.decision.reasons
        ],
    }


def _text(outcome: Outcome, answer: Answer) -> dict[str, Any]:
    """Return what a clinician reads: the question, the evidence and the answer."""
    query = outcome.case.query
    return {
        "question": query.text,
        "options": {option.letter: option.text for option in query.options},
        "evidence": [
            {"title": document.title, "text": document.text} for document in outcome.case.evidence.documents
        ],
        "answer": {
            "content": answer.content,
            "reasoning": answer.reasoning,
            "refusal": answer.refusal,
            "tool_calls": [{"name": call.name, "arguments": call.arguments} for call in answer.tool_calls],
        },
    }
