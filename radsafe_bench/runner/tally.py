"""What a run has recorded so far."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from radsafe_bench.conditions import Condition, Context, NoReport
from radsafe_bench.records import GREEDY, MAIN, REPEAT
from radsafe_bench.runner.plan import Place


@dataclass(slots=True)
class Tally:
    """The letter of every answered place, and the error's code of every place without an answer."""

    letters: dict[Place, str | None] = field(default_factory=dict)
    errors: dict[Place, str] = field(default_factory=dict)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Count a record; a later one of the same place counts in place of an earlier one."""
        place = Place(entry["question"], entry["condition"], entry["sample"], entry["pass"])
        self.letters.pop(place, None)
        self.errors.pop(place, None)
        if entry["error"]:
            self.errors[place] = entry["error"]["code"]
        else:
            self.letters[place] = entry["letter"]

    def noise(self) -> dict[str, Any] | None:
        """Compare the two greedy passes by condition; None where the second was not made.

        An answer without a letter counts as a letter of its own.
        """
        changed: dict[str, list[bool]] = {}
        for place, letter in self.letters.items():
            first = place._replace(in_pass=MAIN)
            if place.in_pass == REPEAT and first in self.letters:
                changed.setdefault(place.condition, []).append(letter != self.letters[first])
        everything = [flag for flags in changed.values() for flag in flags]
        if not everything:
            return None
        by_condition = {condition: _share(flags) for condition, flags in sorted(changed.items())}
        return {**_share(everything), "conditions": by_condition}


def _share(flags: list[bool]) -> dict[str, Any]:
    return {"n": len(flags), "changed": sum(flags), "share": sum(flags) / len(flags)}


class Reports:
    """The reports of `agentic_rag` by question: each is recorded before any other answer rests on it."""

    def __init__(self) -> None:
        self._promised: dict[str, asyncio.Future[Context]] = {}

    def recorded(self, entry: Mapping[str, Any], *, final: bool) -> None:
        """Take over the report of a leading record of an earlier session, or that there is none.

        `final` says that the record is not to be made again.
        """
        leads = (entry["sample"], entry["pass"]) == (GREEDY, MAIN)
        if entry["condition"] != Condition.AGENTIC_RAG or not leads:
            return
        self._promised.pop(entry["question"], None)
        if entry.get("steps"):
            documents = tuple(entry["request"]["evidence"])
            self.give(entry["question"], Context(documents[0]["text"], documents))
        elif final:
            self.give(entry["question"], NoReport("the report on this question could not be made"))

    def known(self, question: str) -> Context | None:
        """Return a report that is there already."""
        future = self._promised.get(question)
        return future.result() if future and future.done() and not future.exception() else None

    async def of(self, question: str) -> Context:
        """Return a report as soon as its record is written; raise what kept it from being made."""
        return await asyncio.shield(self._future(question))

    def give(self, question: str, report: Context | Exception) -> None:
        """Hand a report, or the reason for none, to all who wait for it. The first gift counts."""
        future = self._future(question)
        if future.done():
            return
        if isinstance(report, Context):
            future.set_result(report)
        else:
            future.set_exception(report)
            future.exception()  # Marked as seen: perhaps nobody waits.

    def _future(self, question: str) -> asyncio.Future[Context]:
        if question not in self._promised:
            self._promised[question] = asyncio.get_running_loop().create_future()
        return self._promised[question]
