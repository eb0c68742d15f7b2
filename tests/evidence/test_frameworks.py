"""Evidence in the prompts that real retrieval products write: found exactly, and never the question."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims import read_query
from gatekeeper.evidence import EXTRACTORS, find_documents, read_evidence
from gatekeeper.exchange import Conversation
from gatekeeper.wire.request import parse_chat

PROMPTS = Path(__file__).parents[1] / "fixtures" / "prompts"
NAMES = sorted(path.stem for path in PROMPTS.glob("*.json"))


def recorded(name: str) -> dict[str, Any]:
    """Return a prompt with the documents that stand in it and the question that is asked."""
    found: dict[str, Any] = orjson.loads((PROMPTS / f"{name}.json").read_bytes())
    return found


def texts_of(conversation: Conversation) -> dict[str, str]:
    """Return every text of the messages by its pointer."""
    return {part.pointer: part.text for message in conversation.messages for part in message.parts}


@pytest.mark.parametrize("name", NAMES)
def test_the_documents_of_a_product_are_found(name: str) -> None:
    """A product's prompt gives its documents, with their names, and nothing else."""
    prompt = recorded(name)
    found = find_documents(parse_chat(prompt["body"]))
    seen = [{"id": d.id, "text": d.text, "extractor": d.extractor, "title": d.title} for d in found]
    assert prompt["documents"] == seen


@pytest.mark.parametrize("name", NAMES)
def test_spans_say_where_a_document_stands(name: str) -> None:
    """Cutting the message at a document's span gives the document, so that a viewer can mark it."""
    conversation = parse_chat(recorded(name)["body"])
    texts = texts_of(conversation)
    for document in find_documents(conversation):
        if document.extractor != "documents":
            assert texts[document.pointer][slice(*document.span)] == document.text


@pytest.mark.parametrize("name", NAMES)
def test_the_question_is_no_evidence(name: str) -> None:
    """What the user asks never proves an answer."""
    prompt = recorded(name)
    assert not [d for d in find_documents(parse_chat(prompt["body"])) if prompt["question"] in d.text]


@pytest.mark.parametrize("name", NAMES)
def test_the_question_is_read_out_of_the_prompt(name: str) -> None:
    """What the user asks is found beside the documents, without the marks that stand round them."""
    prompt = recorded(name)
    conversation = parse_chat(prompt["body"])
    asked = read_query(conversation, read_evidence(conversation, date(2025, 1, 1))).text
    assert prompt["question"] in asked
    assert not [word for word in ("Context:", "Query:", ".pdf", "Answer:") if word in asked]
    if not name.endswith(("refine", "webui_user")):
        assert asked == prompt["question"]


def user(text: str) -> Conversation:
    """Return a conversation of one user message."""
    return parse_chat({"messages": [{"role": "user", "content": text}]})


@pytest.mark.parametrize(
    "text",
    [
        "Use the following pieces of retrieved context.\n\nIs contrast safe at an eGFR of 25?",
        "Context: Is contrast safe at an eGFR of 25?",
        'Does <source id="1"> mean that contrast is safe?',
        "[CONTEXT 0]: is contrast safe? [END CONTEXT 1]",
        "The context information is below.\n----------\nIs contrast safe?",
        "Question: a\nContext: b\nAnswer: c\n\nQuestion: Is contrast safe?\nContext: d\nAnswer:",
    ],
)
def test_marks_that_do_not_close_give_nothing(text: str) -> None:
    """Where the user's words cannot be told from a document, there is no evidence."""
    assert find_documents(user(text)) == ()


def test_a_system_prompt_that_only_speaks_of_context_is_no_evidence() -> None:
    """Instructions of an application without any document leave the state at `none`."""
    body = {
        "messages": [
            {"role": "system", "content": "Answer from the provided context.\n\nBe brief and polite."},
            {"role": "user", "content": "Is contrast safe?"},
        ]
    }
    assert find_documents(parse_chat(body)) == ()


def test_a_label_in_the_question_does_not_make_it_evidence() -> None:
    """A question that itself says `Context:` stays out of the evidence."""
    text = "Use these pieces of retrieved context.\nQuestion: And\nContext: this?\nContext: Hydrate.\nAnswer:"
    assert [d.text for d in find_documents(user(text))] == ["Hydrate."]


def test_text_that_two_conventions_mark_is_evidence_once() -> None:
    """The sources inside `<context>` are read as documents of their own, not again as one block."""
    extractors = {d.extractor for d in find_documents(parse_chat(recorded("open_webui_user")["body"]))}
    assert extractors == {"open_webui"}


MARKS = st.sampled_from(
    [
        '<source id="1">', '<source id="2" name="a.pdf">', "</source>", "<context>", "</context>", "\n",
        "[CONTEXT 0]:", "[END CONTEXT 0]", "[CONTEXT 1]:", "[END CONTEXT 1]", "-" * 21, "----------------",
        "Context information is below.", "pieces of retrieved context", "following context:", "\n\n",
        "Context:", "Question:", "Query:", "Answer:", "Options:", "<document_metadata>",
        "</document_metadata>", "sourceDocument: a", " ",
        "Here are the relevant documents for the context:", "Instruction:",
        "Use the following passages:", "## Sources", "[1] ", "[2] ", "Document 1:", "Document 2 (a):", "```",
        "Chat history:", "END CONTEXT", "If the answer ", "Q:", "?", "Is contrast safe?", "Evidence: ",
    ]
)  # fmt: skip
PROMPT_TEXT = st.lists(MARKS | st.text(max_size=12), max_size=24).map("".join)


@given(PROMPT_TEXT, PROMPT_TEXT)
def test_no_prompt_breaks_an_extractor(system: str, asked: str) -> None:
    """Whatever stands in a prompt, every extractor ends, and its spans cut out what it found."""
    body = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": asked}]}
    conversation = parse_chat(body)
    texts = texts_of(conversation)
    for extractor in EXTRACTORS:
        for document in extractor(conversation):
            assert texts[document.pointer][slice(*document.span)] == document.text


@given(PROMPT_TEXT)
def test_documents_of_one_text_never_overlap(asked: str) -> None:
    """No word of a prompt is counted as evidence twice."""
    spans = sorted(document.span for document in find_documents(user(asked)))
    assert all(first.end <= second.start for first, second in pairwise(spans))
