"""Levels of the body and groups of persons: a member of a closed class in the place of another."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gatekeeper.checks.slots.lexicon import Role
from gatekeeper.checks.slots.lexicon.levels import LEVELS
from gatekeeper.checks.slots.lexicon.populations import POPULATIONS
from gatekeeper.checks.slots.tokens import Lexeme

_QUALIFIER: Final = Role.QUALIFIER
KINDS: Final = {**dict.fromkeys(LEVELS, "level"), **dict.fromkeys(POPULATIONS, "population")}
"""The slot kind that a difference in a class is reported as."""


class Member(NamedTuple):
    """One named level ("C6", "lower lobe", "vein") or population ("child", "dialysis")."""

    first: int
    last: int
    name: str
    group: str

    @property
    def signature(self) -> str:
        """The kind and the class."""
        return f"{KINDS[self.group]}:{self.group}"


def read_members(lexemes: Sequence[Lexeme]) -> tuple[Member, ...]:
    """Return the levels and populations that a clause names."""
    return tuple(
        [
            Member(lexeme.first, lexeme.last, lexeme.concept, lexeme.groups[0])
            for lexeme in lexemes
            if lexeme.role is _QUALIFIER and lexeme.groups[0] in KINDS
        ]
    )
