"""The nli check: a few statements of the evidence for each claim, read by a model off the event loop."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from gatekeeper.assessment import Claim, Finding, Subject, Verdict
from gatekeeper.checks.nli.reader import OUTPUTS, Pair, Probabilities, Reader
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.tokens import Outline, outline, weight_of
from gatekeeper.errors import Overloaded
from gatekeeper.exchange import EvidenceSpan

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

MAX_CLAIMS: Final = 64
"""Claims of one answer that are read; where there are more, the check says that it could not read all."""
MAX_WAITING: Final = 64
"""Answers that may wait for the model; one more is `unavailable` at once instead of after its time."""
SHARED: Final = 0.2
"""Share of what a claim speaks of that a statement must name to be read beside it."""
_LEANS: Final = re.compile(
    r"(?:it|its|this|these|they|those|their|otherwise|however|such|if so"
    r"|in (?:that|this) case|the (?:same|latter))\b",
    re.IGNORECASE,
)
_SUPPORTED, _CONTRADICTED = OUTPUTS.index(Verdict.SUPPORTED), OUTPUTS.index(Verdict.CONTRADICTED)


class Nli:
    """Reads every claim beside the statements that speak of the same, and says what they say of it.

    One thread per check computes, so that requests that need no model never wait for one. The probability
    of a contradiction is that of the statement that contradicts most, less what another one supports.
    """

    name = "nli"
    inline = False

    def __init__(self, reader: Reader, statements: int = 3, threshold: float = 0.5) -> None:
        self._reader = reader
        self._statements = statements
        self._threshold = threshold
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nli")
        self._waiting = 0

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one finding for every claim that was read, in order.

        Raises Overloaded where too many answers wait already.
        """
        if self._waiting >= MAX_WAITING:
            raise Overloaded("Too many answers wait to be read.")
        readings = self._readings(subject)
        pairs = [pair for reading in readings for pair in reading.pairs]
        self._waiting += 1
        try:
            probabilities = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._reader.read, pairs
            )
        finally:
            self._waiting -= 1
        verdicts = list(self._verdicts(subject, readings, probabilities))
        return [*_findings(subject, readings, verdicts), *_signals(verdicts), *_unread(subject)]

    def _readings(self, subject: Subject) -> "list[_Reading]":
        statements = subject.case.evidence.statements
        rarity = Rarity(statements)
        return [
            _Reading.of(claim, statements, rarity, self._statements) for claim in subject.claims[:MAX_CLAIMS]
        ]

    def _verdicts(
        self, subject: Subject, readings: "Sequence[_Reading]", probabilities: Probabilities
    ) -> "Iterator[Combined]":
        start = 0
        for claim, reading in zip(subject.claims, readings, strict=False):
            rows = probabilities[start : start + len(reading.pairs)]
            start += len(reading.pairs)
            yield combine(rows, self._threshold, denied=claim.denied)


class Combined(NamedTuple):
    """What several statements say of one claim: the verdict, both probabilities, the row that decided."""

    verdict: Verdict
    contradicted: float
    supported: float
    row: int | None


def combine(rows: Probabilities, threshold: float, *, denied: bool = False) -> Combined:
    """Combine the readings of one claim beside several statements, (statements, 3).

    P(contradicted) is the largest over statements, times what the best support of another statement
    leaves: a rule and its exception stand in two sentences. `denied` turns the claim round.
    """
    if not len(rows):
        return Combined(Verdict.NOT_ADDRESSED, 0.0, 0.0, None)
    against, in_favour = rows[:, _CONTRADICTED], rows[:, _SUPPORTED]
    if denied:
        against, in_favour = in_favour, against
    worst, best = int(against.argmax()), int(in_favour.argmax())
    support = float(in_favour[best])
    value = float(against[worst]) * (1.0 if worst == best else 1.0 - support)
    if value >= threshold:
        return Combined(Verdict.CONTRADICTED, value, support, worst)
    if support >= 0.5:
        return Combined(Verdict.SUPPORTED, value, support, best)
    return Combined(Verdict.NOT_ADDRESSED, value, support, None)


def _findings(
    subject: Subject, readings: "Sequence[_Reading]", verdicts: Sequence[Combined]
) -> Iterator[Finding]:
    for position, (reading, said) in enumerate(zip(readings, verdicts, strict=True)):
        statement = None if said.row is None else reading.statements[said.row]
        yield Finding(
            check="nli",
            detector="nli",
            verdict=said.verdict,
            claim=position,
            value=said.contradicted,
            span=subject.claims[position].span,
            evidence=EvidenceSpan(statement.document, statement.span) if statement else None,
        )


def _signals(verdicts: Sequence[Combined]) -> Iterator[Finding]:
    if verdicts:
        contradicted = max(said.contradicted for said in verdicts)
        supported = sum(said.supported for said in verdicts) / len(verdicts)
        yield Finding("nli", "nli.p_contradicted", value=contradicted)
        yield Finding("nli", "nli.p_supported", value=supported)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A claim's pairs, and the statements that stand in them."""

    statements: "tuple[Statement, ...]"
    pairs: tuple[Pair, ...]

    @classmethod
    def of(cls, claim: Claim, statements: "Sequence[Statement]", rarity: Rarity, most: int) -> "_Reading":
        chosen = select(claim, statements, rarity, most)
        said = f"{claim.context} {claim.text}" if _needs_context(claim) else claim.text
        return cls(
            tuple(statements[at] for at in chosen),
            tuple((_premise(statements, at), said) for at in chosen),
        )


def _needs_context(claim: Claim) -> bool:
    """Whether a claim is read with its question: options are, and what is too short to stand alone."""
    return bool(claim.context) and (claim.option is not None or len(claim.text.split()) < 6)


def _premise(statements: "Sequence[Statement]", at: int) -> str:
    """Return a statement's text, with the one before it where it leans on that."""
    statement = statements[at]
    if at and statements[at - 1].document == statement.document and _LEANS.match(statement.text):
        return f"{statements[at - 1].text} {statement.text}"
    return statement.text


def select(claim: Claim, statements: "Sequence[Statement]", rarity: Rarity, most: int) -> list[int]:
    """Return the positions of at most `most` statements that name most of what a claim speaks of."""
    terms = rarity.weighed({**_terms(outline(claim.context), 0.5), **_terms(outline(claim.text), 1.0)})
    whole = sum(terms.values())
    scores = [
        sum(weight for term, weight in terms.items() if _names(statement, term)) for statement in statements
    ]
    ranked = sorted(range(len(statements)), key=lambda at: (-scores[at], at))
    return sorted(at for at in ranked[:most] if scores[at] >= SHARED * whole and scores[at] > 0)


def _names(statement: "Statement", term: str) -> bool:
    return term in statement.outline.named or term in statement.heading


def _terms(read: Outline, factor: float) -> Mapping[str, float]:
    return {
        lexeme.concept: factor * weight_of(lexeme) for lexeme in read.lexemes if lexeme.concept in read.named
    }


def _unread(subject: Subject) -> Iterator[Finding]:
    """Say that claims beyond the limit were not read: silence would pass for consent."""
    if len(subject.claims) > MAX_CLAIMS:
        yield Finding("nli", "nli.claims", Verdict.UNAVAILABLE)
