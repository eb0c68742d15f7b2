"""Findings → one Assessment: the signals that rules read, and the probability that the answer is wrong."""

from collections.abc import Iterable, Sequence

from gatekeeper.assessment import Assessment, Confidence, Field, Finding, SignalValue, Subject, Verdict
from gatekeeper.calibration import Calibration
from gatekeeper.exchange import LogprobQuality


def assess(
    subject: Subject, findings: Sequence[Finding], calibration: Calibration | None = None
) -> Assessment:
    """Gather what all checks found of one answer.

    `calibration` must have been fitted on the model that gave the answer. Without one, `p_wrong` rests
    on the raw confidence and `calibration.state` says `uncalibrated`.
    """
    measured = {
        finding.detector: finding.value
        for finding in findings
        if finding.verdict is None and finding.value is not None
    }
    signals: dict[str, SignalValue] = {**_given(subject), **_claims(subject, findings), **measured}
    p_contradicted = _p_contradicted(subject, findings)
    if p_contradicted is not None:
        signals["p_contradicted"] = p_contradicted
    confidence = _confidence(signals, calibration)
    p_wrong = _p_wrong(signals, confidence, p_contradicted, calibration)
    if p_wrong is not None:
        signals["p_wrong"] = p_wrong
    return Assessment(
        claims=subject.claims,
        findings=tuple(findings),
        p_wrong=p_wrong,
        p_contradicted=p_contradicted,
        confidence=confidence,
        unavailable=tuple(
            finding.check
            for finding in findings
            if finding.claim is None and finding.verdict is Verdict.UNAVAILABLE
        ),
        signals=signals,
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
        "evidence.state": evidence.state.value,
        "evidence.documents": float(len(evidence.documents)),
        "evidence.conflicts": float(len(evidence.conflicts)),
        "answer.empty": float(not (answer.content.strip() or answer.tool_calls or answer.refusal)),
        "answer.refused": float(bool(answer.refusal) or answer.finish_reason == "content_filter"),
        "answer.truncated": float(answer.finish_reason == "length"),
        "answer.tool_calls": float(len(answer.tool_calls)),
        "query.multiple_choice": float(bool(subject.case.query.options)),
    }


def _claims(subject: Subject, findings: Sequence[Finding]) -> dict[str, SignalValue]:
    """Count verdicts; the supported share leaves reasoning out, which argues before it concludes."""
    if subject.claims and not any(finding.claim is not None for finding in findings):
        return {"claims.total": float(len(subject.claims))}
    deciding = verdicts(len(subject.claims), findings)
    counts = dict.fromkeys(Verdict, 0)
    stated = supported = 0
    for claim, finding in zip(subject.claims, deciding, strict=True):
        verdict = finding.verdict if finding and finding.verdict else Verdict.NOT_ADDRESSED
        counts[verdict] += 1
        if claim.field is not Field.REASONING:
            stated += 1
            supported += verdict is Verdict.SUPPORTED
    return {
        "claims.total": float(len(subject.claims)),
        "claims.supported": float(counts[Verdict.SUPPORTED]),
        "claims.contradicted": float(counts[Verdict.CONTRADICTED]),
        "claims.not_addressed": float(counts[Verdict.NOT_ADDRESSED]),
        "claims.supported_share": supported / stated if stated else 0.0,
    }


def _p_contradicted(subject: Subject, findings: Sequence[Finding]) -> float | None:
    """Return the largest probability over claims; None where claims exist and no check read them."""
    said = [
        f for f in findings if f.verdict in {Verdict.CONTRADICTED, Verdict.SUPPORTED, Verdict.NOT_ADDRESSED}
    ]
    if subject.claims and not said:
        return None
    return max((_number(finding) for finding in said), default=0.0)


def _confidence(signals: dict[str, SignalValue], calibration: Calibration | None) -> Confidence:
    """Read and calibrate the confidence, adding the signals that follow from it."""
    raw = signals.get("confidence.raw")
    calibrated = calibration.confidence.probability(signals) if calibration else None
    signals["calibration.state"] = "uncalibrated" if calibrated is None else "calibrated"
    if calibrated is not None:
        signals["confidence.calibrated"] = calibrated
    number = float(raw) if raw is not None else None
    best = calibrated if calibrated is not None else number
    assertiveness = signals.get("hedging.assertiveness")
    if best is not None and assertiveness is not None:
        signals["overconfidence"] = max(0.0, float(assertiveness) - best)
    quality = LogprobQuality(str(signals.get("confidence.quality", LogprobQuality.UNAVAILABLE)))
    return Confidence(raw=number, calibrated=calibrated, quality=quality)


def _p_wrong(
    signals: dict[str, SignalValue],
    confidence: Confidence,
    p_contradicted: float | None,
    calibration: Calibration | None,
) -> float | None:
    """Return the fused risk where one was fitted, else 1 − P(right) · P(not contradicted).

    None where neither tokens nor evidence say anything: an unknown is no zero.
    """
    if calibration is not None and calibration.risk is not None:
        p_correct = calibration.risk.probability(signals)
        return None if p_correct is None else 1 - p_correct
    p_right = confidence.raw if confidence.calibrated is None else confidence.calibrated
    if p_right is None:
        return p_contradicted or None
    return 1 - p_right * (1 - (p_contradicted or 0.0))
