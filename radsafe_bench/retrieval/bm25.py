"""Ranking by shared words: BM25 in Lucene's form, k1 1.5, b 0.75 (Robertson and Zaragoza 2009)."""

import re
from collections.abc import Sequence
from typing import Final

import bm25s
import numpy as np
from numpy.typing import NDArray

_WORD: Final = re.compile(r"\w+(?:[.,]\d+)*")


class Bm25:
    """Scores of texts for a query. Words are lower-cased; numbers and single letters count."""

    name: Final = "bm25"

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        self._index.index([_words(text) for text in texts], show_progress=False)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return one score per text, in their order."""
        words = _words(query)
        if not words:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._index.get_scores(words), np.float32)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
