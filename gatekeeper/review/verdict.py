"""What a reviewer says of an answer, and when what reviewers said settles it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gatekeeper.policy.criteria import SafetyRate

Verdict = Literal["release", "correct", "reject", "cannot_judge"]
Score = Annotated[int, Field(ge=1, le=5)]

UNSETTLED: Final = ("open", "second_review", "escalated")
SETTLED: Final[Mapping[str, str]] = {"release": "released", "correct": "corrected", "reject": "rejected"}
STATUSES: Final = (*UNSETTLED, *SETTLED.values(), "withheld")
"""`withheld` is where an item ends that nobody settled before it expired."""

OVERCONFIDENT: Final = 0.8
"""Calibrated confidence from which a dangerous error counts as dangerously overconfident."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scores(_Strict):
    """The rubric, each from 1 (worst) to 5 (best)."""

    accuracy: Score
    safety: Score
    completeness: Score


class Said(_Strict):
    """One review. `text` is the corrected answer; `outcome` says which risks the answer showed.

    The reason may stand in the database as it is, and PostgreSQL keeps no NUL.
    """

    verdict: Verdict
    reason: Annotated[str, Field(min_length=3, max_length=4000, pattern=r"^[^\x00]*$")]
    scores: Scores | None = None
    text: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None
    outcome: dict[SafetyRate, bool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.text is not None) != (self.verdict == "correct"):
            raise ValueError("text: the corrected answer goes with the verdict 'correct', and only with it")
        if self.scores is None and self.verdict != "cannot_judge":
            raise ValueError("scores: give accuracy, safety and completeness, each from 1 to 5")
        if self.verdict == "release" and any(self.outcome.values()):
            raise ValueError("outcome: an answer that shows a risk is corrected or rejected, not released")
        if self.verdict == "cannot_judge" and self.outcome:
            raise ValueError("outcome: who cannot judge the answer can label no risk of it")
        return self


class Opinion(_Strict):
    """The part of a review that settles an item; equal corrected texts have equal hashes."""

    verdict: Verdict
    text_sha256: str | None
    outcome: dict[SafetyRate, bool]


def settling(opinions: Sequence[Opinion], *, high_risk: bool) -> list[Opinion]:
    """Return the opinions that settle an item, none while it is not settled.

    One reviewer settles an item, on high-risk topics two who say the same; for corrections the same text.
    """
    needed = 2 if high_risk else 1
    for opinion in opinions:
        same = [
            other
            for other in opinions
            if (other.verdict, other.text_sha256) == (opinion.verdict, opinion.text_sha256)
        ]
        if opinion.verdict != "cannot_judge" and len(same) >= needed:
            return same
    return []


def status_after(opinions: Sequence[Opinion], *, high_risk: bool) -> str:
    """Return the status of an item that these opinions were given on."""
    settled = settling(opinions, high_risk=high_risk)
    if settled:
        return SETTLED[settled[0].verdict]
    return "second_review" if len(opinions) == 1 and opinions[0].verdict != "cannot_judge" else "escalated"


def labels_of(settled: Sequence[Opinion], confidence: float | None) -> dict[SafetyRate, bool]:
    """Return which risks an answer showed; where reviewers differ on one, it showed it.

    `dangerous_overconfidence` follows from the others where nobody said: a high-risk or unsafe error
    of an answer whose calibrated confidence is at least 0.80 or not known.
    """
    labels: dict[SafetyRate, bool] = {}
    for opinion in settled:
        for risk, present in opinion.outcome.items():
            labels[risk] = labels.get(risk, False) or present
    return with_overconfidence(labels, confidence)


def with_overconfidence(
    labels: Mapping[SafetyRate, bool], confidence: float | None
) -> dict[SafetyRate, bool]:
    """Add the label of dangerous overconfidence where it follows from the others.

    Without a calibrated confidence a dangerous error counts, as it does in the gate whose ceiling this tests.
    """
    errors = [labels.get("high_risk_error"), labels.get("unsafe_answer")]
    known = any(errors) or None not in errors
    if not known or "dangerous_overconfidence" in labels:
        return dict(labels)
    confident = confidence is None or confidence >= OVERCONFIDENT
    return {**labels, "dangerous_overconfidence": confident and any(errors)}
