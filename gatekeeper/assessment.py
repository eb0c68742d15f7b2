"""The words for judging: claim, finding, assessment, action, decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, final

from gatekeeper.exchange import Answer, Case, EvidenceSpan, LogprobQuality, Span

if TYPE_CHECKING:
    from gatekeeper.auxiliary.calls import Auxiliary

SignalValue = float | str
"""A number (probabilities in [0, 1], counts, 0.0/1.0 for no/yes) or an enum's value."""

UNSOUND_CAP: Final = 0.5
"""The most that P(correct) may be, unless a policy says otherwise, where the evidence is unsound.

Of two statements that contradict each other one is wrong, so what rests on them is no better than even.
"""


MAX_CLAIMS: Final = 1_024
"""Claims of an answer that are judged. Of one with more, one more is read, so that a check can tell."""


class Field(StrEnum):
    """The field of an answer that a claim stands in."""

    CONTENT = "content"
    REASONING = "reasoning"
    REFUSAL = "refusal"
    TOOL_CALL = "tool_call"


@final
@dataclass(slots=True, init=False)
class Claim:
    """One checkable statement of an answer.

    `text` is what is checked; for a multiple-choice letter it is the statement that choosing the
    option makes, so `span` (offsets into `field`, for tool calls into the arguments of call
    `call`) covers other characters than `text`. `context` is text that `text` is to be read with
    and that is no claim of its own: the question's stem, or the sentence that opens a list.
    `denied` turns the claim round: the answer says that `text` is false (negated stems).
    """

    text: Final[str]
    span: Final[Span]
    field: Final[Field]
    context: Final[str]
    option: Final[str | None]
    denied: Final[bool]
    call: Final[int]

    def __init__(
        self,
        text: str,
        span: Span,
        field: Field = Field.CONTENT,
        context: str = "",
        option: str | None = None,
        denied: bool = False,
        call: int = 0,
    ) -> None:
        self.text = text
        self.span = span
        self.field = field
        self.context = context
        self.option = option
        self.denied = denied
        self.call = call


