"""Findings → one Assessment: the signals that rules read, and the probability that the answer is wrong."""

from collections.abc import Iterable, Sequence
from typing import Final

from gatekeeper.assessment import (
    UNSOUND_CAP,
    Assessment,
    Confidence,
    Field,
    Finding,
    Risk,
    SignalValue,
    Subject,
    Verdict,
)
from gatekeeper.calibration import Calibration
from gatekeeper.calibration.artefact import sigmoid
from gatekeeper.exchange import EvidenceState, LogprobQuality

# Naming an enum's member takes as long as comparing it twenty times.
_SUPPORTED: Final = Verdict.SUPPORTED
_CONTRADICTED: Final = Verdict.CONTRADICTED
_UNAVAILABLE: Final = Verdict.UNAVAILABLE
_REASONING: Final = Field.REASONING
_UNGROUNDED: Final = "slots.ungrounded"
_QUALITIES: Final[dict[SignalValue, LogprobQuality]] = {quality.value: quality for quality in LogprobQuality}

UNSOUND: Final = frozenset({EvidenceState.CONFLICTING, EvidenceState.EXPIRED})
"""States of evidence that cap what can be believed of any answer that rests on it."""


def assess(
    subject: Subject,
    findings: Sequence[Finding],
    calibration: Calibration | None = None,
    unsound_cap: float = UNSOUND_CAP,
) -> Assessment:
    """Gather what all checks found of one answer.

    Evidence that contradicts itself or has expired limits P(correct) to `unsound_cap` before anything
    else is read: neither tokens nor checks can raise it above. `calibration` must have been fitted on
    the model that gave the answer. Without one, `p_wrong` rests on the raw confidence and
    `calibration.state` says `uncalibrated`.
    """
    cap = unsound_cap if subject.case.evidence.state in UNSOUND else None
    signals = _given(subject)
    _count(subject, findings, signals)
    said = _contradictions(findings)
    signals.update(said)
    for finding in findings:
        if finding.verdict is None and finding.value is not None:
            signals[finding.detector] = finding.value
    # Where claims exist and no check read them, nothing is known.
    p_contradicted = max(said.values()) if said else None if subject.claims else 0.0
    if p_contradicted is not None:
        signals["p_contradicted"] = p_contradicted
    confidence = _confidence(signals, calibration, cap)
    risk = _risk(signals, calibration)
    fused = calibration is not None and calibration.risk is not None
    p_correct = _fused(risk) if fused else _unfused(confidence, p_contradicted, findings)
    p_wrong = None if p_correct is None else 1 - _capped(p_correct, cap)
    if p_wrong is not None:
        signals["p_wrong"] = p_wrong
    return Assessment(
        claims=subject.claims,
        findings=tuple(findings),
        p_wrong=p_wrong,
        p_contradicted=p_contradicted,
        confidence=confidence,
        unavailable=tuple(
            [one.check for one in findings if one.claim is None and one.verdict is _UNAVAILABLE]
        ),
        signals=signals,
        risk=risk,
    )


def verdicts(claims: int, findings: Iterable[Finding]) -> list[Finding | None]:
    """Return the deciding finding of each claim: contradicted before supported before not addressed.

    Among equals the one with the highest `value` decides. None: no check said anything of the claim.
    """
    best: list[Finding | None] = [None] * claims
    for finding in findings:
        if finding.claim is None or finding.verdict is None:
            continue
        current = best[finding.claim]
        if current is None or _weight(finding) > _weight(current):
            best[finding.claim] = finding
    return best


_RANK = {Verdict.UNAVAILABLE: 0, Verdict.NOT_ADDRESSED: 1, Verdict.SUPPORTED: 2, Verdict.CONTRADICTED: 3}


def _weight(finding: Finding) -> tuple[int, float]:
    return (-1 if finding.verdict is None else _RANK[finding.verdict], _number(finding))


def _number(finding: Finding) -> float:
    return float(finding.value) if finding.value is not None else 0.0


def _given(subject: Subject) -> dict[str, SignalValue]:
    """Return the signals that need no check."""
    answer, evidence = subject.answer, subject.case.evidence
    return {
        "evidence.state": str(evidence.state),
        "evidence.documents": float(len(evidence.documents)),
        "evidence.conflicts": float(len(evidence.conflicts)),
        "answer.empty": float(not (answer.content.strip() or answer.tool_calls or answer.refusal)),
        "answer.refused": float(bool(answer.refusal) or answer.finish_reason == "content_filter"),
        "answer.truncated": float(answer.finish_reason == "length"),
        "answer.tool_calls": float(len(answer.tool_calls)),
        "answer.lookup": float(subject.is_lookup),
        "query.multiple_choice": float(bool(subject.case.query.options)),
    }


