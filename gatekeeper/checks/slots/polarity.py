"""Whether something holds, is asked for, allowed or forbidden: negation, stance, antonyms."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.negation import Negation, negator_of, read_negation
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.stance import Stance, read_stances
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

_NEGATOR: Final = Role.NEGATOR
_AXIS: Final = Role.AXIS
_AXIS_REACH: Final = 2
_ANCHORED: Final = frozenset({"place", "location", "depth", "completeness", "quality", "extreme"})


@final
class Axis(Slot):
    """One of two opposite words, turned round where it is negated; `anchor` is the concept after it."""

    __slots__ = ("anchor", "axis", "positive")

    def __init__(self, first: int, last: int, axis: str, positive: bool, anchor: str = "") -> None:
        super().__init__(first, last, f"polarity:{axis}")
        self.axis = axis
        self.positive = positive
        self.anchor = anchor


def read_polarity(
    tokens: Tokens, lexemes: Sequence[Lexeme]
) -> tuple[tuple[Stance, ...], tuple[Axis, ...], tuple[Negation, ...]]:
    """Read the stances, the clause's own first, antonyms and negations of one clause's lexemes."""
    negators = [position for position, lexeme in enumerate(lexemes) if lexeme.role is _NEGATOR]
    stances, used = read_stances(tokens, lexemes, negators)
    axes = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.role is _AXIS:
            denying = negator_of(tokens, lexemes, negators, position)
            if denying is not None and (
                denying in used
                or abs(position - denying) > _AXIS_REACH
                or "and" in tokens.lower[lexemes[denying].last : lexeme.first]  # "no pain and good reserve"
            ):
                denying = None
            if denying is not None:
                used.add(denying)
            positive = (lexeme.concept == "+") == (denying is None)
            following = lexemes[position + 1].concept if position + 1 < len(lexemes) else ""
            axes.append(Axis(lexeme.first, lexeme.last, lexeme.groups[0], positive, following))
    negations = [read_negation(tokens, lexemes, position, position in used) for position in negators]
    return stances, tuple(axes), tuple([negation for negation in negations if negation.denied])


def same_axis(claim: Axis, statement: Axis) -> bool:
    """Whether two words lie on one axis; what is above or below has to be the same thing."""
    return claim.axis == statement.axis and (claim.axis not in _ANCHORED or claim.anchor == statement.anchor)