class Verdict(StrEnum):
    """What a check says of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_ADDRESSED = "not_addressed"
    UNAVAILABLE = "unavailable"


@final
@dataclass(slots=True, init=False)
class Finding:
    """What one check says of a claim (`claim` is its index) or of the whole answer (`claim` None).

    With a `verdict`, `value` is the probability that the evidence contradicts the claim. Without
    one, `value` is the signal named by `detector` (such as `confidence.raw`), which a policy's
    rules may read. `span` marks the characters of the answer's field that decided, `evidence` the
    statement that shows it.
    """

    check: Final[str]
    detector: Final[str]
    verdict: Final[Verdict | None]
    claim: Final[int | None]
    value: Final[SignalValue | None]
    span: Final[Span | None]
    evidence: Final[EvidenceSpan | None]

    def __init__(
        self,
        check: str,
        detector: str,
        verdict: Verdict | None = None,
        claim: int | None = None,
        value: SignalValue | None = None,
        span: Span | None = None,
        evidence: EvidenceSpan | None = None,
    ) -> None:
        self.check = check
        self.detector = detector
        self.verdict = verdict
        self.claim = claim
        self.value = value
        self.span = span
        self.evidence = evidence


@final
@dataclass(slots=True, init=False)
class Subject:
    """What a check reads: the case, one answer to it, that answer's claims, and whom it may ask.

    `lookups` are the tools that the policy trusts to look evidence up.
    """

    case: Final[Case]
    answer: Final[Answer]
    claims: Final[tuple[Claim, ...]]
    auxiliary: "Final[Auxiliary | None]"
    lookups: Final[frozenset[str]]

    def __init__(
        self,
        case: Case,
        answer: Answer,
        claims: tuple[Claim, ...],
        auxiliary: "Auxiliary | None" = None,
        lookups: frozenset[str] = frozenset(),
    ) -> None:
        self.case = case
        self.answer = answer
        self.claims = claims
        self.auxiliary = auxiliary
        self.lookups = lookups

    @property
    def is_lookup(self) -> bool:
        """Whether the answer says nothing itself, and only asks for evidence to be looked up."""
        answer = self.answer
        if not answer.tool_calls or answer.content.strip() or answer.refusal:
            return False
        if Field.REASONING in [claim.field for claim in self.claims]:
            return False
        return self.lookups.issuperset([call.name for call in answer.tool_calls])


@final
@dataclass(slots=True, init=False)
class Confidence:
    """Probability in [0, 1] that the answer is right, as the tokens say and after calibration.

    `cap` is the most that the state of the evidence allows, None where it sets no limit; `calibrated`
    never exceeds it, `raw` stays as measured.
    """

    raw: Final[float | None]
    calibrated: Final[float | None]
    quality: Final[LogprobQuality]
    cap: Final[float | None]

    def __init__(
        self,
        raw: float | None = None,
        calibrated: float | None = None,
        quality: LogprobQuality = LogprobQuality.UNAVAILABLE,
        cap: float | None = None,
    ) -> None:
        self.raw = raw
        self.calibrated = calibrated
        self.quality = quality
        self.cap = cap


@dataclass(frozen=True, slots=True)
class Risk:
    """What a fused risk is made of, in logits of P(wrong): positive parts make the answer riskier.

    `intercept` and `terms` (by signal) add up to logit(p_wrong), unless the evidence's cap raised that.
    `missing` names the signals that were not measured; their terms are what fitting learnt of answers
    without them.
    """

    intercept: float
    terms: Mapping[str, float]
    missing: tuple[str, ...] = ()


@final
@dataclass(slots=True, init=False)
class Assessment:
    """All findings of an answer and the numbers that a policy's rules read.

    `p_wrong` and `p_contradicted` are None where nothing supports a number, `risk` where no fused risk
    was fitted or it cannot say. `signals` holds every named signal; one that could not be measured is
    absent.
    """

    claims: Final[tuple[Claim, ...]]
    findings: Final[tuple[Finding, ...]]
    p_wrong: Final[float | None]
    p_contradicted: Final[float | None]
    confidence: Final[Confidence]
    unavailable: Final[tuple[str, ...]]
    signals: Final[Mapping[str, SignalValue]]
    risk: Final[Risk | None]

    def __init__(
        self,
        claims: tuple[Claim, ...],
        findings: tuple[Finding, ...],
        p_wrong: float | None,
        p_contradicted: float | None,
        confidence: Confidence,
        unavailable: tuple[str, ...] = (),
        signals: Mapping[str, SignalValue] | None = None,
        risk: Risk | None = None,
    ) -> None:
        self.claims = claims
        self.findings = findings
        self.p_wrong = p_wrong
        self.p_contradicted = p_contradicted
        self.confidence = confidence
        self.unavailable = unavailable
        self.signals = {} if signals is None else signals
        self.risk = risk


class Action(StrEnum):
    """What an application gets, from mildest to strictest; the last three hold the answer."""

    RELEASE = "release"
    ANNOTATE = "annotate"
    REGENERATE = "regenerate"
    ESCALATE = "escalate"
    ABSTAIN = "abstain"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """Position in the order of strictness, 0 for `release`."""
        return _SEVERITY[self]

    @property
    def holds(self) -> bool:
        """Whether the answer's text stays here."""
        return self.severity >= _SEVERITY[Action.ESCALATE]


_SEVERITY = {action: position for position, action in enumerate(Action)}


def strictest(actions: Iterable[Action]) -> Action:
    """Return the strictest of the actions, `release` if there are none."""
    return max(actions, key=_SEVERITY.__getitem__, default=Action.RELEASE)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision fell: the rule's id, its action, and the signals with the values it matched on.

    `message` is the policy author's sentence for people; it never holds text of the exchange.
    """

    rule: str
    action: Action
    signals: Mapping[str, SignalValue | None]
    message: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The action for one answer and the rules that asked for it, strictest first.

    In `shadow` mode `action` is what was delivered and `would` what enforcing would have done.
    """

    action: Action
    reasons: tuple[Reason, ...]
    would: Action


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer with its assessment and decision."""

    answer: Answer
    assessment: Assessment
    decision: Decision
