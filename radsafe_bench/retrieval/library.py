"""A corpus that can be searched."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from radsafe_bench.retrieval.chunks import Chunk, SourceText, chunked
from radsafe_bench.retrieval.corpus import CorpusError, corpus_digest

RECALL_AT: Final = (1, 5, 10)


class Retriever(Protocol):
    """Scores every chunk of a corpus for a query; higher is better."""

    @property
    def name(self) -> str:
        """The method, as the manifest states it."""

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return one score per chunk, in the corpus's order."""


@dataclass(frozen=True, slots=True)
class Library:
    """The chunks of a corpus and what ranks them. `digest` covers the texts they were cut from."""

    chunks: tuple[Chunk, ...]
    retriever: Retriever
    digest: str

    def search(self, query: str, limit: int | None = None) -> tuple[Chunk, ...]:
        """Return the chunks, best first; among equal scores the earlier one first."""
        order = np.argsort(-self.retriever.scores(query), kind="stable")
        return tuple(self.chunks[position] for position in order[:limit])

    def recall(self, gold: Mapping[str, str], depths: Sequence[int] = RECALL_AT) -> dict[int, float]:
        """Return for each depth the share of queries whose gold text is among the first chunks.

        `gold` maps a query to the id of the text that answers it.
        """
        ranks = [_rank(self.search(query, max(depths)), origin) for query, origin in gold.items()]
        return {depth: sum(rank < depth for rank in ranks) / len(ranks) for depth in depths}


def _rank(found: Iterable[Chunk], origin: str) -> float:
    return next((rank for rank, chunk in enumerate(found) if chunk.origin == origin), float("inf"))


def build_library(texts: Sequence[SourceText], retriever: str, encoder: Path | None = None) -> Library:
    """Cut texts into chunks and index them with one of RETRIEVERS.

    `encoder` is the model folder of the dense retriever. Raises CorpusError where texts share an id
    or the retriever cannot be loaded.
    """
    if len({text.id for text in texts}) < len(texts):
        raise CorpusError("two texts of the corpus have the same id; rename one of the folders")
    chunks = tuple(chunk for text in texts for chunk in chunked(text))
    make = RETRIEVERS[retriever]
    return Library(chunks, make([chunk.text for chunk in chunks], encoder), corpus_digest(texts))


def _bm25(texts: Sequence[str], _: Path | None) -> Retriever:
    from radsafe_bench.retrieval.bm25 import Bm25  # noqa: PLC0415  # bm25s takes 0.6 s to import

    return Bm25(texts)


def _dense(texts: Sequence[str], encoder: Path | None) -> Retriever:
    try:
        from radsafe_bench.retrieval.dense import Dense  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise CorpusError(f"dense retrieval needs {error.name}: pip install {error.name}") from error
    return Dense(texts, encoder)


RETRIEVERS: Final[Mapping[str, Callable[[Sequence[str], Path | None], Retriever]]] = {
    "bm25": _bm25,
    "dense": _dense,
}