def _count(subject: Subject, findings: Sequence[Finding], signals: dict[str, SignalValue]) -> None:
    """Count verdicts; the supported share leaves reasoning out, which argues before it concludes."""
    claims = subject.claims
    signals["claims.total"] = float(len(claims))
    if claims and not any(finding.claim is not None for finding in findings):
        return
    stated = supported_of_stated = supported = contradicted = unavailable = 0
    for claim, finding in zip(claims, verdicts(len(claims), findings), strict=True):
        verdict = finding.verdict if finding else None
        supported += verdict is _SUPPORTED
        contradicted += verdict is _CONTRADICTED
        unavailable += verdict is _UNAVAILABLE
        if claim.field is not _REASONING:
            stated += 1
            supported_of_stated += verdict is _SUPPORTED
    signals["claims.supported"] = float(supported)
    signals["claims.contradicted"] = float(contradicted)
    signals["claims.not_addressed"] = float(len(claims) - supported - contradicted - unavailable)
    signals["claims.ungrounded"] = float(sum([one.detector == _UNGROUNDED for one in findings]))
    signals["claims.supported_share"] = supported_of_stated / stated if stated else 0.0


def _contradictions(findings: Sequence[Finding]) -> dict[str, float]:
    """Return `<check>.p_contradicted` for every check that read a claim: the largest over its claims."""
    found: dict[str, float] = {}
    for finding in findings:
        if finding.verdict is not None and finding.verdict is not _UNAVAILABLE:
            name = f"{finding.check}.p_contradicted"
            found[name] = max(found.get(name, 0.0), _number(finding))
    return found


def _capped(probability: float, cap: float | None) -> float:
    return probability if cap is None else min(probability, cap)


def _confidence(
    signals: dict[str, SignalValue], calibration: Calibration | None, cap: float | None
) -> Confidence:
    """Read, calibrate and cap the confidence, adding the signals that follow from it."""
    raw = signals.get("confidence.raw")
    calibrated = calibration.confidence.probability(signals) if calibration else None
    signals["calibration.state"] = "uncalibrated" if calibrated is None else "calibrated"
    if calibrated is not None:
        calibrated = signals["confidence.calibrated"] = _capped(calibrated, cap)
    number = float(raw) if raw is not None else None
    best = calibrated if calibrated is not None else number
    assertiveness = signals.get("hedging.assertiveness")
    if best is not None and assertiveness is not None:
        signals["overconfidence"] = max(0.0, float(assertiveness) - _capped(best, cap))
    quality = _QUALITIES[signals.get("confidence.quality", LogprobQuality.UNAVAILABLE)]
    return Confidence(raw=number, calibrated=calibrated, quality=quality, cap=cap)


def _risk(signals: dict[str, SignalValue], calibration: Calibration | None) -> Risk | None:
    """Return the parts of the fused risk, turned from P(correct) to P(wrong); None where it cannot say."""
    model = calibration.risk if calibration else None
    parts = model.contributions(signals) if model else None
    if model is None or parts is None:
        return None
    intercept, terms = -parts["intercept"], {term.signal: -parts[term.signal] for term in model.terms}
    return Risk(intercept, terms, tuple(term.signal for term in model.terms if term.reading(signals) is None))


def _fused(risk: Risk | None) -> float | None:
    """Return P(correct) of the fused risk; the number of nothing else is ever put in its place."""
    return None if risk is None else sigmoid(-risk.intercept - sum(risk.terms.values()))


def _unfused(
    confidence: Confidence, p_contradicted: float | None, findings: Sequence[Finding]
) -> float | None:
    """Return P(right) · P(not contradicted), where no fused risk was fitted.

    Without token probabilities nothing vouches for the answer: a contradiction still counts, and all else
    is None, as an unknown is no small number.
    """
    p_right = confidence.raw if confidence.calibrated is None else confidence.calibrated
    if p_right is None:
        contradicted = any(finding.verdict is Verdict.CONTRADICTED for finding in findings)
        return 1 - p_contradicted if contradicted and p_contradicted is not None else None
    return _capped(p_right, confidence.cap) * (1 - (p_contradicted or 0.0))
