"""What a run consists of: one cell per question, condition and sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import orjson

from gatekeeper.exchange import JsonObject
from radsafe_bench.conditions import Condition
from radsafe_bench.records import GREEDY, MAIN, REPEAT
from radsafe_bench.suites import Question


class Place(NamedTuple):
    """Where a record stands in a run, as the record itself says it."""

    question: str
    condition: str
    sample: int
    in_pass: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer to be had."""

    question: Question
    condition: Condition
    sample: int = GREEDY
    in_pass: str = MAIN

    @property
    def place(self) -> Place:
        """The cell's coordinates."""
        return Place(self.question.id, self.condition.value, self.sample, self.in_pass)

    @property
    def leads(self) -> bool:
        """Whether the cell is the main greedy one, whose context the others of its question share."""
        return self.sample == GREEDY and self.in_pass == MAIN


def cells(
    questions: Sequence[Question], conditions: Sequence[Condition], samples: int, *, repeat: bool = False
) -> Iterator[Cell]:
    """Yield every cell of a run, those with the same prompt together, for the server's prefix cache.

    Of `agentic_rag` the leading cells come first: the others wait for their reports.
    """
    for condition in conditions:
        leading = [Cell(question, condition) for question in questions]
        if condition is Condition.AGENTIC_RAG:
            yield from leading
        for cell in leading:
            if condition is not Condition.AGENTIC_RAG:
                yield cell
            yield from (Cell(cell.question, condition, sample) for sample in range(samples))
            if repeat:
                yield Cell(cell.question, condition, in_pass=REPEAT)


def key_of(cell: Cell, body: JsonObject, fingerprint: str) -> str:
    """Return the key of a cell's record: SHA-256 over what its answer depends on.

    `body` holds messages, evidence and sampling options. For `agentic_rag` it is the body without the
    report, which the model makes itself.
    """
    content = [*cell.place, fingerprint, body]
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
