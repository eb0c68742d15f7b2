"""What the evidence says of a claim: supported, contradicted in one slot, or not addressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Final

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import gate
from gatekeeper.checks.slots.alignment import Aligned, Rarity, align, back_share
from gatekeeper.checks.slots.clause import Assertion, Clause, assertions
from gatekeeper.checks.slots.kinds import compare_slots
from gatekeeper.checks.slots.lexicon import BROAD, ONE_SIDED
from gatekeeper.checks.slots.quantity import OTHER_CASE
from gatekeeper.checks.slots.reading import Reading, read
from gatekeeper.checks.slots.slot import Match
from gatekeeper.checks.slots.tokens import TERM_WEIGHT
from gatekeeper.exchange import Span

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

BROADLY_ALIGNED: Final = 0.65
CLOSE: Final = 0.25
"""How much worse than the best aligned statement another may be aligned and still be heard."""
SUPPORTS: Final = 0.6
SAID: Final = 0.5
"""Share of a claim, its values counted in, that the supporting clause itself must say."""
UNHEARD: Final = 0.4
"""Share of a claim's words that a supporting document may leave out."""
SAME_SUBJECT: Final = 0.8
"""Share of what the contradicting statement met of the claim that a rescuing one must meet too."""
SAFE: Final = 0.5
"""Margin (see `Aligned.margin`) below which a difference may well be that of another subject."""
SURELY: Final = 0.9
"""Margin above which several numbers of one measure are one mistake, not another row."""
NAMED: Final = 0.9
"""Weight of terms and equal values in common below which a value may well be that of something else."""

ELSEWHERE: Final = 0.3
"""Share of a claim's words, met in the row that its context chooses, below which they are not said there."""

P_SUPPORTED: Final = 0.02
P_NOT_ADDRESSED: Final = 0.05
"""Probabilities of a contradiction that the rules overlooked, as the constructed pairs suggest."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the evidence says of one claim.

    `kind` is the slot that decided (`number`, `laterality` …), `span` its characters in the claim's
    text, `statement` the position of the deciding statement among those given. `value` is the
    probability that the evidence contradicts the claim.
    """

    verdict: Verdict
    value: float
    kind: str = ""
    span: Span | None = None
    statement: int | None = None


_SILENT: Final = Comparison(Verdict.NOT_ADDRESSED, P_NOT_ADDRESSED)
_ORDER: Final = {Verdict.SUPPORTED: 0, Verdict.NOT_ADDRESSED: 1, Verdict.CONTRADICTED: 2}


def compare(
    text: str, context: str, statements: Sequence["Statement"], rarity: Rarity | None = None
) -> Comparison:
    """Say whether the statements support, contradict or do not address a claim, and which slot decides.

    `context` is read with the claim and is no claim of its own: its values and conditions only choose
    the statements that apply.
    """
    claim = read(text)
    quoted = next(
        (at for at, one in enumerate(statements) if one.outline.tokens.lower == claim.tokens.lower), None
    )
    if quoted is not None:
        return Comparison(Verdict.SUPPORTED, P_SUPPORTED, statement=quoted)
    rarity = rarity or Rarity(statements)
    around = read(context) if context else None
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
    aligned = list(align(claim, statements, rarity))
    top = max((one.rank for one in aligned if len(_mistakes(one)) < 2), default=0.0)
    against = [
        one
        for one in aligned
        if one.rank >= top - CLOSE and _contradicts(one, statements[one.statement], claim.clause)
    ]
    against = [one for one in against if not any(_rescues(other, one) for other in aligned)]
    if not against:
        other_row = _said_of_another_row(claim, aligned, statements, rarity)
        return other_row or _supported(claim.clause, aligned) or _SILENT
    worst = max(against, key=lambda one: one.rank)
    match = _deciding(worst)
    place = reading.span(match.claim)
    return Comparison(Verdict.CONTRADICTED, _probability(worst), match.differs or "", place, worst.statement)


