"""Sides of the body and what they belong to: left, right, bilateral, contralateral."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.tokens import Lexeme

_REACH: Final = 4
_NEAR: Final = 0.34
"""More than one shared word in second place: veins on both sides are not the same vein."""
_KINDS: Final = (frozenset({"left", "right", "both", "one"}), frozenset({"same", "opposite"}))


@dataclass(frozen=True, slots=True)
class Side:
    """A side with the concepts that follow it, nearest first."""

    first: int
    last: int
    side: str
    anchors: tuple[str, ...]

    @property
    def signature(self) -> str:
        """The kind; relative sides (ipsilateral) do not compare with absolute ones."""
        return "laterality:relative" if self.side in _KINDS[1] else "laterality:absolute"


def read_sides(lexemes: Sequence[Lexeme]) -> list[Side]:
    """Return the sides that a clause names."""
    sides = []
    for position, lexeme in enumerate(lexemes):
        if lexeme.term.role is Role.SIDE:
            anchors: list[str] = []
            for following in lexemes[position + 1 : position + 1 + _REACH]:
                if following.term.role is Role.SIDE:
                    break
                if following.term.role in {Role.WORD, Role.AGENT, Role.QUALIFIER}:
                    anchors.append(following.term.concept)
            sides.append(Side(lexeme.first, lexeme.last, lexeme.term.concept, tuple(anchors)))
    return sides


def _closeness(claim: Side, statement: Side) -> float:
    """Return how well two sides belong to the same thing: shared anchors, nearer ones count more."""
    return sum(
        1 / (1 + claim.anchors.index(anchor) + place)
        for place, anchor in enumerate(statement.anchors)
        if anchor in claim.anchors
    )


def nearest(claim: Side, candidates: Sequence[Side]) -> list[Side]:
    """Return the sides that belong to what the claim's side belongs to; one alone may leave it open."""
    best = max(_closeness(claim, stated) for stated in candidates)
    if best > _NEAR:
        return [stated for stated in candidates if _closeness(claim, stated) == best]
    alone = len(candidates) == 1 and not (claim.anchors and candidates[0].anchors)
    return list(candidates) if alone else []


def agrees(claim: Side, statement: Side) -> bool:
    """Whether both name one side; "unilateral" includes either."""
    if claim.side == statement.side:
        return True
    return {claim.side, statement.side} in ({"one", "left"}, {"one", "right"})
