"""Searching a corpus."""

import pytest

from radsafe_bench.retrieval import CorpusError, SourceText, build_library

TEXTS = (
    SourceText("clip", "A cerebral clip is checked for 3 T before the scan."),
    SourceText("clip-15", "A cerebral clip is checked for 1.5 T before the scan."),
    SourceText("iodine", "Contrast medium with iodine is given at 37 degrees."),
    SourceText("film", "Film was developed in the dark."),
)


def test_the_text_that_shares_most_words_comes_first() -> None:
    """Words decide, whatever their case."""
    library = build_library(TEXTS, "bm25")
    assert [chunk.id for chunk in library.search("CONTRAST medium with iodine", 1)] == ["iodine"]


def test_numbers_count() -> None:
    """Field strengths and doses tell texts apart that are equal otherwise."""
    library = build_library(TEXTS, "bm25")
    assert library.search("clip at 1.5 T", 1)[0].id == "clip-15"
    assert library.search("clip at 3 T", 1)[0].id == "clip"


def test_a_search_without_known_words_keeps_the_order_of_the_corpus() -> None:
    """Ties never depend on chance, so that a run can be repeated."""
    library = build_library(TEXTS, "bm25")
    for query in ("zebra", "", "?"):
        assert [chunk.id for chunk in library.search(query)] == [text.id for text in TEXTS]


def test_recall_counts_the_queries_whose_gold_text_is_found() -> None:
    """Recall at k is the share of queries with their text among the first k."""
    library = build_library(TEXTS, "bm25")
    gold = {"iodine at 37 degrees": "iodine", "the clip": "film"}
    assert library.recall(gold, (1, 2, 3)) == {1: 0.5, 2: 0.5, 3: 1.0}


def test_a_gold_text_is_found_by_any_of_its_chunks() -> None:
    """A long text counts as found whichever part of it matches."""
    long = SourceText("long", " ".join(["filler"] * 400 + ["gadolinium"]))
    library = build_library((*TEXTS, long), "bm25")
    assert len(library.chunks) == 6
    assert library.search("gadolinium", 1)[0].id == "long#2"
    assert library.recall({"gadolinium": "long"}, (1,)) == {1: 1.0}


def test_two_texts_with_one_id_are_refused() -> None:
    """Two folders of the same name do not shadow each other."""
    with pytest.raises(CorpusError, match="same id"):
        build_library((TEXTS[0], TEXTS[0]), "bm25")
