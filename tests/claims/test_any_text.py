"""Whatever clients and models write is read: no text breaks the reading of questions and claims."""

from string import ascii_uppercase
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.assessment import Claim
from gatekeeper.claims import read_claims, read_query
from gatekeeper.claims.letters import find_letter
from gatekeeper.claims.options import find_options, given_options
from gatekeeper.errors import InvalidRequest
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Answer, Option, Query
from tests.cases import TODAY, user

CHOICE = Query("How long is metformin withheld?", (Option("A", "24 hours"), Option("B", "48 hours")))
QUERIES = st.sampled_from([Query("Is contrast safe?"), CHOICE, Query("NOT?", CHOICE.options, negated=True)])
QUESTION_MARKS = [
    *("A. ", "B. ", "C. ", "(A) ", "(B) ", "A) ", "B) ", "Question:", "Options:", "Answer:", "Context:"),
    *("<context>", "</context>", "\n", "\n\n", "**", "; "),
]
ANSWER_MARKS = [
    *(
        "A",
        "B",
        "b",
        "Answer",
        "answer is ",
        ": ",
        "option ",
        "(",
        ")",
        "**",
        " or ",
        " is correct",
        "Yes",
        "No",
    ),
    *("</think>", "<think>", "\\boxed{", "}", '{"a": ', '"b"', "]", "\n", "- ", "| ", "|---|", ". ", "48 h"),
]


def mixed(marks: list[str]) -> st.SearchStrategy[str]:
    """Return texts in which the marks that are looked for occur often."""
    return st.lists(st.sampled_from(marks) | st.text(max_size=8), max_size=24).map("".join)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
)


@given(mixed(QUESTION_MARKS))
def test_no_question_breaks_the_reading_of_options(text: str) -> None:
    """Options are in order from A, and each stands within the span that leaves the question."""
    options, span = find_options(text)
    assert [option.letter for option in options] == list(ascii_uppercase[: len(options)])
    assert all(option.text in text[slice(*span)] for option in options)


@given(JSON)
def test_any_json_is_options_or_refused(value: Any) -> None:
    """Whatever a client sends as `options`, it is read or refused by name; nothing else happens."""
    try:
        options = given_options({"options": value})
    except InvalidRequest as refused:
        assert refused.param == "options"
    else:
        assert value is None or 2 <= len(options) <= 26


@given(mixed(QUESTION_MARKS))
def test_a_question_is_what_the_user_wrote(text: str) -> None:
    """The question is made of the user's own characters, in their order, with nothing added."""
    conversation = user(text)
    question = read_query(conversation, read_evidence(conversation, TODAY)).text
    rest = iter(text)
    assert all(letter in rest for letter in question)


@given(mixed(ANSWER_MARKS), st.sets(st.sampled_from("ABCDEFGHIJ"), max_size=6))
def test_no_answer_breaks_the_reading_of_letters(text: str, letters: set[str]) -> None:
    """What is found is a letter of the question, where its span says."""
    found = find_letter(text, letters)
    if found is not None:
        assert found.letter in letters
        assert text[slice(*found.span)].upper() == found.letter


def claims(content: str, query: Query) -> tuple[Claim, ...]:
    """Return the claims of an answer's content."""
    return read_claims(Answer(0, content), query, reasoning=False)


@given(mixed(ANSWER_MARKS), QUERIES)
def test_every_claim_can_be_marked_in_the_answer(content: str, query: Query) -> None:
    """Each claim says something, and its span covers characters of the answer."""
    for claim in claims(content, query):
        assert 0 <= claim.span.start < claim.span.end <= len(content)
        assert claim.text.strip()


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4))
def test_every_text_in_a_json_answer_is_claimed(value: dict[str, object]) -> None:
    """No string of structured output goes unjudged, however deep it stands."""
    said = [claim.text for claim in claims(orjson.dumps(value).decode(), Query("Which?"))]
    assert [text for text in texts(value) if not any(claim.endswith(text) for claim in said)] == []


def texts(value: object) -> list[str]:
    """Return all strings of a JSON value that hold more than white space."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for one in inner for text in texts(one)]
    return [value] if isinstance(value, str) and value.strip() else []


@pytest.mark.parametrize(
    "prompt",
    [
        "Metformin is withheld for 48 h.\n\nQuestion: How long?\nOptions:\nA. 24 h\nB. 48 h\n\nAnswer:",
        "<context>Metformin is withheld for 48 h.</context>\nHow long?\nA. 24 h\nB. 48 h",
        "Use the following pieces of retrieved context.\n\nMetformin is withheld for 48 h.\n\n"
        "Question: How long?\nA. 24 h\nB. 48 h",
    ],
)
def test_evidence_in_the_prompt_is_no_part_of_the_question(prompt: str) -> None:
    """What the prompt supplies as evidence never counts as the user's own words."""
    conversation = user(prompt)
    found = read_query(conversation, read_evidence(conversation, TODAY))
    assert found == Query("How long?", (Option("A", "24 h"), Option("B", "48 h")))
