"""A language model reads every claim against the evidence."""

from collections.abc import Sequence
from math import fsum
from typing import Final

from gatekeeper.assessment import Claim, Field, Finding, Subject, Verdict
from gatekeeper.checks.reading import LONGEST_STATEMENT, Opinion, Stated, evidence_text, read_statements
from gatekeeper.checks.slots.critical import critical_spans
from gatekeeper.policy.model import JudgeSettings

TOO_MUCH: Final = "too_much"
"""Why a claim was not put to the model: there were too many, or it is too long."""


class Judge:
    """Asks a model for each claim whether the evidence supports it, contradicts it or leaves it open.

    Each claim gets one finding, its value P(contradicted). Signals: `judge.p_contradicted` (the highest
    of any claim), `judge.p_supported` (the mean over claims), `judge.unread` (claims without an opinion).
    Any of those makes the check `unavailable`, beside what was found of the others: an opinion that is
    missing supports nothing. At most `max_claims` are read, those with most at stake first.
    """

    name = "judge"
    inline = False

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one finding for every claim, then the signals."""
        claims = subject.claims
        if not claims or not subject.case.evidence.statements:
            # Silent evidence is known without asking.
            opinions: list[Opinion | str] = [Opinion(0.0, 0.0, 1.0)] * len(claims)
        else:
            opinions = await self._opinions(subject)
        return [*map(_finding, range(len(claims)), opinions), *_signals(opinions)]

    async def _opinions(self, subject: Subject) -> list[Opinion | str]:
        """Return an opinion on each claim, or the kind of problem that kept one from coming."""
        settings = self._settings
        chosen = most_at_stake(subject.claims)[: settings.max_claims]
        stated = [stated_of(subject.claims[place]) for place in chosen]
        found: list[Opinion | str] = [TOO_MUCH] * len(subject.claims)
        if subject.auxiliary is None:
            return ["error"] * len(found)
        read = await read_statements(
            subject.auxiliary,
            self.name,
            stated,
            evidence_text(subject.case.evidence, list(map(stated_of, subject.claims))),
            within_s=settings.deadline_s,
            rotated=settings.rotated,
            fingerprint=settings.fingerprint,
        )
        for place, opinion in zip(chosen, read, strict=True):
            found[place] = opinion
        return found


def stated_of(claim: Claim) -> Stated:
    """Return a claim as a statement to read."""
    return Stated(claim.text, claim.context, claim.denied)


def most_at_stake(claims: Sequence[Claim]) -> list[int]:
    """Return the places of the claims short enough to read: choices first, then by critical words.

    Reasoning comes last: it argues before it concludes.
    """

    def stake(place: int) -> tuple[bool, bool, int]:
        claim = claims[place]
        return claim.field is Field.REASONING, claim.option is None, -len(critical_spans(claim.text))

    short = [
        place for place, claim in enumerate(claims) if len(claim.text + claim.context) <= LONGEST_STATEMENT
    ]
    return sorted(short, key=stake)


def _finding(place: int, opinion: Opinion | str) -> Finding:
    if isinstance(opinion, str):
        return Finding("judge", "judge", Verdict.UNAVAILABLE, place)
    return Finding("judge", "judge", opinion.verdict, place, opinion.contradicted)


def _signals(opinions: Sequence[Opinion | str]) -> list[Finding]:
    read = [opinion for opinion in opinions if isinstance(opinion, Opinion)]
    problems = dict.fromkeys(str(problem) for problem in opinions if not isinstance(problem, Opinion))
    signals = [Finding("judge", "judge.unread", value=float(len(opinions) - len(read)))]
    if read or not opinions:
        worst = max((opinion.contradicted for opinion in read), default=0.0)
        signals.append(Finding("judge", "judge.p_contradicted", value=worst))
    if read:
        mean = fsum(opinion.supported for opinion in read) / len(read)
        signals.append(Finding("judge", "judge.p_supported", value=mean))
    if problems:
        signals.append(Finding("judge", f"judge.{next(iter(problems))}", Verdict.UNAVAILABLE))
    return signals
