"""Which conditions can be asked, and what they put before a question."""

from dataclasses import replace
from pathlib import Path

import pytest

from gatekeeper.errors import ConfigurationError
from radsafe_bench.conditions import (
    CONTROLS,
    MAIN,
    Condition,
    Contexts,
    MaxContext,
    Window,
    select,
    why_not,
)
from radsafe_bench.conditions.window import RESERVED, estimate
from radsafe_bench.retrieval import Library, build_library, suite_texts
from radsafe_bench.suites import Evidence
from tests.radsafe_bench.runner.small import make_suite, question


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Return the corpus of twelve questions: 24 passages."""
    return build_library(suite_texts(make_suite(tmp_path, 12)), "bm25")


async def _no_tokenizer(_: str) -> None:
    return None


def test_conditions_are_named_once_in_the_catalogues_order() -> None:
    """`all` are the protocol's six; groups and names mix."""
    assert select(["max_context", "all"]) == MAIN
    assert select(["controls", "closed_book"]) == (Condition.CLOSED_BOOK, *CONTROLS)


def test_an_unknown_condition_is_refused_with_the_known_ones() -> None:
    """A misspelling is not passed over in silence."""
    with pytest.raises(ConfigurationError, match="no condition top_10; there are all, controls, closed_book"):
        select(["top_10"])


async def test_each_condition_puts_its_own_text_before_the_question(library: Library) -> None:
    """Nothing, the clean text, or the clean text with its contradiction."""
    contexts, asked = Contexts(), question(1)
    assert (await contexts.of(asked, Condition.CLOSED_BOOK)).text == ""
    clean = await contexts.of(asked, Condition.CLEAN_EVIDENCE)
    conflict = await contexts.of(asked, Condition.CONFLICT_EVIDENCE)
    assert asked.evidence.clean and clean.text == asked.evidence.clean.text
    assert conflict.text.startswith(clean.text) and len(conflict.text) > len(clean.text)
    assert [document["id"] for document in clean.evidence] == [
        document["id"] for document in conflict.evidence
    ]


async def test_retrieval_puts_as_many_chunks_as_its_name_says(library: Library) -> None:
    """Top 1, 5 and 10, the best one being the passage that answers; the padded one is as long as ten."""
    contexts, asked = Contexts(library), question(1)
    found = {
        condition: await contexts.of(asked, condition) for condition in (*CONTROLS, Condition.STANDARD_RAG)
    }
    assert {condition: len(context.evidence) for condition, context in found.items()} == {
        Condition.STANDARD_RAG_TOP_1: 1,
        Condition.STANDARD_RAG_TOP_5: 5,
        Condition.PADDED_TOP_1: 1,
        Condition.STANDARD_RAG: 10,
    }
    assert found[Condition.STANDARD_RAG_TOP_1].evidence[0]["id"] == "p-002"
    words = {condition: len(context.text.split()) for condition, context in found.items()}
    assert words[Condition.PADDED_TOP_1] == words[Condition.STANDARD_RAG]


async def test_a_window_is_filled_by_estimate_where_no_tokenizer_is(library: Library) -> None:
    """Ranked chunks go in until the next would exceed window − 7,144 tokens."""
    ranked = library.search(question(1).stem)
    room = sum(estimate(chunk.text) + 2 for chunk in ranked[:7]) + 1
    contexts = Contexts(library, MaxContext(Window(RESERVED + room, counted=False), _no_tokenizer))
    context = await contexts.of(question(1), Condition.MAX_CONTEXT)
    assert [document["id"] for document in context.evidence] == [chunk.id for chunk in ranked[:7]]


async def test_a_window_is_filled_by_the_servers_count_and_each_chunk_is_counted_once(
    library: Library,
) -> None:
    """Where the server counts, its count holds; the corpus is not counted again for each question."""
    asked: list[str] = []

    async def count(text: str) -> int:
        asked.append(text)
        return 998

    contexts = Contexts(library, MaxContext(Window(RESERVED + 5_000, counted=True), count))
    for number in range(12):
        context = await contexts.of(question(number), Condition.MAX_CONTEXT)
        assert len(context.evidence) == 5
    assert len(asked) == len(set(asked))


async def test_published_reports_can_be_asked_with() -> None:
    """An imported suite that brings research reports is asked with them, as it was published."""
    asked = replace(question(1), evidence=Evidence(report="Sources agree on 13 weeks."))
    context = await Contexts().of(asked, Condition.PUBLISHED_REPORT)
    assert context.text == "Sources agree on 13 weeks."
    assert why_not(Condition.PUBLISHED_REPORT, [asked], Contexts()) is None
    assert why_not(Condition.PUBLISHED_REPORT, [question(1)], Contexts()) is not None


def test_what_cannot_be_asked_says_why() -> None:
    """The manifest says why a condition is missing."""
    bare = replace(question(1), evidence=Evidence())
    some = [question(0), bare]
    assert why_not(Condition.CLEAN_EVIDENCE, some, Contexts()) == "1 of 2 questions have no such text"
    assert why_not(Condition.CLOSED_BOOK, some, Contexts()) is None
    no_corpus = "the suite has no corpus; name a folder with --corpus"
    assert why_not(Condition.STANDARD_RAG, some, Contexts()) == no_corpus


def test_a_window_without_room_or_size_says_so(library: Library) -> None:
    """A 4k model is not asked with an empty context under the name of max_context."""
    unknown = why_not(Condition.MAX_CONTEXT, [question(1)], Contexts(library))
    assert unknown and "--context-window" in unknown
    tight = Contexts(library, MaxContext(Window(8_000, counted=False), _no_tokenizer))
    assert why_not(Condition.MAX_CONTEXT, [question(1)], tight) == (
        "a window of 8000 tokens leaves no room for retrieved text"
    )
