"""What a drug, test or device is for: "reserved for suspected perforation", "indicated in acute gout"."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import LOW_KEYS, key_of
from gatekeeper.checks.slots.lexicon.wordset import wordset
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import Lexeme, Tokens

_EXCLUSIVE: Final = wordset("reserved intended meant restricted confined")
_OPEN: Final = wordset(
    "indicated used offered given performed done recommended obtained treatment test drug agent method"
)
GIVING: Final = _EXCLUSIVE | _OPEN
"""Words that an indication follows."""
_LINKS: Final = frozenset({"for", "in", "to"})
_ENDING: Final = wordset(
    "if when where unless before after within at with because but and which that , ; : . ("
)
_REACH: Final = 4
_VAGUE: Final = frozenset({key_of("suspected"), key_of("suspicion")}) | LOW_KEYS


@final
class Indication(Slot):
    """The concepts of what something is for; `exclusive` where it is for nothing else."""

    __slots__ = ("exclusive", "purpose")

    def __init__(self, first: int, last: int, purpose: frozenset[str], exclusive: bool) -> None:
        super().__init__(first, last, "indication:purpose")
        self.purpose = purpose
        self.exclusive = exclusive


def read_indications(
    tokens: Tokens, lexemes: Sequence[Lexeme], first: int, last: int
) -> tuple[Indication, ...]:
    """Return the indications of a clause."""
    found = []
    for position in range(first, last - 1):
        word, link = tokens.lower[position], position + 1
        if word in GIVING and tokens.lower[link] == "only":
            link += 1
        if word not in GIVING or tokens.at(link) not in _LINKS:
            continue
        purpose = _purpose(tokens, lexemes, link + 1)
        if purpose:
            exclusive = word in _EXCLUSIVE or "only" in {tokens.at(position - 1), tokens.at(position + 1)}
            found.append(Indication(position, link + 1, purpose, exclusive))
    return tuple(found)


def _purpose(tokens: Tokens, lexemes: Sequence[Lexeme], start: int) -> frozenset[str]:
    """Return the concepts that follow, up to the end of their phrase."""
    purpose = set()
    for lexeme in [one for one in lexemes if one.first >= start][:_REACH]:
        if not _ENDING.isdisjoint(tokens.lower[start : lexeme.first]):
            break
        if lexeme.is_subject and lexeme.concept not in _VAGUE:
            purpose.add(lexeme.concept)
        start = lexeme.last
    return frozenset(purpose)


def exclude(claim: Indication, statement: Indication) -> bool:
    """Whether both cannot hold: nothing in common, and one of them is said to be the only one."""
    return (claim.exclusive or statement.exclusive) and claim.purpose.isdisjoint(statement.purpose)