def _said_of_another_row(
    claim: Assertion, aligned: Sequence[Aligned], statements: Sequence["Statement"], rarity: Rarity
) -> Comparison | None:
    """Contradict a claim whose words stand in the row for other values than those of its context.

    "High-risk stigma", chosen for a duct of 7 mm, where the evidence says it of 10 mm or more and says
    something else of 5–9 mm.
    """
    chosen = [one for one in aligned if one.chosen and one.own_share() < ELSEWHERE and not one.agreed]
    if not chosen or not claim.clause.terms:
        return None
    open_rows = [one.clause for one in aligned]
    rows = align(claim._replace(context=()), statements, rarity)
    if not any(row.own_share() > SAME_SUBJECT and row.clause not in open_rows for row in rows):
        return None
    best = max(chosen, key=lambda one: one.rank)
    return Comparison(Verdict.CONTRADICTED, _probability(best), "condition", None, best.statement)


def _probability(candidate: Aligned) -> float:
    """Return the probability of a contradiction: the more both speak of the same, the nearer to 1."""
    return 1.0 / (1.0 + exp(2.0 - 4.5 * candidate.margin))


def _mistakes(candidate: Aligned) -> set[tuple[int, int]]:
    """Return the places in the claim that differ, each mistake once.

    Left and right exchanged are one mistake, and so are the words that turn a sentence round, and the
    numbers of one list; another time word comes along with another value.
    """
    decisive = [match for match in candidate.differing if match.differs != "temporal"] or candidate.differing
    signatures = {match.signature.partition(":")[0] for match in decisive}
    one_mistake = signatures in ({"laterality"}, {"polarity"})
    if signatures == {"number"} and candidate.margin > SURELY:
        one_mistake = len({match.signature for match in decisive}) == 1
    return {match.claim for match in decisive[: 1 if one_mistake else None]}


def _deciding(candidate: Aligned) -> Match:
    return next(
        (match for match in candidate.differing if match.differs != "temporal"), candidate.differing[0]
    )


def _contradicts(candidate: Aligned, statement: "Statement", claim: Clause) -> bool:
    """Whether exactly one slot differs. Two or more: the statement is about another row or case.

    Where the context chose the row (the patient's nodule measures 7 mm), all that differs is wrong.
    """
    mistakes = len(_mistakes(candidate))
    if not mistakes or (mistakes > 1 and not candidate.chosen):
        return False
    if candidate.weight + len(candidate.agreed) < NAMED:
        return False
    match = _deciding(candidate)
    if candidate.margin < (BROADLY_ALIGNED if match.differs == "temporal" else SAFE):
        return False
    if match.differs == OTHER_CASE:
        return candidate.chosen or any(other.signature.startswith("number") for other in candidate.agreed)
    return match.signature.partition(":")[2] not in BROAD or _replaces(candidate, match, statement, claim)


def _replaces(candidate: Aligned, match: Match, statement: "Statement", claim: Clause) -> bool:
    """Whether a modality, route or the like really stands in another's place.

    They are often named in passing: where the sentence names the claim's one too, its row has to be the
    claim's, by a condition that the other row does not share, or by all the claim's other words.
    """
    if candidate.score < BROADLY_ALIGNED or candidate.margin < BROADLY_ALIGNED:
        return False
    named = {agent.name for agent in claim.agents if (agent.first, agent.last) == match.claim}
    if match.signature == "agent:modality" and any(agent.name in named for agent in candidate.clause.agents):
        return False
    rivals = [
        row
        for row in statement.reading.clauses
        if row is not candidate.clause and any(agent.name in named for agent in row.agents)
    ]
    if not rivals:
        return True
    if match.signature != "agent:modality" and candidate.own_share(without=TERM_WEIGHT) > SAME_SUBJECT:
        return True
    return all(_is_other_case(claim, candidate.clause, rival) for rival in rivals)


def _is_other_case(claim: Clause, row: Clause, rival: Clause) -> bool:
    """Whether a row holds under a condition of the claim, and a rival row under another.

    A row that follows and names no condition at all holds under the one before.
    """
    for group, members in claim.conditions.items():
        if members & row.conditions.get(group, frozenset()):
            other = rival.conditions.get(group, frozenset())
            if not other & members and (rival.conditions or rival.first < row.first):
                return True
    return False


