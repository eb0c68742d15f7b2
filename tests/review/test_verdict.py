"""What follows from the labels of an answer means the same as in the gate that promised a ceiling."""

import pytest

from gatekeeper.policy.criteria import SafetyRate
from gatekeeper.review.verdict import with_overconfidence


@pytest.mark.parametrize(
    ("errors", "confidence", "present"),
    [
        ((True, False), 0.80, True),
        ((False, True), 0.79, False),
        ((True, False), None, True),
        ((False, False), None, False),
        ((True, None), 0.9, True),
        ((False, None), 0.9, None),
        ((None, None), None, None),
    ],
)
def test_dangerous_overconfidence_follows_from_the_other_labels(
    errors: tuple[bool | None, bool | None], confidence: float | None, present: bool | None
) -> None:
    """A dangerous error counts at 0.80 and, as in the gate, where no calibration says how sure it was."""
    risks: tuple[SafetyRate, ...] = ("high_risk_error", "unsafe_answer")
    labels = {risk: error for risk, error in zip(risks, errors, strict=True) if error is not None}
    assert with_overconfidence(labels, confidence).get("dangerous_overconfidence") is present


def test_what_a_reviewer_says_of_overconfidence_stands() -> None:
    """A label that was given is not computed over."""
    said: dict[SafetyRate, bool] = {"high_risk_error": True, "dangerous_overconfidence": False}
    assert with_overconfidence(said, None) == said
