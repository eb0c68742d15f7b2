"""The slots check: every claim beside the evidence, slot by slot, by rules that a clinician can read."""

from collections.abc import Sequence
from typing import Final

from gatekeeper.assessment import MAX_CLAIMS, Claim, Finding, Subject, Verdict
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.characters import hides
from gatekeeper.checks.slots.comparison import P_NOT_ADDRESSED, P_SUPPORTED, Comparison, compare
from gatekeeper.checks.slots.grounding import Grounds
from gatekeeper.checks.slots.reading import read_question
from gatekeeper.exchange import Evidence, EvidenceSpan, Span

LONGEST_QUESTION: Final = 1_000
"""Characters of a question that is read with every claim; a longer one holds more than a question."""
CLOSE_SUPPORT: Final = 1.1
"""Margin of support from which its denial counts as a contradiction."""
P_DENIED_TRUTH: Final = 0.75
"""Probability that an answer is wrong which denies what the evidence supports.

Support is read more loosely than contradiction, so its denial is less certain.
"""


class Slots:
    """Finds claims that differ from the evidence in one number, side, drug, category, time or negation.

    Each claim gets one finding; its detector names the slot that decided (`slots.number`), or `slots`
    where none did. The check is `unavailable` where an answer has more claims than are read
    (`slots.claims`), holds characters that a clinician does not see or sees as others (`slots.characters`),
    or would take too long to compare (`slots.error`, see `Rarity.spend`).
    """

    name = "slots"
    inline = True

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one finding for every claim, in order."""
        evidence = subject.case.evidence
        statements, rarity = evidence.statements, Rarity(evidence.statements)
        question = subject.case.query.text
        asked = read_question(question) if subject.claims and len(question) <= LONGEST_QUESTION else None
        grounds = Grounds(statements, asked) if statements else None
        found = []
        for position, claim in enumerate(subject.claims):
            said = None if claim.option or claim.context == question else asked
            compared = compare(claim.text, claim.context, statements, rarity, said, grounds)
            found.append(_finding(position, claim, compared, evidence))
        if len(found) > MAX_CLAIMS:
            found.append(Finding("slots", "slots.claims", Verdict.UNAVAILABLE))
        if any(hides(claim.text) for claim in subject.claims):
            found.append(Finding("slots", "slots.characters", Verdict.UNAVAILABLE))
        return found


def _finding(position: int, claim: Claim, found: Comparison, evidence: Evidence) -> Finding:
    if claim.denied:
        found = _turned_round(found)
    statement = None if found.statement is None else evidence.statements[found.statement]
    return Finding(
        check="slots",
        detector=f"slots.{found.kind}" if found.kind else "slots",
        verdict=found.verdict,
        claim=position,
        value=found.value,
        span=_span(claim, found.span),
        evidence=EvidenceSpan(statement.document, statement.span) if statement else None,
    )


def _turned_round(found: Comparison) -> Comparison:
    """Judge an answer that denies the claim: what contradicts the claim supports the answer.

    Support has to be close before its denial counts as a contradiction; else nothing is said.
    """
    if found.verdict is Verdict.CONTRADICTED:
        return Comparison(
            Verdict.SUPPORTED, P_SUPPORTED, found.kind, found.span, found.statement, found.margin
        )
    if found.verdict is not Verdict.SUPPORTED:
        return found
    if found.margin < CLOSE_SUPPORT:
        return Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)
    return Comparison(
        Verdict.CONTRADICTED, P_DENIED_TRUTH, "polarity", found.span, found.statement, found.margin
    )


def _span(claim: Claim, found: Span | None) -> Span:
    """Return the slot's characters where the claim's text stands in the answer as it is, else the claim's."""
    verbatim = claim.span.end - claim.span.start == len(claim.text)
    if found is None or not verbatim:
        return claim.span
    return Span(claim.span.start + found.start, claim.span.start + found.end)
