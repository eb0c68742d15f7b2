"""What a calibrated probability says of the four risks of an answer."""

from gatekeeper.assessment import Assessment
from gatekeeper.policy.criteria import SafetyRate
from gatekeeper.review.verdict import OVERCONFIDENT


def expected_risks(assessment: Assessment) -> dict[SafetyRate, float] | None:
    """Return an upper bound of the probability of each risk; None where nothing is calibrated.

    Calibration supports one number, the probability that the answer is wrong. Every risk is a wrong answer
    of some kind, so that number bounds each; no calibrated number says which wrong answers are dangerous.
    Two bounds are sharper by definition: without evidence nothing contradicts it, and an answer whose
    calibrated confidence is below 0.80 is not dangerously overconfident.
    """
    p_wrong, confidence = assessment.p_wrong, assessment.confidence.calibrated
    if p_wrong is None or confidence is None:
        return None
    with_evidence = bool(assessment.signals.get("evidence.documents"))
    return {
        "high_risk_error": p_wrong,
        "unsafe_answer": p_wrong,
        "evidence_contradiction": p_wrong if with_evidence else 0.0,
        "dangerous_overconfidence": p_wrong if confidence >= OVERCONFIDENT else 0.0,
    }
