from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims.options import find_options, given_options
from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Option, Span


@pytest.mark.parametrize(
    "text",
    [
        "A. left\nB. right\nC. both",
        "A) left\nB) right\nC) both",
        "(A) left\n(B) right\n(C) both",
        "A: left\nB: right\nC: both",
        "- A. left\n- B. right\n- C. both",
        "**A.** left\n**B.** right\n**C.** both",
        "Which side? A) left B) right C) both",
        "Which side? (A) left, (B) right, (C) both",
        "Which side?\nA. left\n\nB. right\n\nC. both\n\nAnswer with a letter.",
    ],
)
def test_options_are_found_however_they_are_marked(text: str) -> None:
    """Lines or runs, dots, brackets or colons: the options are the same."""
    options, _ = find_options(text)

    assert options == (Option("A", "left"), Option("B", "right"), Option("C", "both"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Which side?",
        "A. only one",
        "B. right\nC. both",
        "Hepatitis A: what now?",
        "A. left\nC. both",
        "1. left\n2. right",
    ],
)
def test_what_does_not_begin_with_a_and_go_on_is_no_list_of_options(text: str) -> None:
    """A single letter in a question makes no multiple choice of it."""
    assert find_options(text)[0] == ()


def test_text_after_the_options_is_not_part_of_them() -> None:
    """An instruction below the options does not change what the last one says."""
    options, span = find_options("Which?\nA. left\nB. right\nAnswer with the letter only.")

    assert options[-1].text == "right"
    assert span == Span(7, 23)


@pytest.mark.parametrize(
    "value",
    [
        [{"letter": "a", "text": "left"}, {"letter": "B", "text": "right"}],
        {"A": "left", "B": "right"},
        ["left", "right"],
    ],
)
def test_options_beside_the_messages_may_have_three_shapes(value: Any) -> None:
    """A client may send options as objects, as a mapping, or as a plain list."""
    assert given_options({"options": value}) == (Option("A", "left"), Option("B", "right"))


@pytest.mark.parametrize(
    "value",
    [
        "A. left",
        ["one"],
        {"A": 1, "B": "x"},
        {"A": "", "B": "x"},
        [{"letter": "A", "text": "x"}] * 2,
        ["x"] * 30,
    ],
)
def test_malformed_options_are_refused(value: Any) -> None:
    """A client that sends options which cannot be read is told so."""
    with pytest.raises(InvalidRequest) as refused:
        given_options({"options": value})

    assert refused.value.param == "options"


words = st.text(alphabet="abc def", min_size=1, max_size=20).filter(str.strip)


@given(
    texts=st.lists(words, min_size=2, max_size=8), style=st.sampled_from(["{}. ", "{}) ", "({}) ", "{}: "])
)
def test_whatever_options_say_they_are_found(texts: list[str], style: str) -> None:
    """Options come back in order with their own words."""
    text = "Which?\n" + "\n".join(style.format("ABCDEFGH"[at]) + one for at, one in enumerate(texts))
    options, span = find_options(text)

    assert [option.text for option in options] == [one.strip() for one in texts]
    assert text[: span.start] == "Which?\n"


@given(st.text(alphabet="ABC.):( \nx", max_size=80))
def test_found_options_are_always_in_order(text: str) -> None:
    """Whatever a user types, options begin with A and leave no letter out."""
    options, span = find_options(text)

    assert [option.letter for option in options] == list("ABCDEFGHIJKLMNOP"[: len(options)])
    assert 0 <= span.start <= span.end <= len(text)
