"""Levels of the body and groups of persons: a member of a closed class in the place of another."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.levels import LEVELS
from gatekeeper.checks.slots.lexicon.populations import POPULATIONS
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Lexeme

_QUALIFIER: Final = Role.QUALIFIER
KINDS: Final = {**dict.fromkeys(LEVELS, "level"), **dict.fromkeys(POPULATIONS, "population")}
"""The slot kind that a difference in a class is reported as."""


@final
class Member(Slot):
    """One named level ("C6", "lower lobe", "vein") or population ("child", "dialysis")."""

    __slots__ = ("group", "name")

    def __init__(self, first: int, last: int, name: str, group: str) -> None:
        super().__init__(first, last, f"{KINDS[group]}:{group}")
        self.name = name
        self.group = group


def read_members(lexemes: Sequence[Lexeme]) -> tuple[Member, ...]:
    """Return the levels and populations that a clause names."""
    return tuple(
        [
            Member(lexeme.first, lexeme.last, lexeme.concept, lexeme.groups[0])
            for lexeme in lexemes
            if lexeme.role is _QUALIFIER and lexeme.groups[0] in KINDS
        ]
    )