def _rescues(other: Aligned, candidate: Aligned) -> bool:
    """Whether another statement agrees on the very slot, and on the other values the candidate agreed on.

    A further clause of the same sentence need not repeat the sentence's other values.
    """
    slot = _deciding(candidate)
    agreed = {match.claim for match in other.agreed}
    if other.differing or slot.claim not in agreed or not _is_as_close(other, candidate, slot):
        return False
    if candidate.conditions_met and not other.conditions_met:
        return False
    if {match.claim for match in candidate.agreed if match.is_placed} <= agreed:
        return True
    return other.statement == candidate.statement and slot.differs != "polarity"


def _is_as_close(other: Aligned, candidate: Aligned, slot: Match) -> bool:
    """Whether a statement is about the claim's subject no less than the candidate is.

    Equal values count like words. Where agents differ, the agent's own name does not count for the
    statement that names it.
    """
    names = {agent.name for agent in other.clause.agents} if slot.is_agent else set()
    met = sum(weight for concept, weight in other.own.items() if concept not in names)
    met += sum(match.is_placed and match.claim != slot.claim for match in other.agreed)
    there = sum(candidate.own.values()) + sum(match.is_placed for match in candidate.agreed)
    return met >= SAME_SUBJECT * there


def _supported(clause: Clause, aligned: Sequence[Aligned]) -> Comparison | None:
    """Supported: a statement speaks of the same in the same sense, and every value was met."""
    agreeing = [
        one
        for one in aligned
        if not one.differing and one.conditions_met and one.clause.is_negative == clause.is_negative
    ]
    best = max(agreeing, key=lambda one: one.rank, default=None)
    met = {match.claim for one in agreeing for match in one.agreed}
    slots = list(clause.values())
    if best is None or best.score < SUPPORTS or best.unmet > UNHEARD * best.whole:
        return None
    said = sum(best.own.values()) + sum((slot.first, slot.last) in met for slot in slots)
    if said < SAID * (best.whole + len(slots)):
        return None
    if any((slot.first, slot.last) not in met for slot in slots):
        return None
    return Comparison(Verdict.SUPPORTED, P_SUPPORTED, statement=best.statement)


SAME_WORDS: Final = 0.6
"""Share of the shorter statement's words below which two statements are not looked at."""
MUTUAL: Final = 0.6
HALF_MUTUAL: Final = 0.4
"""Shares of each other's terms that two statements about one thing name, one way and the other."""


def disagreement(first: "Statement", second: "Statement", rarity: Rarity) -> str | None:
    """Return the kind of the one slot in which two statements about the same thing differ, if any.

    Stricter than `compare`: both must speak of the same, under the same conditions, and differ in one
    slot only, because a table's rows differ in what they are about and in what they say.
    """
    ours, theirs = first.outline.named, second.outline.named
    shared = len(ours & theirs)
    if shared < 2 or shared < SAME_WORDS * min(len(ours), len(theirs)):
        return None
    for clause in first.reading.clauses:
        for other in second.reading.clauses:
            kind = _disagreement(clause, other, first, second, rarity)
            if kind:
                return kind
    return None


def _disagreement(
    clause: Clause, other: Clause, first: "Statement", second: "Statement", rarity: Rarity
) -> str | None:
    if any(clause.conditions.get(group) != other.conditions.get(group) for group in ONE_SIDED):
        return None
    claim = Assertion(clause)
    if not gate.is_open(claim, other, second.outline.named):
        return None
    matches = compare_slots(claim, other)
    differing = [match for match in matches if match.differs]
    if len({match.claim for match in differing}) != 1 or differing[0].differs == OTHER_CASE:
        return None
    # An agent in another's place is the difference itself, no other subject.
    swapped = {slot for match in differing if match.is_agent for slot in (match.claim, match.statement)}
    agents = {one.name for one in (*clause.agents, *other.agents) if (one.first, one.last) in swapped}
    there = back_share(_without(rarity.weighed(clause.terms), agents), other.terms.keys() | second.heading)
    back = back_share(_without(rarity.weighed(other.terms), agents), clause.terms.keys() | first.heading)
    if max(there, back) < MUTUAL or min(there, back) < HALF_MUTUAL:
        return None
    return differing[0].differs


def _without(terms: dict[str, float], concepts: set[str]) -> dict[str, float]:
    return {concept: weight for concept, weight in terms.items() if concept not in concepts}
