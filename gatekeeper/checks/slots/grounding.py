"""What a claim names that nothing supplied names: a dose, an interval or a drug of the model's own.

Evidence that is silent on a claim does not contradict it, but an answer that was to be drawn from the
evidence has no other place to take a value from.
"""

from collections.abc import Sequence
from math import isinf
from typing import TYPE_CHECKING, Final, final

from gatekeeper.checks.slots.agent import Agent
from gatekeeper.checks.slots.lexicon import BROAD, GENERIC
from gatekeeper.checks.slots.quantity import Quantity
from gatekeeper.checks.slots.reading import Reading
from gatekeeper.checks.slots.slot import Slot
from gatekeeper.checks.slots.tokens import figures_of

if TYPE_CHECKING:
    from gatekeeper.evidence.statements import Statement

_CLOSE: Final = 0.02
_CALENDAR: Final = 0.1
"""Relative differences that rounding, and months counted in weeks, explain."""


@final
class Grounds:
    """All that a request supplies: figures with the word after them, concepts, and quantities once needed."""

    __slots__ = ("_asked", "_figures", "_given", "_named", "_quantities", "_statements")

    def __init__(self, statements: Sequence["Statement"], asked: Reading | None) -> None:
        self._statements = statements
        self._asked = asked
        self._figures: set[tuple[float, str]] | None = None
        self._given: set[float] = set()
        self._named: set[str] = set()
        self._quantities: list[Quantity] | None = None

    def stranger(self, claim: Reading) -> Slot | None:
        """Return the first value with a unit, or agent, that is supplied nowhere, None where all are."""
        for clause in claim.clauses:
            for quantity in clause.quantities:
                if not quantity.has_no_unit and quantity.relation != "age":
                    unit = claim.tokens.lower[quantity.last - 1]
                    if not self._holds(quantity, unit):
                        return quantity
            for agent in clause.agents:
                if agent.group not in BROAD and not self._names(agent):
                    return agent
        return None

    def _holds(self, mine: Quantity, unit: str) -> bool:
        figures = self._figures or self._look()
        if not [one for one in mine.literal if (one, unit) not in figures and one not in self._given]:
            return True
        if mine.unit.measure == "percent" and mine.is_point and (100.0 - mine.literal[0], "%") in figures:
            return True  # "the remaining 90 %"
        ends = [end for end in (mine.low, mine.high) if not isinf(end)]
        return not [end for end in ends if not self._measures(end, mine)]

    def _measures(self, end: float, mine: Quantity) -> bool:
        if self._quantities is None:
            self._quantities = [
                one
                for read in (*[statement.reading for statement in self._statements], self._asked)
                if read is not None
                for clause in read.clauses
                for one in clause.quantities
            ]
        apart = _CALENDAR if mine.unit.measure == "time" else _CLOSE
        for theirs in self._quantities:
            if theirs.unit.measure == mine.unit.measure:
                for other in (theirs.low, theirs.high):
                    if not isinf(other) and abs(end - other) <= apart * max(abs(end), abs(other)):
                        return True
        return False

    def _names(self, agent: Agent) -> bool:
        if self._figures is None:
            self._look()
        name = agent.name
        if name in self._named or not self._named.isdisjoint(GENERIC.get(name, ())):
            return True
        return bool([other for other in self._named if name in GENERIC.get(other, ())])

    def _look(self) -> set[tuple[float, str]]:
        self._figures = figures = {(0.0, "")}
        for statement in self._statements:
            self._named |= statement.outline.named
            self._named |= statement.heading
            figures |= statement.sentence.figures
        if self._asked is not None:
            self._named |= self._asked.named
            # A patient's values often come without a unit.
            self._given = {figure for figure, _ in figures_of(self._asked.tokens)}
        return figures
