"""More answers to the same question, where the first one is in doubt, and how far they agree with it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final

from gatekeeper.assessment import Assessment, Claim, Field, Finding, Subject, Verdict
from gatekeeper.auxiliary.calls import DrawCall, Problem
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.comparison import compare
from gatekeeper.claims import read_claims
from gatekeeper.evidence.statements import Statement, read_statements
from gatekeeper.exchange import Answer, Case, Document, Span, Surface
from gatekeeper.policy import Policy
from gatekeeper.policy.model import SamplesSettings
from gatekeeper.prompting import shape

_AGREEMENT: Final = {Verdict.SUPPORTED: 1.0, Verdict.NOT_ADDRESSED: 0.5, Verdict.CONTRADICTED: 0.0}
_LIMITS: Final[Mapping[Surface, tuple[str, ...]]] = {
    Surface.CHAT: ("max_tokens", "max_completion_tokens"),
    Surface.COMPLETIONS: ("max_tokens",),
    Surface.RESPONSES: ("max_output_tokens",),
}
"""What each surface calls the limit of an answer's tokens, the usual name first."""

_NOT_FOR_SAMPLES: Final = frozenset(
    {"n", "best_of", "stream", "stream_options", "logprobs", "top_logprobs", "top_p", "top_k", "min_p"}
)


class Samples:
    """Draws more answers of the served model and compares them with the one in doubt.

    `samples.agreement` in [0, 1]: for multiple choice the share of samples that choose the same option;
    else the mean over the answer's claims and the samples, 1 where a sample's statements support the
    claim by the rules of `slots`, 0 where they contradict it, 0.5 where they leave it open.
    `samples.drawn` counts them. Where none came the check is `unavailable`.
    """

    name = "samples"
    inline = False

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return the signals of one answer that is in doubt."""
        settings = self._policy.checks.samples
        calls = [
            DrawCall(self.name, _draw(shape(subject.case, self._policy), settings, number))
            for number in range(settings.answers)
        ]
        if subject.auxiliary is None:
            return (Finding("samples", "samples.error", Verdict.UNAVAILABLE),)
        drawn = await subject.auxiliary.draw(calls, settings.deadline_s)
        texts = [one.content for one in drawn if one.content.strip()]
        if not texts:
            problem = drawn[0].problem or Problem.ERROR
            return (Finding("samples", f"samples.{problem}", Verdict.UNAVAILABLE),)
        agreed = agreement(subject, texts)
        return (
            Finding("samples", "samples.drawn", value=float(len(texts))),
            *([] if agreed is None else [Finding("samples", "samples.agreement", value=agreed)]),
        )


def wanted(settings: SamplesSettings, assessment: Assessment) -> bool:
    """Whether the risk lies in the policy's band; a risk that is not known lies in none."""
    low, high = settings.band
    return assessment.p_wrong is not None and low <= assessment.p_wrong <= high


def agreement(subject: Subject, texts: Sequence[str]) -> float | None:
    """Return how far samples agree with an answer, in [0, 1]; None for an answer that claims nothing."""
    query = subject.case.query
    claims = [claim for claim in subject.claims if claim.field is not Field.REASONING]
    chosen = _option(claims)
    if chosen is not None:
        letters = [_option(read_claims(Answer(0, text), query, reasoning=False)) for text in texts]
        return sum(letter == chosen for letter in letters) / len(texts)
    read = [_statements(text) for text in texts]
    drawn = [(statements, Rarity(statements)) for statements in read]
    scores = [_agrees(claim, *sample) for claim, sample in product(claims, drawn)]
    return sum(scores) / len(scores) if scores else None


def _option(claims: Sequence[Claim]) -> str | None:
    return next((claim.option for claim in claims if claim.option and claim.field is Field.CONTENT), None)


def _agrees(claim: Claim, statements: Sequence[Statement], rarity: Rarity) -> float:
    score = _AGREEMENT[compare(claim.text, claim.context, statements, rarity).verdict]
    return 1.0 - score if claim.denied else score


def _statements(text: str) -> list[Statement]:
    return read_statements(Document("sample", text, "sample", "", Span(0, len(text))))


def _draw(case: Case, settings: SamplesSettings, number: int) -> Case:
    """Return the case of one sample: the client's own request, drawn at the policy's temperature."""
    conversation = case.conversation
    names = _LIMITS[conversation.surface]
    given = {key: value for key, value in conversation.body.items() if key not in _NOT_FOR_SAMPLES}
    limit = next((name for name in names if given.get(name) is not None), names[0])
    most = settings.tokens // settings.answers
    tokens = min(given[limit], most) if isinstance(given.get(limit), int) else most
    seed: dict[str, Any] = {} if conversation.surface is Surface.RESPONSES else {"seed": number}
    body = {**given, limit: max(1, tokens), "temperature": settings.temperature, **seed}
    plain = replace(
        conversation,
        body=body,
        n=1,
        stream=False,
        include_usage=False,
        wants_logprobs=False,
        wants_top_logprobs=0,
    )
    return replace(case, conversation=plain)
