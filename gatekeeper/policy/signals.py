"""The named signals that a policy's rules may read, and what each one means.

This table is the vocabulary of policies: validation, `policy explain` and the documentation read it.
`check` names the check that measures a signal; None means that the gate itself does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gatekeeper.exchange import EvidenceState, LogprobQuality


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """One signal: a number within `bounds`, or one of `values`."""

    meaning: str
    check: str | None = None
    values: tuple[str, ...] = ()
    bounds: tuple[float, float] = (0.0, 1.0)


_COUNT = (0.0, float("inf"))

SIGNALS: Mapping[str, SignalSpec] = {
    "evidence.state": SignalSpec("state of the supplied evidence", values=tuple(EvidenceState)),
    "evidence.documents": SignalSpec("number of documents found in the request", bounds=_COUNT),
    "evidence.conflicts": SignalSpec("pairs of evidence statements that disagree", bounds=_COUNT),
    "p_wrong": SignalSpec("probability that the answer is wrong"),
    "p_contradicted": SignalSpec("probability that the evidence contradicts the answer"),
    "claims.total": SignalSpec("claims found in the answer", bounds=_COUNT),
    "claims.supported": SignalSpec("claims that the evidence supports", bounds=_COUNT),
    "claims.contradicted": SignalSpec("claims that the evidence contradicts", bounds=_COUNT),
    "claims.not_addressed": SignalSpec("claims that the evidence is silent on", bounds=_COUNT),
    "claims.supported_share": SignalSpec("supported claims / all claims, 0 without claims"),
    "confidence.raw": SignalSpec("confidence read from the token probabilities", "confidence"),
    "confidence.calibrated": SignalSpec("calibrated probability that the answer is right", "confidence"),
    "confidence.quality": SignalSpec(
        "how much of the answer the token probabilities cover", "confidence", tuple(LogprobQuality)
    ),
    "confidence.option": SignalSpec("probability of the chosen option's letter", "confidence"),
    "confidence.min_critical": SignalSpec(
        "lowest probability of a number, unit, side, negator or drug", "confidence"
    ),
    "confidence.mean_critical": SignalSpec("mean probability of those tokens", "confidence"),
    "confidence.sequence": SignalSpec("length-normalised probability of the whole answer", "confidence"),
    "confidence.entropy": SignalSpec("mean entropy of the alternatives, nats", "confidence", bounds=_COUNT),
    "calibration.state": SignalSpec(
        "whether a calibration for this model was applied", values=("calibrated", "uncalibrated")
    ),
    "hedging.assertiveness": SignalSpec("how assertively the text speaks", "hedging"),
    "hedging.hedged": SignalSpec("1 where the text hedges", "hedging"),
    "overconfidence": SignalSpec("assertiveness beyond what the confidence carries", "hedging"),
    "triage.high_risk": SignalSpec("1 where a high-risk topic of the policy occurs", "triage"),
    "triage.injection": SignalSpec("1 where the evidence holds instructions", "triage"),
    "judge.p_contradicted": SignalSpec("highest P(contradicted) of a claim, as a model reads it", "judge"),
    "judge.p_supported": SignalSpec("mean P(supported) of the claims, as a model reads them", "judge"),
    "judge.unread": SignalSpec("claims that the model gave no opinion on", "judge", bounds=_COUNT),
    "options.margin": SignalSpec("lead of the option that the evidence implies over the next", "options"),
    "options.evidence_p": SignalSpec("probability that the evidence gives the chosen option", "options"),
    "options.disagrees": SignalSpec("1 where the evidence implies another option than the answer", "options"),
    "options.permuted_p": SignalSpec("mean probability of the choice over orders of the options", "options"),
    "options.flip_rate": SignalSpec("share of orders under which another option is likelier", "options"),
    "options.evidence_shift": SignalSpec(
        "probability of the choice with evidence minus without", "options", bounds=(-1.0, 1.0)
    ),
    "samples.wanted": SignalSpec("1 where the risk lay in the band that asks for samples", "samples"),
    "samples.drawn": SignalSpec("samples that were drawn", "samples", bounds=_COUNT),
    "samples.agreement": SignalSpec("how far the samples agree with the answer", "samples"),
    "answer.empty": SignalSpec("1 where the answer has no text and calls no tool"),
    "answer.refused": SignalSpec("1 where the model refused"),
    "answer.truncated": SignalSpec("1 where the model stopped at its length limit"),
    "answer.tool_calls": SignalSpec("tool calls in the answer", bounds=_COUNT),
    "query.multiple_choice": SignalSpec("1 where the question is multiple choice"),
}


def vocabulary(topics: Mapping[str, object]) -> dict[str, SignalSpec]:
    """Return `SIGNALS` with one `triage.<topic>` signal for every topic of a policy."""
    own = {f"triage.{topic}": SignalSpec(f"1 where the topic {topic} occurs", "triage") for topic in topics}
    return {**SIGNALS, **own}
