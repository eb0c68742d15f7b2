"""When a slot that differs is a contradiction, and not another row, another case, another subject."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gatekeeper.checks.slots import category, laterality, quantity
from gatekeeper.checks.slots.alignment import Aligned, Rarity
from gatekeeper.checks.slots.clause import Clause
from gatekeeper.checks.slots.lexicon import BROAD
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.slot import Match
from gatekeeper.checks.slots.tokens import TERM_WEIGHT

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

BROADLY_ALIGNED: Final = 0.65
"""Score and margin that a modality or route in another's place needs: they are often named in passing."""
SAME_SUBJECT: Final = 0.8
"""Share of what the contradicting statement met of the claim that a rescuing one must meet too."""
NAMED: Final = 0.9
"""Weight of terms and equal values in common below which a value may well be that of something else."""
SURELY: Final = 0.9
"""Margin above which several numbers of one measure are one mistake, not another row."""
WHOLLY: Final = 0.99
"""Share of a row that the claim names where it names all of it, but for rounding."""
OWN: Final = 0.3
"""Share of a claim's terms that a clause must name itself before its numbers speak against the claim."""
NAMED_AT_ALL: Final = 0.1
"""The same before what it says yes or no to speaks against the claim."""
_SAFE: Final = {
    "number": 0.55,
    "category": 0.6,
    "agent": 0.55,
    "polarity": 0.85,
    "temporal": 0.7,
    "condition": 0.5,
    "indication": 0.4,
    "level": 0.55,
    "level:named vessel": 1.3,
    "level:cerebral artery": 1.3,
    "population": 0.8,
    "laterality": 0.6,
    "temporal:urgency": 1.0,
    "polarity:stance": 1.0,
    "polarity:negation": 1.0,
}
"""Margin (see `Aligned.margin`) below which a difference may well be that of another subject, by signature.

A "not" can belong to anything in a sentence; a dose belongs to what is measured in its unit. What holds for
one vessel or group of persons often holds for others too.
"""
_SAME_DRUG: Final = 0.7
"""The same for what is asked of a drug or device that both name."""
_BESIDE: Final = {"condition:scope": 0.4, "indication:purpose": 0.8, "temporal:relation": 0.4}
"""Share of a claim's other terms that must be met where conditions, indications or times differ."""
_PRECEDENCE: Final = {"condition": 0, "temporal": 2}
_NO_WORSE: Final = 0.1
"""How much less of the same a statement may speak that holds the claim's number and a word of its row."""
_ECHOED: Final = 0.85
"""The same where the evidence holds the claim's value elsewhere, perhaps in the very row that is meant."""


def mistakes(candidate: Aligned) -> set[tuple[int, int]]:
    """Return the places in the claim that differ, each mistake once.

    Left and right exchanged are one mistake, and so are the words that turn a sentence round, and the
    numbers of one list; another time word comes along with another value.
    """
    if not candidate.differing:
        return set()
    decisive = [match for match in candidate.differing if match.differs != "temporal"] or candidate.differing
    # The same figures in another unit are hardly ever those of something else.
    slips = [match for match in decisive if match.differs == "unit" and match.signature != "number:time"]
    decisive = slips or decisive
    signatures = {match.signature.partition(":")[0] for match in decisive}
    one_mistake = signatures in ({"laterality"}, {"polarity"}, {"condition"}, {"polarity", "condition"})
    if {match.differs for match in decisive} in ({"unit"}, {"comparator"}):
        one_mistake = True
    elif signatures == {"number"} and candidate.margin > SURELY:
        one_mistake = len({match.signature for match in decisive}) == 1
    return {match.claim for match in decisive[: 1 if one_mistake else None]}


def deciding(candidate: Aligned) -> Match:
    """Return the slot that a differing statement is judged by: a condition first, a time word last."""
    slips = mistakes(candidate) if any(match.differs == "unit" for match in candidate.differing) else set()
    differing = [match for match in candidate.differing if not slips or match.claim in slips]
    return min(differing, key=lambda match: _PRECEDENCE.get(match.differs or "", 1))


