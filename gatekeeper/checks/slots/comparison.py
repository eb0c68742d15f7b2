"""What the evidence says of a claim: supported, contradicted in one slot, or not addressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Final

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import gate
from gatekeeper.checks.slots.alignment import Aligned, Rarity, align, reading_work
from gatekeeper.checks.slots.clause import Assertion, assertions
from gatekeeper.checks.slots.contradiction import contradicts, deciding, mistakes, rescues
from gatekeeper.checks.slots.reading import Reading, read
from gatekeeper.checks.slots.tokens import outline
from gatekeeper.exchange import Span

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

CLOSE: Final = 0.25
"""How much worse than the best aligned statement another may be aligned and still be heard."""
SUPPORTS: Final = 0.8
"""Margin (see `Aligned.margin`) from which a statement that differs in nothing supports a claim."""
SAID: Final = 0.5
"""Share of a claim, its values counted in, that the supporting clause itself must say."""
UNHEARD: Final = 0.4
"""Share of a claim's words that a supporting document may leave out."""
QUOTED: Final = 1.5
"""The margin of a claim that is quoted word for word: the highest there is."""
P_SUPPORTED: Final = 0.02
P_NOT_ADDRESSED: Final = 0.05
"""Probabilities of a contradiction that the rules overlooked, as the constructed pairs suggest."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the evidence says of one claim.

    `kind` is the slot that decided (`number`, `laterality` …), `span` its characters in the claim's
    text, `statement` the position of the deciding statement among those given. `value` is the
    probability that the evidence contradicts the claim, `margin` how closely both speak of the same
    (see `Aligned.margin`).
    """

    verdict: Verdict
    value: float
    kind: str = ""
    span: Span | None = None
    statement: int | None = None
    margin: float = 0.0


_SILENT: Final = Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)
_ORDER: Final = {Verdict.SUPPORTED: 0, Verdict.NOT_ADDRESSED: 1, Verdict.CONTRADICTED: 2}


def compare(
    text: str, context: str, statements: Sequence["Statement"], rarity: Rarity | None = None
) -> Comparison:
    """Say whether the statements support, contradict or do not address a claim, and which slot decides.

    `context` is read with the claim and is no claim of its own: its values and conditions only choose
    the statements that apply.
    """
    outlined = outline(text)
    words = outlined.tokens.lower
    quoted = next((at for at, one in enumerate(statements) if one.outline.tokens.lower == words), None)
    if quoted is not None:
        return Comparison(Verdict.SUPPORTED, P_SUPPORTED, statement=quoted, margin=QUOTED)
    rarity = rarity or Rarity(statements)
    beside = outline(context) if context else None
    rarity.spend(reading_work(outlined) + (reading_work(beside) if beside else 0))
    claim = read(outlined)
    around = read(beside) if beside else None
    asserted = assertions(
        claim.clauses,
        around.clauses if around else (),
        claim.named | (around.named if around else frozenset()),
    )
    found = [_judge(one, claim, statements, rarity) for one in asserted]
    return max(found, key=lambda one: _ORDER[one.verdict], default=_SILENT)


def _judge(
    claim: Assertion, reading: Reading, statements: Sequence["Statement"], rarity: Rarity
) -> Comparison:
    """Judge one clause of a claim by all statements that speak of the same."""
    aligned = align(claim, statements, rarity)
    top = max((one.rank for one in aligned if len(mistakes(one)) < 2), default=0.0)
    against = [
        one
        for one in aligned
        if one.rank >= top - CLOSE and contradicts(one, claim.clause, statements, rarity)
    ]
    rarity.spend(len(against) * len(aligned))
    against = [one for one in against if not any(rescues(other, one) for other in aligned)]
    if not against:
        return _supported(claim, aligned) or _SILENT
    worst = max(against, key=lambda one: one.rank)
    match = deciding(worst)
    return Comparison(
        Verdict.CONTRADICTED,
        _probability(worst.margin),
        kind=match.differs or "",
        span=reading.span(match.claim),
        statement=worst.statement,
        margin=worst.margin,
    )


def _probability(margin: float) -> float:
    """Return the probability of a contradiction: the more both speak of the same, the nearer to 1."""
    return 1.0 / (1.0 + exp(2.0 - 4.5 * margin))


def _supported(claim: Assertion, aligned: Sequence[Aligned]) -> Comparison | None:
    """Supported: a statement speaks of the same in the same sense, and every value was met."""
    agreeing = [
        one
        for one in aligned
        if not one.differing and one.conditions_met and one.clause.is_negative == claim.is_negative
        if not gate.context_differs(claim, one.clause)
    ]
    best = max(agreeing, key=lambda one: one.rank, default=None)
    met = {match.claim for one in agreeing for match in one.agreed}
    slots = claim.clause.values()
    if best is None or best.margin < SUPPORTS or best.unmet > UNHEARD * best.whole:
        return None
    said = sum(best.own.values()) + sum((slot.first, slot.last) in met for slot in slots)
    if said < SAID * (best.whole + len(slots)):
        return None
    if any((slot.first, slot.last) not in met for slot in slots):
        return None
    return Comparison(Verdict.SUPPORTED, P_SUPPORTED, statement=best.statement, margin=best.margin)
