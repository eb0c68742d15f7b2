"""Sides of the body and what they belong to: left, right, bilateral, contralateral."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

_SIDE: Final = Role.SIDE
_REACH: Final = 4
_NEAR: Final = 0.34
"""More than one shared word in second place: veins on both sides are not the same vein."""
_PHRASE_END: Final = wordset(
    "is are was were be of in to into on with by from and or at for has have should may that which over"
    " under because as since , ; : ( )"
)
_KINDS: Final = (frozenset({"left", "right", "both", "one"}), frozenset({"same", "opposite"}))


@final
class Side(Slot):
    """A side with the concepts that follow it, nearest first."""

    __slots__ = ("anchors", "side")

    def __init__(self, first: int, last: int, side: str, anchors: tuple[str, ...]) -> None:
        super().__init__(first, last, "laterality:relative" if side in _KINDS[1] else "laterality:absolute")
        self.side = side
        self.anchors = anchors


def read_sides(tokens: Tokens, lexemes: Sequence[Lexeme]) -> tuple[Side, ...]:
    """Return the sides that a clause names, but for one that is only compared with."""
    return tuple(
        [
            Side(lexeme.first, lexeme.last, lexeme.concept, _anchors(tokens, lexemes, position))
            for position, lexeme in enumerate(lexemes)
            if lexeme.role is _SIDE and "than" not in tokens.lower[max(0, lexeme.first - 2) : lexeme.first]
        ]
    )


def _anchors(tokens: Tokens, lexemes: Sequence[Lexeme], position: int) -> tuple[str, ...]:
    """Return what has the side: "right common iliac artery", else what comes before: "kidney on the left"."""
    side = lexemes[position]
    anchors: list[str] = []
    end = side.last
    for following in lexemes[position + 1 : position + 1 + _REACH]:
        if not following.is_subject or not _PHRASE_END.isdisjoint(tokens.lower[end : following.first]):
            break
        anchors.append(following.concept)
        end = following.last
    if anchors and anchors[0] != "side":
        return tuple(anchors)
    return tuple(
        lexeme.concept for lexeme in reversed(lexemes[max(0, position - 2) : position]) if lexeme.is_subject
    )


def _closeness(claim: Side, statement: Side) -> float:
    """Return how well two sides belong to the same thing: shared anchors, nearer ones count more."""
    return sum(
        1 / (1 + claim.anchors.index(anchor) + place)
        for place, anchor in enumerate(statement.anchors)
        if anchor in claim.anchors
    )


def nearest(claim: Side, candidates: Sequence[Side], *, only: bool) -> list[Side]:
    """Return the sides that belong to what the claim's side belongs to.

    Where both texts name one side (`only` says that the claim does), it may be left open what has it.
    """
    best = max((_closeness(claim, stated) for stated in candidates), default=0.0)
    if best > _NEAR:
        return [stated for stated in candidates if _closeness(claim, stated) == best]
    if len(candidates) != 1:
        return []
    open_ended = not (claim.anchors and candidates[0].anchors)
    return list(candidates) if open_ended or (only and agrees(claim, candidates[0])) else []


def names_same(claim: Side, statement: Side) -> bool:
    """Whether both name one side of what may be one thing."""
    shared = not claim.anchors or not set(claim.anchors).isdisjoint(statement.anchors)
    return claim.side == statement.side and shared


def agrees(claim: Side, statement: Side) -> bool:
    """Whether both name one side; "unilateral" includes either."""
    if claim.side == statement.side:
        return True
    return {claim.side, statement.side} in ({"one", "left"}, {"one", "right"})
