"""Drugs, contrast agents, devices, routes, modalities: members of closed classes that were swapped."""

from collections.abc import Sequence
from typing import Final, final

from gatekeeper.checks.slots.lexicon import BROAD, GENERIC, Role
from gatekeeper.checks.slots.slot import Rival
from gatekeeper.checks.slots.tokens import Lexeme

_FAMILIES: Final = {
    "gadolinium agent": [("gadolinium", "contrast medium")],
    "iodinated agent": [("iodinated contrast", "contrast medium")],
}
"""A single agent is one of its family too: iohexol in the place of gadolinium is another medium."""


_AGENT: Final = Role.AGENT
_NAMED_KINDS: Final = (BROAD | {"device"}) - {"contrast medium"}


@final
class Agent(Rival):
    """One named member of a class; one name may stand in several classes.

    `anchors` are the concepts that tell it from others of its class in the same clause.
    """

    __slots__ = ("group", "name")

    def __init__(
        self, first: int, last: int, name: str, group: str, anchors: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(first, last, f"agent:{group}", anchors)
        self.name = name
        self.group = group

    def told_by(self, anchors: frozenset[str]) -> "Agent":
        """Return it with the concepts that tell it from others."""
        return Agent(self.first, self.last, self.name, self.group, anchors)


def read_agents(lexemes: Sequence[Lexeme]) -> list[Agent]:
    """Return the agents that a clause names, one for each class they belong to."""
    return [
        Agent(lexeme.first, lexeme.last, name, group)
        for lexeme in lexemes
        if lexeme.role is _AGENT
        for group in lexeme.groups
        for name, group in [(lexeme.concept, group), *_FAMILIES.get(group, ())]
    ]


def swapped(claim: Sequence[Agent], statement: Sequence[Agent]) -> Agent | None:
    """Return the agent of the claim that stands in another's place, None if there is none.

    Both hold agents of one class. A claim that names fewer or more than the statement tells less or
    more; one that names as many, and one of them is another, tells something else.
    """
    names = [agent.name for agent in statement]
    if not [agent for agent in claim if agent.name not in names]:
        return None
    stated = set(names)
    claimed = {agent.name: agent for agent in claim}
    strange = [agent for name, agent in claimed.items() if not any(_covers(name, other) for other in stated)]
    if not strange:
        return None
    unused = [name for name in stated if not any(_covers(name, other) for other in claimed)]
    if len(strange) == len(claimed) or (len(claimed) == len(stated) and len(strange) == len(unused) == 1):
        return strange[0]
    return None


def _covers(name: str, other: str) -> bool:
    return name == other or other in GENERIC.get(name, ()) or name in GENERIC.get(other, ())


def kind_of(group: str) -> str:
    """Return the slot kind that a difference in a class is reported as."""
    return group if group in _NAMED_KINDS else "agent"