def contradicts(candidate: Aligned, claim: Clause, statements: Sequence["Statement"], rarity: Rarity) -> bool:
    """Whether exactly one slot differs. Two or more: the statement is about another row or case.

    Where the context chose the row (the patient's nodule measures 7 mm), all that differs is wrong.
    """
    wrong = len(mistakes(candidate))
    if not wrong or (wrong > 1 and not candidate.chosen):
        return False
    if candidate.weight + len(candidate.agreed) < NAMED:
        return False
    match = deciding(candidate)
    if any(other.differs == quantity.OTHER_PERSON for other in candidate.differing):
        return False
    if match.signature.startswith("number") and not _is_of_the_case(candidate, match, claim):
        return False
    if not _is_safe(candidate, match, claim, statements, rarity):
        return False
    broad = match.signature.partition(":")[2] in BROAD
    return not broad or _replaces(candidate, match, statements[candidate.statement], claim)


def _is_of_the_case(candidate: Aligned, match: Match, claim: Clause) -> bool:
    """Whether a number is that of the claim's case, and of the statement's.

    A later row of the claim names its own case ("who takes 80 mg"), and a case that an earlier one names
    is that row's. A row for another case applies where another value shows that it does.
    """
    if match.claim[0] >= claim.last and claim.terms:
        return False
    if match.differs != quantity.OTHER_CASE:
        return True
    if match.claim[0] < claim.first:
        return False
    numbers = {other.signature for other in candidate.agreed if other.signature.startswith("number")}
    return candidate.chosen or bool(numbers - {match.signature})


def _is_safe(
    candidate: Aligned, match: Match, claim: Clause, statements: Sequence["Statement"], rarity: Rarity
) -> bool:
    """Whether both speak of the same so closely that the difference counts.

    What the evidence says nowhere counts sooner than what it says of something else.
    """
    kind = match.signature.partition(":")[0]
    if match.differs == "unit":
        is_slip = candidate.margin >= _ECHOED and not _is_moment(match, claim)
        return is_slip or not _is_said_elsewhere(match, claim, statements, rarity)
    if not _speaks_of_it(candidate, kind):
        return False
    if candidate.share_beside(match.concepts, claim.terms) < _BESIDE.get(match.signature, 0.0):
        return False
    if _is_another_row(candidate, match, claim, statements):
        return False
    if match.is_agent and not _has_own_value(claim) and _is_said_elsewhere(match, claim, statements, rarity):
        return False
    needed = _SAFE.get(match.signature, _SAFE[kind])
    if match.signature == "polarity:stance" and any(_names_drug(other) for other in candidate.agreed):
        needed = _SAME_DRUG
    if not _is_of_its_row(candidate, match) and _is_said_elsewhere(match, claim, statements, rarity):
        needed = max(needed, _ECHOED)
    return candidate.margin >= needed


def _has_own_value(claim: Clause) -> bool:
    """Whether a clause holds the value that it is compared by; one without any is not compared by it."""
    values = claim.values()
    return not values or any(claim.first <= one.first < claim.last for one in values)


def _is_moment(match: Match, claim: Clause) -> bool:
    """Whether a single time differs: one minute here and one hour there are often both meant."""
    return match.signature == "number:time" and any(
        one.is_point and (one.first, one.last) == match.claim for one in claim.quantities
    )


def _names_drug(match: Match) -> bool:
    """Whether both name one drug or device, whose stance is hardly that of something else."""
    return match.is_agent and match.signature.partition(":")[2] not in BROAD


def _is_another_row(
    candidate: Aligned, match: Match, claim: Clause, statements: Sequence["Statement"]
) -> bool:
    """Whether the evidence has a row of its own for what the claim says."""
    kind = match.signature.partition(":")[0]
    if kind == "number":
        return _is_said_as_a_whole(claim, candidate.clause, statements) or _is_told_of_it(
            match, claim, candidate, statements
        )
    return kind in {"level", "population"} and _is_named(match, claim, statements)


def _is_of_its_row(candidate: Aligned, match: Match) -> bool:
    """Whether a number of another measure names the row, so that its value elsewhere is another row's."""
    if not match.signature.startswith("number"):
        return False
    agreed = [other.signature for other in candidate.agreed if other.signature.startswith("number")]
    return bool(agreed) and match.signature not in agreed


