"""How alike texts are, to find questions that ask the same thing twice."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer


@dataclass(frozen=True, slots=True)
class Similar:
    """Two question ids and the similarity of their texts, in [0, 1]."""

    similarity: float
    first: str
    second: str


def most_similar(texts: Mapping[str, str]) -> list[Similar]:
    """Compare every two texts (by question id), most similar first.

    Similarity is the mean of two TF-IDF cosines: of words and word pairs (what is said), and of
    character 3- to 5-grams within words (the same with endings, hyphens and spelling changed).
    """
    ids = list(texts)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts.values())
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True).fit_transform(
        texts.values()
    )
    similarity = ((words @ words.T).toarray() + (characters @ characters.T).toarray()) / 2
    first, second = np.triu_indices(len(ids), k=1)
    pairs = [
        Similar(float(similarity[i, j]), ids[i], ids[j])
        for i, j in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))
