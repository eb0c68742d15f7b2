"""The question that is asked: the last user turn without its evidence, its options and its labels."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims import read_query
from gatekeeper.claims.stems import is_negated, positive_stem
from gatekeeper.errors import InvalidRequest
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Option, Query
from gatekeeper.wire.request import parse_chat
from tests.cases import TODAY, user

OPTIONS = (Option("A", "CT"), Option("B", "MRI"))


def query(body: dict[str, Any]) -> Query:
    """Return the question of a request."""
    conversation = parse_chat(body)
    return read_query(conversation, read_evidence(conversation, TODAY))


def asked(text: str, **body: Any) -> Query:
    """Return the question of one user message."""
    return query({"messages": [{"role": "user", "content": text}], **body})


def test_a_plain_question_is_itself() -> None:
    """What the user asks is what the answer is read with."""
    assert asked("Which study comes first?") == Query("Which study comes first?")


def test_the_last_user_turn_is_the_question() -> None:
    """Earlier turns and the assistant's words are no part of the question."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is metformin?"},
        {"role": "assistant", "content": "A drug."},
        {"role": "user", "content": "Is it withheld?"},
        {"role": "assistant", "content": "Let me see."},
    ]
    assert query({"messages": messages}).text == "Is it withheld?"


def test_a_conversation_without_a_user_asks_nothing() -> None:
    """A request of system messages alone has an empty question."""
    assert query({"messages": [{"role": "system", "content": "Be brief."}]}) == Query("")


@pytest.mark.parametrize(
    "text",
    [
        "Question: Which study comes first?\nOptions:\nA. CT\nB. MRI\n\nAnswer:",
        "Question: Which study comes first?\n\nOptions:\n(A) CT\n(B) MRI\nAnswer:",
        "**Question:** Which study comes first?\n\n**Options:**\nA) CT\nB) MRI\n\n**Answer:**",
        "Which study comes first?\nChoices:\nA. CT\nB. MRI",
        "Which study comes first? A. CT B. MRI",
    ],
)
def test_stem_and_options_are_told_apart(text: str) -> None:
    """Labels and options leave the stem, so that a letter is read as stem and option."""
    assert asked(text) == Query("Which study comes first?", OPTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "Metformin is withheld for 48 h.\n\nQuestion: How long?\nOptions:\nA. 24 h\nB. 48 h\n\nAnswer:",
        "<context>Metformin is withheld for 48 h.</context>\nHow long?\nA. 24 h\nB. 48 h",
        "Use the following pieces of retrieved context.\n\nMetformin is withheld for 48 h.\n\n"
        "Question: How long?\nA. 24 h\nB. 48 h",
    ],
)
def test_evidence_in_the_prompt_is_no_part_of_the_question(text: str) -> None:
    """What the prompt supplies as evidence never counts as the user's own words."""
    assert asked(text) == Query("How long?", (Option("A", "24 h"), Option("B", "48 h")))


def test_the_last_question_of_a_few_shot_prompt_is_asked() -> None:
    """Worked examples above the question are not what is asked."""
    text = "Question: Old?\nA. one\nB. two\nAnswer: A\n\nQuestion: New?\nA. CT\nB. MRI\nAnswer:"
    assert asked(text) == Query("New?", OPTIONS)


def test_options_beside_the_messages_come_first() -> None:
    """Options that the application sends as a field replace what its text lists."""
    assert asked("Which?\nA. X-ray\nB. US", options=["CT", "MRI"]).options == OPTIONS


def test_malformed_options_are_refused() -> None:
    """A request with unreadable options is refused before anything is generated."""
    with pytest.raises(InvalidRequest) as refused:
        asked("Which?", options="A")
    assert refused.value.param == "options"


def test_text_parts_are_read_together_and_images_left_out() -> None:
    """A question in several parts, with an image between, is one question."""
    parts = [
        {"type": "text", "text": "Which study"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "text", "text": "comes first?"},
    ]
    assert query({"messages": [{"role": "user", "content": parts}]}).text == "Which study\ncomes first?"


@pytest.mark.parametrize(
    ("stem", "positive"),
    [
        ("All of the following are true EXCEPT:", "All of the following are true:"),
        ("Which drug is NOT withheld?", "Which drug is  withheld?"),
        ("Which is LEAST likely?", "Which is  likely?"),
        ("Which drug should not be given?", "Which drug should  be given?"),
        ("Which statement is false?", "Which statement is ?"),
        ("Which statement is incorrect?", "Which statement is correct?"),
        ("Which option is least appropriate?", "Which option is  appropriate?"),
        (
            "The patient is 60. Which is NOT safe? Think first.",
            "The patient is 60. Which is  safe? Think first.",
        ),
    ],
)
def test_negated_stems_are_turned_round(stem: str, positive: str) -> None:
    """Choosing an option under EXCEPT or NOT says that it does not hold."""
    assert is_negated(stem)
    assert positive_stem(stem) == positive


@pytest.mark.parametrize(
    "stem",
    [
        "Which drug is withheld?",
        "A patient does not improve. Which study comes first?",
        "The first CT was inadequate. What is next?",
        "Metformin was not withheld. When can it be given?",
        "Which of these has at least two lesions?",
        "",
    ],
)
def test_other_negations_leave_the_stem_as_it_is(stem: str) -> None:
    """A "not" in the case history does not turn the options round."""
    assert not is_negated(stem)
    assert positive_stem(stem) == stem


def test_an_open_question_is_never_negated() -> None:
    """Without options there is nothing that a letter could deny."""
    assert not asked("Which drug is NOT withheld?").negated
    assert asked("Which drug is NOT withheld?\nA. CT\nB. MRI").negated


PIECES = [
    "Context:",
    "Question:",
    "Options:",
    "Answer:",
    "A. ",
    "B. ",
    "<context>",
    "</context>",
    "\n",
    "\n\n",
]
PROMPTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=10), max_size=24).map("".join)


@given(PROMPTS)
def test_no_prompt_breaks_the_reading_of_the_question(text: str) -> None:
    """Any prompt is read, and the question is what it says, in its order, with nothing added."""
    conversation = user(text)
    question = read_query(conversation, read_evidence(conversation, TODAY)).text
    rest = iter(text)
    assert all(letter in rest for letter in question)
