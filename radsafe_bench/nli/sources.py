"""The written sources: guideline-style statements with claims whose verdict is known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

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


def read_sources(folder: Path = DATA, *, more: bool = True) -> list[Source]:
    """Return all written sources in the order of files and lines.

    `more` adds the claims of `more_*.jsonl`, written for the same evidence after a first training.
    """
    sources = {row["id"]: _source(row) for row in _rows(folder, "written_*.jsonl")}
    for row in _rows(folder, "more_*.jsonl") if more else ():
        source = sources[row["id"]]
        sources[source.id] = replace(
            source,
            supported=(*source.supported, *row["supported"]),
            contradicted=(*source.contradicted, *_contradicted(row)),
        )
    return list(sources.values())


def held_out_ids(folder: Path = DATA) -> frozenset[str]:
    """Return the sources that training never sees, for learning curves and the temperature."""
    return frozenset(orjson.loads((folder / "held_out.json").read_bytes()))


def _rows(folder: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob(pattern)):
        yield from map(orjson.loads, path.read_bytes().splitlines())


def _source(row: dict[str, Any]) -> Source:
    return Source(
        row["id"],
        row["topic"],
        row["evidence"],
        tuple(row["supported"]),
        _contradicted(row),
        tuple(row["not_addressed"]),
    )


def _contradicted(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((entry["kind"], entry["claim"]) for entry in row["contradicted"])


def written_examples(source: Source) -> Iterator[Example]:
    """Yield the pairs of a source as they were written."""
    for claim in source.supported:
        yield Example(source.id, "paraphrase", source.evidence, claim, Label.SUPPORTED)
    for kind, claim in source.contradicted:
        yield Example(source.id, kind, source.evidence, claim, Label.CONTRADICTED)
    for claim in source.not_addressed:
        yield Example(source.id, "same_topic", source.evidence, claim, Label.NOT_ADDRESSED)
