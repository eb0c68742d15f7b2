from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import InvalidRequest
from gatekeeper.evidence import find_documents
from gatekeeper.evidence.extractors import MAX_CHARACTERS, MAX_DOCUMENTS
from tests.evidence.conversations import converse, read, slice_of

QUESTION = ("user", "Which dose?")


def _texts(*turns: tuple[str, str], **body: Any) -> list[tuple[str, str]]:
    return [(one.extractor, one.text) for one in find_documents(converse(*turns, **body))]


def test_strings_and_objects_of_the_evidence_field_are_documents() -> None:
    """Evidence may be plain strings or objects with their provenance."""
    given_here = ["First.", {"id": "g1", "title": "Manual", "text": "Second.", "expires": "2027-01-01"}]
    first, second = find_documents(converse(QUESTION, evidence=given_here))

    assert (first.id, first.text, first.pointer) == ("evidence_field-1", "First.", "/evidence/0")
    assert (second.id, second.title, second.pointer) == ("g1", "Manual", "/evidence/1/text")
    assert str(second.expires) == "2027-01-01"


def test_the_evidence_field_is_the_whole_evidence() -> None:
    """What the application names as evidence is all of it, whatever else the request holds."""
    found = _texts(("tool", "From a tool."), QUESTION, evidence=["Named."], documents=["Other."])

    assert found == [("evidence_field", "Named.")]


def test_an_empty_evidence_field_means_no_evidence() -> None:
    """An application that retrieved nothing says so, and nothing else is taken instead."""
    assert _texts(("tool", "From a tool."), QUESTION, evidence=[]) == []


@pytest.mark.parametrize(
    ("document", "text", "pointer", "title"),
    [
        ({"title": "T", "text": "vLLM."}, "vLLM.", "/documents/0/text", "T"),
        ("A string.", "A string.", "/documents/0", None),
        ({"id": "1", "data": "Text."}, "Text.", "/documents/0/data", None),
        ({"id": "1", "data": {"title": "T", "snippet": "Text."}}, "Text.", "/documents/0/data/snippet", "T"),
    ],
)
def test_documents_of_vllm_and_cohere_are_read(
    document: Any, text: str, pointer: str, title: str | None
) -> None:
    """Both shapes of `documents` that clients send are evidence."""
    (found,) = find_documents(converse(QUESTION, documents=[document]))

    assert (found.extractor, found.text, found.pointer, found.title) == ("documents", text, pointer, title)


def test_what_tools_return_is_evidence() -> None:
    """Every tool result of the conversation counts; questions and earlier answers never do."""
    turns = [("user", "Earlier question."), ("assistant", "Earlier answer."), ("tool", "A result."), QUESTION]

    assert _texts(*turns) == [("tool_message", "A result.")]


def test_tagged_blocks_of_the_last_turn_and_the_system_message_are_evidence() -> None:
    """Only what stands between the tags is evidence; the innermost block counts."""
    system = '<documents><document id="a" title="Manual">From the system.</document></documents>'
    user = "<context>\nFrom the user.\n</context>\nWhich dose?"
    documents = find_documents(
        converse(
            ("user", "<context>Old.</context>"), ("assistant", "Yes."), ("system", system), ("user", user)
        )
    )

    assert [(one.id, one.text, one.title) for one in documents] == [
        ("context_tag-1", "From the user.", None),
        ("a", "From the system.", "Manual"),
    ]


@pytest.mark.parametrize(
    "prompt",
    [
        "The dose is 5 mg.\n\nQuestion: Which dose?\nOptions:\nA. 5 mg\nB. 6 mg\nAnswer:",
        "The dose is 5 mg.\n\nQuestion: Which dose?\n\nAnswer:",
    ],
)
def test_the_context_of_the_prompt_form_is_evidence(prompt: str) -> None:
    """In a prompt of context, blank line, question, options, answer the context is evidence."""
    assert _texts(("user", prompt)) == [("prompt_context", "The dose is 5 mg.")]


@pytest.mark.parametrize(
    "prompt",
    [
        "Which dose is right?",
        "I think it is 5 mg.\nQuestion: Which dose?\nAnswer:",
        "Question: Which dose?\nAnswer: 5 mg\n\nQuestion: Which route?\nAnswer:",
        "He takes 5 mg.\n\nQuestion: is that right?",
    ],
)
def test_a_users_own_words_are_no_evidence(prompt: str) -> None:
    """A question, or the worked examples of a few-shot prompt, are never taken for evidence."""
    assert _texts(("user", prompt)) == []


def test_sources_are_joined_and_equal_texts_count_once() -> None:
    """The same chunk, found in two places, is one document."""
    found = _texts(
        ("tool", "Same."), ("user", "<context>Same.</context> <context>More.</context>"), documents=["Same."]
    )

    assert found == [("documents", "Same."), ("context_tag", "More.")]


def test_chunks_of_one_source_keep_apart() -> None:
    """Chunks that share their source's id stay distinguishable."""
    chunks = [{"id": "g", "text": "One."}, {"id": "g", "text": "Two."}]

    assert [one.id for one in find_documents(converse(QUESTION, evidence=chunks))] == ["g", "g#2"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"evidence": "a string"}, "evidence"),
        ({"extra_body": {"evidence": ["x"]}}, "extra_body"),
        ({"evidence": [{"page_content": "x"}]}, "evidence[0]"),
        ({"evidence": [1]}, "evidence[0]"),
        ({"evidence": [{"title": "no text"}]}, "evidence[0].text"),
        ({"evidence": [{"text": "x", "expirs": "2025-01-01"}]}, "evidence[0]"),
        ({"evidence": ["x", {"text": "y", "expires": "soon"}]}, "evidence[1].expires"),
        ({"evidence": [{"text": "x", "id": 3}]}, "evidence[0].id"),
        ({"documents": {"text": "x"}}, "documents"),
        ({"documents": [None]}, "documents[0]"),
        ({"documents": [{"id": "1", "data": {"title": "no text"}}]}, "documents[0].data"),
        ({"evidence": [f"{number}" for number in range(MAX_DOCUMENTS + 1)]}, "evidence"),
        ({"documents": ["x" * (MAX_CHARACTERS + 1)]}, "documents"),
    ],
)
def test_malformed_or_endless_evidence_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    """A client learns which field is wrong; a misspelt expiry date never passes as none."""
    with pytest.raises(InvalidRequest) as refused:
        find_documents(converse(QUESTION, **body))

    assert refused.value.param == param
    assert "soon" not in refused.value.message


tag = st.sampled_from(
    ["<context>", "</context>", "<document>", "</document>", '<document id="x">', "<context"]
)
soup = st.lists(st.one_of(tag, st.text(alphabet="ab \n<>/", max_size=8)), max_size=30).map("".join)


@given(
    user=soup, system=soup, tool=st.text(max_size=20), documents=st.lists(st.text(max_size=20), max_size=3)
)
def test_spans_always_slice_to_the_text(user: str, system: str, tool: str, documents: list[str]) -> None:
    """Wherever evidence is found, pointer and span lead back to exactly its words."""
    conversation = converse(("system", system), ("tool", tool), ("user", user), documents=documents)

    for document in find_documents(conversation):
        assert slice_of(conversation, document) == document.text
        assert document.text.strip()


@given(soup)
def test_blocks_never_overlap(user: str) -> None:
    """No word of a prompt is counted as evidence twice."""
    spans = sorted(one.span for one in read(("user", user)).documents)

    assert all(left.end <= right.start for left, right in pairwise(spans))
