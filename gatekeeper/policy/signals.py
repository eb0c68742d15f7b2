"""The named signals that a policy's rules may read, and what each one means.

This table is the vocabulary of policies: validation, `policy explain` and the documentation read it.
`check` names the check that measures a signal; None means that the gate itself does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gatekeeper.exchange import EvidenceState, LogprobQuality


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """One signal: a number within `bounds`, or one of `values`.

    `risk` is 1 where more of it never makes an answer safer, −1 where more never makes it riskier, 0
    where that is open: a fused risk is held to it. `fused` signals are its features unless others are
    named.
    """

    meaning: str
    check: str | None = None
    values: tuple[str, ...] = ()
    bounds: tuple[float, float] = (0.0, 1.0)
    risk: int = 0
    fused: bool = False


_COUNT = (0.0, float("inf"))

SIGNALS: Mapping[str, SignalSpec] = {
    "evidence.state": SignalSpec("state of the supplied evidence", values=tuple(EvidenceState)),
    "evidence.documents": SignalSpec("number of documents found in the request", bounds=_COUNT),
    "evidence.conflicts": SignalSpec("pairs of evidence statements that disagree", bounds=_COUNT),
    "p_wrong": SignalSpec("probability that the answer is wrong"),
    "p_contradicted": SignalSpec("probability that the evidence contradicts the answer", risk=1),
    "slots.p_contradicted": SignalSpec("the same, as slots alone reads it", "slots", risk=1, fused=True),
    "claims.total": SignalSpec("claims found in the answer", bounds=_COUNT),
    "claims.supported": SignalSpec("claims that the evidence supports", bounds=_COUNT),
    "claims.contradicted": SignalSpec("claims that the evidence contradicts", bounds=_COUNT, risk=1),
    "claims.not_addressed": SignalSpec("claims that the evidence is silent on", bounds=_COUNT),
    "claims.ungrounded": SignalSpec(
        "claims with a value, drug or device that neither evidence nor question names", bounds=_COUNT, risk=1
    ),
    "claims.supported_share": SignalSpec(
        "supported claims / all claims, 0 without claims", risk=-1, fused=True
    ),
    "confidence.raw": SignalSpec(
        "confidence read from the token probabilities", "confidence", risk=-1, fused=True
    ),
    "confidence.calibrated": SignalSpec("calibrated probability that the answer is right", "confidence"),
    "confidence.quality": SignalSpec(
        "how much of the answer the token probabilities cover", "confidence", tuple(LogprobQuality)
    ),
    "confidence.option": SignalSpec("probability of the chosen option's letter", "confidence", risk=-1),
    "confidence.min_critical": SignalSpec(
        "lowest probability of a number, unit, side, negator or drug", "confidence", risk=-1
    ),
    "confidence.mean_critical": SignalSpec("mean probability of those tokens", "confidence", risk=-1),
    "confidence.sequence": SignalSpec(
        "length-normalised probability of the whole answer", "confidence", risk=-1
    ),
    "confidence.entropy": SignalSpec(
        "mean entropy of the alternatives, nats", "confidence", bounds=_COUNT, risk=1
    ),
    "calibration.state": SignalSpec(
        "whether a calibration for this model was applied", values=("calibrated", "uncalibrated")
    ),
    "hedging.assertiveness": SignalSpec("how assertively the text speaks", "hedging"),
    "hedging.hedged": SignalSpec("1 where the text hedges", "hedging"),
    "overconfidence": SignalSpec("assertiveness beyond what the confidence carries", "hedging"),
    "nli.p_contradicted": SignalSpec(
        "highest probability of a contradiction that the model read", "nli", risk=1, fused=True
    ),
    "nli.p_supported": SignalSpec(
        "mean probability of support over claims, as the model read it", "nli", risk=-1, fused=True
    ),
    "triage.high_risk": SignalSpec("1 where a high-risk topic of the policy occurs", "triage"),
    "triage.injection": SignalSpec("1 where the evidence holds instructions", "triage"),
    "judge.p_contradicted": SignalSpec(
        "highest P(contradicted) of a claim, as a model reads it", "judge", risk=1, fused=True
    ),
    "judge.p_supported": SignalSpec(
        "mean P(supported) of the claims, as a model reads them", "judge", risk=-1, fused=True
    ),
    "judge.unread": SignalSpec("claims that the model gave no opinion on", "judge", bounds=_COUNT),
    "options.margin": SignalSpec("lead of the option that the evidence implies over the next", "options"),
    "options.evidence_p": SignalSpec(
        "probability that the evidence gives the chosen option", "options", risk=-1, fused=True
    ),
    "options.disagrees": SignalSpec(
        "1 where the evidence implies another option than the answer", "options", risk=1, fused=True
    ),
    "options.permuted_p": SignalSpec(
        "mean probability of the choice over orders of the options", "options", risk=-1, fused=True
    ),
    "options.flip_rate": SignalSpec(
        "share of orders under which another option is likelier", "options", risk=1, fused=True
    ),
    "options.evidence_shift": SignalSpec(
        "probability of the choice with evidence minus without", "options", bounds=(-1.0, 1.0)
    ),
    "samples.wanted": SignalSpec("1 where the risk lay in the band that asks for samples", "samples"),
    "samples.drawn": SignalSpec("samples that were drawn", "samples", bounds=_COUNT),
    "samples.agreement": SignalSpec("how far the samples agree with the answer", "samples", risk=-1),
    "answer.empty": SignalSpec("1 where the answer has no text and calls no tool"),
    "answer.refused": SignalSpec("1 where the model refused"),
    "answer.truncated": SignalSpec("1 where the model stopped at its length limit"),
    "answer.tool_calls": SignalSpec("tool calls in the answer", bounds=_COUNT),
    "answer.lookup": SignalSpec("1 where the answer only calls tools that look evidence up"),
    "query.multiple_choice": SignalSpec("1 where the question is multiple choice"),
}


def vocabulary(topics: Mapping[str, object]) -> dict[str, SignalSpec]:
    """Return `SIGNALS` with one `triage.<topic>` signal for every topic of a policy."""
    own = {f"triage.{topic}": SignalSpec(f"1 where the topic {topic} occurs", "triage") for topic in topics}
    return {**SIGNALS, **own}


CONTRADICTION: Final = "p_contradicted"
"""Last part of the signals that say how likely the evidence contradicts an answer."""


def risk_direction(signal: str) -> int:
    """Return `SignalSpec.risk` of a signal; what any check says of contradiction is 1."""
    if signal in SIGNALS:
        return SIGNALS[signal].risk
    return int(signal.endswith("." + CONTRADICTION))
