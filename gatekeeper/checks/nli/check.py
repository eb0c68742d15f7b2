"""The nli check: a few statements of the evidence for each claim, read by a model off the event loop."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gatekeeper.assessment import Claim, Finding, Subject, Verdict
from gatekeeper.checks.nli.reader import OUTPUTS, Pair, Probabilities, Reader
from gatekeeper.checks.slots.alignment import Rarity
from gatekeeper.checks.slots.tokens import Outline, outline
from gatekeeper.errors import Overloaded
from gatekeeper.exchange import EvidenceSpan

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

MAX_CLAIMS: Final = 64
"""Claims of one answer that are read; where there are more, the check says that it could not read all."""
MAX_WAITING: Final = 64
"""Answers that may wait for the model; one more is `unavailable` at once instead of after its time."""
_SUPPORTED, _CONTRADICTED = OUTPUTS.index(Verdict.SUPPORTED), OUTPUTS.index(Verdict.CONTRADICTED)


class Nli:
    """Reads every claim beside the statements that speak of the same, and says what they say of it.

    One pair per claim: the chosen statements together, so that a rule and its exception are read as one.
    One thread per check computes, so that requests that need no model never wait for one.
    """

    name = "nli"
    inline = False

    def __init__(self, reader: Reader, statements: int = 2, threshold: float = 0.8) -> None:
        self._reader = reader
        self._statements = statements
        self._threshold = threshold
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nli")
        self._waiting = 0

    @property
    def digest(self) -> str | None:
        """The digest of the model that it reads with."""
        return self._reader.digest

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Return one finding for every claim that was read, in order, then the signals.

        Raises Overloaded where too many answers wait already.
        """
        passages = list(self._passages(subject))
        rows = await self._read([passage.pair for passage in passages if passage.statements])
        pairs = zip(subject.claims, passages, strict=False)
        rows = _turned(rows, [claim.denied for claim, passage in pairs if passage.statements])
        findings = list(self._findings(subject, passages, iter(rows.tolist())))
        return [*findings, *_signals(rows), *_unread(subject)]

    async def _read(self, pairs: Sequence[Pair]) -> Probabilities:
        """Wait for the thread; without a pair there is nothing to wait for."""
        if not pairs:
            return np.empty((0, len(OUTPUTS)))
        if self._waiting >= MAX_WAITING:
            raise Overloaded("Too many answers wait to be read.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._reader.read, pairs)
        finally:
            self._waiting -= 1

    def _passages(self, subject: Subject) -> "Iterator[Passage]":
        statements = subject.case.evidence.statements
        rarity = Rarity(statements)
        for claim in subject.claims[:MAX_CLAIMS]:
            yield select(claim, statements, rarity, self._statements)

    def _findings(
        self, subject: Subject, passages: "Sequence[Passage]", rows: Iterator[list[float]]
    ) -> Iterator[Finding]:
        for position, passage in enumerate(passages):
            claim = subject.claims[position]
            row = next(rows) if passage.statements else _SILENCE
            verdict, value = self._verdict(row)
            told = passage.nearest if verdict is not Verdict.NOT_ADDRESSED else None
            yield Finding(
                check=self.name,
                detector=self.name,
                verdict=verdict,
                claim=position,
                value=value,
                span=claim.span,
                evidence=EvidenceSpan(told.document, told.span) if told else None,
            )

    def _verdict(self, row: Sequence[float]) -> tuple[Verdict, float]:
        """Return the verdict and P(contradicted)."""
        supported, contradicted, _ = row
        if contradicted >= self._threshold:
            return Verdict.CONTRADICTED, contradicted
        return (Verdict.SUPPORTED if supported >= self._threshold else Verdict.NOT_ADDRESSED), contradicted


def _turned(rows: Probabilities, denied: Sequence[bool]) -> Probabilities:
    """Turn claims round that the answer denies: what supports such a claim contradicts the answer."""
    turned = rows.copy()
    turned[denied] = rows[denied][:, [_CONTRADICTED, _SUPPORTED, 2]]
    return turned


_SILENCE: Final = (0.0, 0.0, 1.0)


def _signals(rows: Probabilities) -> Iterator[Finding]:
    if len(rows):
        yield Finding("nli", "nli.p_contradicted", value=float(rows[:, _CONTRADICTED].max()))
        yield Finding("nli", "nli.p_supported", value=float(rows[:, _SUPPORTED].mean()))


class Passage(NamedTuple):
    """What is read beside a claim: the chosen statements in order, and the one that shares most with it."""

    statements: "tuple[Statement, ...]"
    nearest: "Statement | None"
    pair: Pair


def _needs_context(claim: Claim) -> bool:
    """Whether a claim is read with its question: options are, and what is too short to stand alone."""
    return bool(claim.context) and (claim.option is not None or len(claim.text.split()) < 6)


def select(claim: Claim, statements: "Sequence[Statement]", rarity: Rarity, most: int) -> Passage:
    """Choose the `most` statements that name most of what a claim speaks of.

    They are read even where they share no word with the claim: a paraphrase may share none.
    """
    terms = rarity.weighed({**_terms(outline(claim.context), 0.5), **_terms(outline(claim.text), 1.0)})
    scores = [
        sum(weight for term, weight in terms.items() if _names(statement, term)) for statement in statements
    ]
    ranked = sorted(range(len(statements)), key=lambda at: (-scores[at], at))[:most]
    chosen = tuple(statements[at] for at in sorted(ranked))
    said = f"{claim.context} {claim.text}" if _needs_context(claim) else claim.text
    pair = " ".join(statement.text for statement in chosen), said
    return Passage(chosen, statements[ranked[0]] if ranked else None, pair)


def _names(statement: "Statement", term: str) -> bool:
    return term in statement.outline.named or term in statement.heading


def _terms(read: Outline, factor: float) -> Mapping[str, float]:
    return {lexeme.concept: factor * lexeme.weight for lexeme in read.lexemes if lexeme.concept in read.named}


def _unread(subject: Subject) -> Iterator[Finding]:
    """Say that claims beyond the limit were not read: silence would pass for consent."""
    if len(subject.claims) > MAX_CLAIMS:
        yield Finding("nli", "nli.claims", Verdict.UNAVAILABLE)
