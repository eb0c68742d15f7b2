"""What the evidence says of a claim: supported, contradicted in one slot, or not addressed."""

from collections.abc import Sequence
from math import exp
from typing import TYPE_CHECKING, Final, final

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import gate
from gatekeeper.checks.slots.alignment import Aligned, Rarity, align, reading_work
from gatekeeper.checks.slots.clause import Assertion, assertions
from gatekeeper.checks.slots.contradiction import contradicts, deciding, mistakes, rescues
from gatekeeper.checks.slots.grounding import Grounds
from gatekeeper.checks.slots.reading import Reading, read, read_claim
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
P_UNGROUNDED: Final = 0.3
"""Probabilities of a contradiction that the rules overlooked, as the constructed pairs suggest."""
UNGROUNDED: Final = "ungrounded"
"""The kind of a claim that names a value or agent which is supplied nowhere (see `grounding`)."""


@final
class Comparison:
    """What the evidence says of one claim.

    `kind` is the slot that decided (`number`, `laterality` …), `span` its characters in the claim's
    text, `statement` the position of the deciding statement among those given. `value` is the
    probability that the evidence contradicts the claim, `margin` how closely both speak of the same
    (see `Aligned.margin`).
    """

    __slots__ = ("kind", "margin", "span", "statement", "value", "verdict")

    def __init__(
        self,
        verdict: Verdict,
        value: float,
        kind: str = "",
        span: Span | None = None,
        statement: int | None = None,
        margin: float = 0.0,
    ) -> None:
        self.verdict: Final = verdict
        self.value: Final = value
        self.kind: Final = kind
        self.span: Final = span
        self.statement: Final = statement
        self.margin: Final = margin


_SILENT: Final = Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)
# Naming an enum's member takes as long as comparing it twenty times.
_SUPPORTED: Final = Verdict.SUPPORTED
_NOT_ADDRESSED: Final = Verdict.NOT_ADDRESSED
_ORDER: Final = {Verdict.SUPPORTED: 0, Verdict.NOT_ADDRESSED: 1, Verdict.CONTRADICTED: 2}


def compare(
    text: str,
    context: str,
    statements: Sequence["Statement"],
    rarity: Rarity | None = None,
    asked: Reading | None = None,
    grounds: Grounds | None = None,
) -> Comparison:
    """Say whether the statements support, contradict or do not address a claim, and which slot decides.

    `context` and the question `asked` are read with the claim and are no claims of their own: their values
    and conditions only choose the statements that apply.
    """
    outlined = outline(text)
    words = outlined.tokens.lower
    for place, statement in enumerate(statements):
        if statement.outline.tokens.lower == words:
            return Comparison(_SUPPORTED, P_SUPPORTED, statement=place, margin=QUOTED)
    rarity = rarity or Rarity(statements)
    beside = outline(context) if context else None
    rarity.spend(reading_work(outlined) + (reading_work(beside) if beside else 0))
    claim = read_claim(outlined)
    around = read(beside) if beside else None
    beyond = [one for one in (asked, around) if one is not None]
    named = claim.named.union(*[one.named for one in beyond])
    asserted = assertions(claim.clauses, tuple([one for read in beyond for one in read.clauses]), named)
    strictest: Comparison | None = None
    for one in asserted:
        found = _judge(one, claim, statements, rarity)
        if strictest is None or _ORDER[found.verdict] > _ORDER[strictest.verdict]:
            strictest = found
    strictest = strictest or _SILENT
    if grounds is None or strictest.verdict is not _NOT_ADDRESSED:
        return strictest
    stranger = grounds.stranger(claim)
    if stranger is None:
        return strictest
    return Comparison(_NOT_ADDRESSED, P_UNGROUNDED, UNGROUNDED, claim.span((stranger.first, stranger.last)))


def _judge(
    claim: Assertion, reading: Reading, statements: Sequence["Statement"], rarity: Rarity
) -> Comparison:
    """Judge one clause of a claim by all statements that speak of the same."""
    aligned = align(claim, statements, rarity)
    against: list[Aligned] = []
    if [one for one in aligned if one.differing]:
        top = max((one.rank for one in aligned if len(mistakes(one)) < 2), default=0.0)
        near = [one for one in aligned if one.rank >= top - CLOSE]
        against = [one for one in near if contradicts(one, claim.clause, statements, rarity)]
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
    if claim.clause.is_half_read:
        return None
    agreeing = [
        one
        for one in aligned
        if not one.differing and one.conditions_met and one.clause.is_negative == claim.is_negative
        if not gate.context_differs(claim, one.clause)
    ]
    best: Aligned | None = None
    for one in agreeing:
        if best is None or one.rank > best.rank:
            best = one
    if best is None or best.margin < SUPPORTS or best.unmet > UNHEARD * best.whole:
        return None
    met = {match.claim for one in agreeing for match in one.agreed}
    slots = claim.clause.values()
    if [slot for slot in slots if (slot.first, slot.last) not in met]:
        return None
    said = sum(best.own.values()) + len(slots)
    if said < SAID * (best.whole + len(slots)):
        return None
    return Comparison(_SUPPORTED, P_SUPPORTED, statement=best.statement, margin=best.margin)
