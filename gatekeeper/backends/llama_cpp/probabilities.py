"""Scores → log-probabilities, at a small part of the cost of decoding a token."""

from typing import Final, NamedTuple

import numpy as np

from gatekeeper.backends.llama_cpp.native import Scores, Tokens
from gatekeeper.errors import UpstreamError

_BLOCK: Final = 512
_SAFE: Final = 60.0
"""Scores up to here can be exponentiated and added up as they are in 32 bits."""


class Ranked(NamedTuple):
    """Tokens with their log-probabilities in nats, likeliest first."""

    tokens: Tokens
    logprobs: Scores


class Ranking:
    """Reads rows of scores over a vocabulary of `size` tokens; keeps its buffers, so serves one thread."""

    def __init__(self, size: int) -> None:
        self._buffer = np.empty(size, np.float32)
        self._ones = np.ones(size, np.float32)
        self._blocks = np.arange(0, size, _BLOCK)
        self._within = np.arange(_BLOCK, dtype=np.int32)

    def normaliser(self, scores: Scores) -> np.float32:
        """Return log Σ exp(score), which taken from a score makes it a log-probability in nats.

        Raises UpstreamError where the scores are not finite.
        """
        return self._normaliser(scores, scores.max())

    def rank(self, scores: Scores, count: int) -> tuple[np.float32, Ranked]:
        """Return the normaliser and the `count` likeliest tokens.

        The k highest scores lie in the k blocks with the highest maxima, and none of them is below the
        k-th of these maxima: so few are left to be sorted that ranking 152,000 costs less than 0.1 ms.
        """
        maxima = np.maximum.reduceat(scores, self._blocks)
        normaliser = self._normaliser(scores, maxima.max())
        count = min(count, len(scores))
        candidates: Tokens = np.arange(len(scores), dtype=np.int32)
        if len(maxima) > count:
            blocks = np.sort(np.argpartition(maxima, -count)[-count:]).astype(np.int32)
            candidates = (blocks[:, None] * np.int32(_BLOCK) + self._within).ravel()
            candidates = candidates[candidates < len(scores)]
            candidates = candidates[scores[candidates] >= maxima[blocks].min()]
        tokens = candidates[np.argsort(-scores[candidates], kind="stable")[:count]]
        return normaliser, Ranked(tokens, scores[tokens] - normaliser)

    def at(self, chance: float, scores: Scores, temperature: float) -> int:
        """Return the token at a place in [0, 1) of the distribution softmax(scores / temperature).

        At temperature 1 the row must be the one that was ranked last: its exponentials are still there.
        """
        if temperature != 1.0:
            np.subtract(scores, scores.max(), out=self._buffer)
            np.multiply(self._buffer, np.float32(1.0 / temperature), out=self._buffer)
            np.exp(self._buffer, out=self._buffer)
        sums = np.add.reduceat(self._buffer, self._blocks).cumsum(dtype=np.float64)
        block = min(int(sums.searchsorted(chance * sums[-1], side="right")), len(sums) - 1)
        before = sums[block - 1] if block else 0.0
        within = self._buffer[block * _BLOCK : (block + 1) * _BLOCK].cumsum(dtype=np.float64)
        # The two sums of a block differ in their last digits, so the place within it is a share.
        share = (chance * sums[-1] - before) / (sums[block] - before)
        return block * _BLOCK + min(
            int(within.searchsorted(share * within[-1], side="right")), len(within) - 1
        )

    def _normaliser(self, scores: Scores, highest: np.float32) -> np.float32:
        shift = np.float32(0.0) if abs(highest) < _SAFE else highest
        shifted = np.subtract(scores, shift, out=self._buffer) if shift else scores
        np.exp(shifted, out=self._buffer)
        normaliser = np.float32(shift + np.log(self._buffer.dot(self._ones)))
        if not np.isfinite(normaliser):
            raise UpstreamError("The model's scores are no numbers.")
        return normaliser
