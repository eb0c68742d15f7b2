"""The written sources: guideline-style statements with claims whose verdict is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import orjson

DATA: Final = Path(__file__).parent / "data"


class Label(StrEnum):
    """What evidence says of a claim; the order is that of the reader's outputs."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_ADDRESSED = "not_addressed"


LABELS: Final = tuple(Label)


@dataclass(frozen=True, slots=True)
class Source:
    """One statement of evidence and what was written about it; `contradicted` names what was made false."""

    id: str
    topic: str
    evidence: str
    supported: tuple[str, ...]
    contradicted: tuple[tuple[str, str], ...]
    not_addressed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One pair to learn from. `kind` says what was changed, or how the pair was made."""

    source: str
    kind: str
    evidence: str
    claim: str
    label: Label


def read_sources(folder: Path = DATA) -> Iterator[Source]:
    """Yield all written sources in the order of files and lines."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            row = orjson.loads(line)
            yield Source(
                row["id"],
                row["topic"],
                row["evidence"],
                tuple(row["supported"]),
                tuple((entry["kind"], entry["claim"]) for entry in row["contradicted"]),
                tuple(row["not_addressed"]),
            )


def written_examples(source: Source) -> Iterator[Example]:
    """Yield the pairs of a source as they were written."""
    for claim in source.supported:
        yield Example(source.id, "paraphrase", source.evidence, claim, Label.SUPPORTED)
    for kind, claim in source.contradicted:
        yield Example(source.id, kind, source.evidence, claim, Label.CONTRADICTED)
    for claim in source.not_addressed:
        yield Example(source.id, "same_topic", source.evidence, claim, Label.NOT_ADDRESSED)
