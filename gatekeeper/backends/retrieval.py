"""Word overlap between a question and its evidence, as a probability distribution."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from math import exp, fsum, log
from typing import Final

from gatekeeper.claims.sentences import sentences
from gatekeeper.exchange import Option

SHARPNESS: Final = 8.0
"""Logits per unit of overlap: a sentence with all words of a question weighs e^8 times one with none."""

_WORD: Final = re.compile(r"[^\W_]+(?:[.,]\d+)?")
_SAYS_NOTHING: Final = (
    "a an and any are as at be been best by can do does following for from had has have how if in into is "
    "it its may most of on or should that the their then there these they this to was were what when "
    "where which who will with would"
)
_FUNCTION_WORDS: Final = frozenset(_SAYS_NOTHING.split())


class Overlap:
    """The sentences of a request's evidence and the weight of each of their words.

    A word weighs its inverse document frequency over the sentences as in BM25 (Robertson and Zaragoza
    2009, eq. 3.3); words that no sentence holds weigh most, so an option that brings new words loses.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.sentences = [found.span.of(text) for text in texts for found in sentences(text)]
        self._words = [frozenset(_words(sentence)) for sentence in self.sentences]
        self._frequency = Counter(word for words in self._words for word in words)

    def of_question(self, question: str) -> list[float]:
        """Return for each sentence the weighted share of the question's words that it holds, in [0, 1]."""
        return self._shares(frozenset(_words(question)))

    def of_options(self, stem: str, options: Sequence[Option]) -> list[float]:
        """Return for each option how much its best sentence says of option and stem, in [0, 1]."""
        stem_shares = self._shares(frozenset(_words(stem)))
        return [
            max(
                (
                    share * (1.0 + stem_share) / 2.0
                    for share, stem_share in zip(
                        self._shares(frozenset(_words(option.text))), stem_shares, strict=True
                    )
                ),
                default=0.0,
            )
            for option in options
        ]

    def _shares(self, query: Collection[str]) -> list[float]:
        weights = {word: self._weight(word) for word in query}
        # fsum: the order of a set differs from process to process, and with it a plain sum's last digit.
        total = fsum(weights.values()) or 1.0
        return [fsum(weights[word] for word in words & weights.keys()) / total for words in self._words]

    def _weight(self, word: str) -> float:
        frequency = self._frequency[word]
        return log(1.0 + (len(self._words) - frequency + 0.5) / (frequency + 0.5))


def softmax(scores: Sequence[float], sharpness: float = SHARPNESS) -> list[float]:
    """Return probabilities proportional to exp(sharpness × score)."""
    highest = max(scores)
    weights = [exp(sharpness * (score - highest)) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]


def _words(text: str) -> Iterable[str]:
    for word in _WORD.findall(text.lower()):
        if word not in _FUNCTION_WORDS:
            yield word.removesuffix("s") if len(word) > 3 else word
