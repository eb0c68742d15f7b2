"""The `gatekeeper` object of a response: what was decided and why, without a word of a held answer."""

from typing import Any

from gatekeeper.assess import verdicts
from gatekeeper.assessment import Assessment, Claim, Finding, Judgement, Reason, Risk
from gatekeeper.exchange import Evidence, EvidenceSpan
from gatekeeper.gate import Bundle, Outcome


def envelope_of(outcome: Outcome) -> dict[str, Any]:
    """Return the top-level object; with several choices it is the strictest choice's."""
    return {
        **_judged(outcome.decision_id, outcome.leading),
        "mode": outcome.bundle.policy.mode,
        "policy": policy_of(outcome.bundle),
        "evidence": _evidence(outcome.case.evidence),
        "backend": outcome.completion.backend,
        "staged": outcome.completion.staged,
        "tries": outcome.tries,
    }


def choice_envelopes(outcome: Outcome) -> list[dict[str, Any] | None]:
    """Return each choice's own object, or None for every choice where there is only one."""
    if len(outcome.judgements) == 1:
        return [None]
    return [
        _judged(f"{outcome.decision_id}-{judgement.answer.index}", judgement)
        for judgement in outcome.judgements
    ]


def policy_of(bundle: Bundle) -> dict[str, Any]:
    """Return what names the policy in force."""
    policy = bundle.policy
    return {
        "name": policy.name,
        "version": policy.version,
        "digest": bundle.loaded.digest,
        "certified": bundle.certified,
    }


def _judged(decision_id: str, judgement: Judgement) -> dict[str, Any]:
    decision = judgement.decision
    return {
        "decision_id": decision_id,
        "action": str(decision.action),
        "would": str(decision.would),
        "reasons": [_reason(reason) for reason in decision.reasons],
        "assessment": assessment_of(judgement.assessment, quote=not decision.action.holds),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "action": str(reason.action),
        "message": reason.message,
        "signals": dict(reason.signals),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "state": str(evidence.state),
        "documents": len(evidence.documents),
        "extractors": list(evidence.extractors),
        "conflicts": [
            {"detector": conflict.detector, "between": [_where(conflict.first), _where(conflict.second)]}
            for conflict in evidence.conflicts
        ],
    }


def _where(span: EvidenceSpan) -> dict[str, Any]:
    return {"document": span.document, "span": list(span.span)}


def assessment_of(assessment: Assessment, *, quote: bool) -> dict[str, Any]:
    """Return an assessment as JSON; `quote` decides whether claims carry their text."""
    deciding = verdicts(len(assessment.claims), assessment.findings)
    return {
        "p_wrong": assessment.p_wrong,
        "p_contradicted": assessment.p_contradicted,
        "confidence": {
            "raw": assessment.confidence.raw,
            "calibrated": assessment.confidence.calibrated,
            "quality": str(assessment.confidence.quality),
            "cap": assessment.confidence.cap,
        },
        "risk": _risk(assessment.risk),
        "unavailable": list(assessment.unavailable),
        "claims": [
            _claim(claim, finding, quote=quote)
            for claim, finding in zip(assessment.claims, deciding, strict=True)
        ],
        **_measured(assessment, "options", quote=quote),
        **_measured(assessment, "samples", quote=quote),
    }


def _measured(assessment: Assessment, check: str, *, quote: bool) -> dict[str, Any]:
    """Return what a check measured, if anything; a letter of a held answer is the answer, so it stays."""
    prefix = f"{check}."
    found = {
        name[len(prefix) :]: value
        for name, value in assessment.signals.items()
        if name.startswith(prefix) and (quote or not isinstance(value, str))
    }
    return {check: found} if found else {}


def _risk(risk: Risk | None) -> dict[str, Any] | None:
    """Return the parts of the fused risk in logits of P(wrong)."""
    if risk is None:
        return None
    return {"intercept": risk.intercept, "terms": dict(risk.terms), "missing": list(risk.missing)}


def _claim(claim: Claim, finding: Finding | None, *, quote: bool) -> dict[str, Any]:
    verdict = str(finding.verdict) if finding and finding.verdict else "unavailable"
    return {
        **({"text": claim.text} if quote else {}),
        "field": str(claim.field),
        "span": list(claim.span),
        "verdict": verdict,
        "detector": finding.detector if finding else None,
        "evidence": _where(finding.evidence) if finding and finding.evidence else None,
    }
