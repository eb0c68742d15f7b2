"""The constructed pairs: one piece of evidence, one claim, and what the first says of the second."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gatekeeper.assessment import Verdict
from gatekeeper.checks.slots import Comparison, compare
from gatekeeper.evidence.statements import Statement, read_statements
from gatekeeper.exchange import Document, Span

DATA = Path(__file__).parents[2] / "data"


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim beside evidence, labelled by construction; `kind` is the slot that was changed.

    `beside` holds further documents of the evidence, `source` names what the pair was made from.
    """

    id: str
    kind: str
    evidence: str
    claim: str
    label: Verdict
    context: str = ""
    beside: tuple[str, ...] = ()
    source: str = ""

    def compare(self) -> Comparison:
        """Return what the evidence is found to say of the claim."""
        return compare(self.claim, self.context, statements(self.evidence, *self.beside))


def read_pairs(path: Path) -> list[Pair]:
    """Read a table of pairs, one JSON object a line."""
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return [_pair(row) for row in rows]


def _pair(row: dict[str, Any]) -> Pair:
    evidence = row["evidence"]
    first, *beside = [evidence] if isinstance(evidence, str) else evidence
    return Pair(**{**row, "evidence": first, "beside": tuple(beside), "label": Verdict(row["label"])})


def statements(*texts: str) -> tuple[Statement, ...]:
    """Return the statements of texts, each a document of its own."""
    documents = [
        Document(str(place), text, "test", "", Span(0, len(text))) for place, text in enumerate(texts)
    ]
    return tuple(statement for document in documents for statement in read_statements(document))