def _speaks_of_it(candidate: Aligned, kind: str) -> bool:
    """Whether a clause itself, not what stands around it, names enough of what a claim speaks of."""
    if kind == "polarity":
        return candidate.own_share() >= NAMED_AT_ALL
    if kind != "number" or candidate.chosen or any(other.is_placed for other in candidate.agreed):
        return True
    return candidate.own_share() >= OWN


def _is_named(match: Match, claim: Clause, statements: Sequence["Statement"]) -> bool:
    """Whether the evidence names the claim's level or population anywhere, perhaps in a row of its own."""
    names = {one.name for one in claim.members if (one.first, one.last) == match.claim}
    return any(
        not names.isdisjoint(one.outline.named) or not names.isdisjoint(one.heading) for one in statements
    )


def _is_said_elsewhere(
    match: Match, claim: Clause, statements: Sequence["Statement"], rarity: Rarity
) -> bool:
    """Whether the evidence holds the claim's number, category or agent anywhere."""
    names = {one.name for one in claim.agents if (one.first, one.last) == match.claim}
    if names:
        return any(not names.isdisjoint(statement.outline.named) for statement in statements)
    numbers = [one for one in claim.quantities if (one.first, one.last) == match.claim]
    grades = [one for one in claim.categories if (one.first, one.last) == match.claim]
    sides = [one for one in claim.sides if (one.first, one.last) == match.claim]
    if not numbers and not grades and not sides:
        return False
    clauses = [clause for statement in statements for clause in statement.reading.clauses]
    if sides:
        stated = [side for clause in clauses for side in clause.sides]
        return any(laterality.names_same(mine, theirs) for mine in sides for theirs in stated)
    rarity.spend(sum([1 + len(clause.quantities) for clause in clauses]) // 4)  # most measure something else
    return any(
        quantity.states(mine, theirs)
        for mine in numbers
        for clause in clauses
        for theirs in clause.quantities
    ) or any(
        category.comparable(mine, theirs) and category.agrees(mine, theirs)
        for mine in grades
        for clause in clauses
        for theirs in clause.categories
    )


def _is_said_as_a_whole(claim: Clause, differing: Clause, statements: Sequence["Statement"]) -> bool:
    """Whether another clause of the evidence, about the claim's agents, holds its values of several measures.

    "CrCl 50–79: 72 h" is the row that says so, whatever other rows say.
    """
    if len({one.unit.measure for one in claim.quantities}) < 2:
        return False
    agents = [one.name for one in claim.agents]
    for statement in statements:
        if not statement.outline.named.issuperset(agents):
            continue
        for clause in statement.reading.clauses:
            if clause is not differing and all(_is_held(mine, clause) for mine in claim.quantities):
                return True
    return False


def _is_told_of_it(
    match: Match, claim: Clause, candidate: Aligned, statements: Sequence["Statement"]
) -> bool:
    """Whether another statement gives the claim's interval of something that the claim speaks of too.

    Two figures are hardly ever those of something else.
    """
    mine = [one for one in claim.quantities if (one.first, one.last) == match.claim and one.is_bounded]
    return bool(mine) and any(
        _gives(clause, mine[0], claim.terms)
        for place, statement in enumerate(statements)
        if place != candidate.statement
        for clause in statement.reading.clauses
    )


def _gives(clause: Clause, mine: Quantity, terms: dict[str, float]) -> bool:
    """Whether a clause holds an interval and enough of these terms."""
    if not any(one.is_bounded and quantity.states(mine, one) for one in clause.quantities):
        return False
    return sum([weight for one, weight in terms.items() if one in clause.terms]) >= NAMED


def _is_held(mine: Quantity, clause: Clause) -> bool:
    return any(
        quantity.comparable(mine, theirs) and quantity.difference(mine, theirs) is None
        for theirs in clause.quantities
    )


def _replaces(candidate: Aligned, match: Match, statement: "Statement", claim: Clause) -> bool:
    """Whether a modality, route or the like really stands in another's place.

    Where the sentence names the claim's one too, its row has to be the claim's, by a condition that the
    other row does not share, or by all the claim's other words.
    """
    if candidate.score < BROADLY_ALIGNED or candidate.margin < BROADLY_ALIGNED:
        return False
    named = {agent.name for agent in claim.agents if (agent.first, agent.last) == match.claim}
    if any(agent.name in named for agent in candidate.clause.agents):
        return False
    rivals = [
        row
        for row in statement.reading.clauses
        if row is not candidate.clause and any(agent.name in named for agent in row.agents)
        if not _is_for_else(row, claim)
    ]
    if not rivals:
        return True
    others = {agent.name for agent in claim.agents} - candidate.clause.terms.keys() - named
    if any(not others.isdisjoint(rival.terms) for rival in rivals):
        return False  # the claim speaks of that row too
    if match.signature != "agent:modality" and candidate.own_share(without=TERM_WEIGHT) > SAME_SUBJECT:
        return True
    return all(_is_other_case(claim, candidate.clause, rival) for rival in rivals)


def _is_for_else(row: Clause, claim: Clause) -> bool:
    """Whether a row keeps what it names for a purpose that the claim does not speak of."""
    return any(one.exclusive and one.purpose.isdisjoint(claim.terms) for one in row.indications)


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


def rescues(other: Aligned, candidate: Aligned) -> bool:
    """Whether another statement agrees on the very slot, and on the other values the candidate agreed on.

    A further clause of the same sentence need not repeat the sentence's other values.
    """
    slot = deciding(candidate)
    agreed = {match.claim for match in other.agreed}
    same_sentence = other.statement == candidate.statement
    if same_sentence and slot.claim in agreed and not slot.is_agent and _completes(other, candidate):
        return True
    if other.differing or slot.claim not in agreed:
        return False
    is_key = (
        same_sentence and slot.differs == "category" and other.back > WHOLLY
    )  # "II with rotation and III …"
    # "X is needed from 6 h on; it is not needed before"
    goes_on = slot.differs == "polarity" and same_sentence and not other.clause.names_anything
    if not (is_key or goes_on or _is_as_close(other, candidate, slot) or _is_the_row(other, candidate, slot)):
        return False
    if candidate.conditions_met and not other.conditions_met and not _is_better(other, candidate, slot):
        return False
    if {match.claim for match in candidate.agreed if match.is_placed} <= agreed:
        return True
    return same_sentence and (goes_on or slot.differs != "polarity")


def _completes(other: Aligned, candidate: Aligned) -> bool:
    """Whether two rows say together what the claim says of two drugs: "2 g of A, and B inhaled"."""
    met = {match.claim for match in candidate.agreed}
    if not other.differing or [match for match in other.differing if match.claim not in met]:
        return False
    mine, theirs = _own_agents(candidate), _own_agents(other)
    return bool(mine - theirs) and bool(theirs - mine)


def _own_agents(row: Aligned) -> set[str]:
    """Return the agents of the claim that a row itself names."""
    terms, own = row.clause.terms, row.own
    return {one.name for one in row.clause.agents if one.name in own and one.name in terms}


def _is_better(other: Aligned, candidate: Aligned, slot: Match) -> bool:
    """Whether a statement that holds the claim's number speaks of the same no less than the candidate."""
    return slot.signature.startswith("number") and other.rank >= candidate.rank


def _is_the_row(other: Aligned, candidate: Aligned, slot: Match) -> bool:
    """Whether a statement that holds the claim's number is its row, by the context or a word of its own."""
    if not slot.signature.startswith("number"):
        return False
    if other.chosen and not candidate.chosen:
        return True
    if other.statement != candidate.statement and _is_better(other, candidate, slot):
        return True
    return other.rank >= candidate.rank - _NO_WORSE and not other.own.keys() <= candidate.own.keys()


def _is_as_close(other: Aligned, candidate: Aligned, slot: Match) -> bool:
    """Whether a statement is about the claim's subject no less than the candidate is.

    Equal values count like words. Where agents differ, the agent's own name does not count for the
    statement that names it.
    """
    names = {agent.name for agent in other.clause.agents} if slot.is_agent else set()
    met = sum(weight for concept, weight in other.own.items() if concept not in names)
    met += sum(match.is_placed and match.claim != slot.claim for match in other.agreed)
    there = sum(weight for concept, weight in candidate.own.items() if concept not in names)
    there += sum(match.is_placed for match in candidate.agreed)
    return met >= SAME_SUBJECT * there
