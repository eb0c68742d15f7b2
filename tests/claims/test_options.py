"""Options of a multiple-choice question: given beside the messages, or found in the text."""

from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims.options import find_options, given_options
from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Option

CT_OR_MRI = (Option("A", "CT"), Option("B", "MRI"))


@pytest.mark.parametrize(
    "options",
    [
        [{"letter": "A", "text": "CT"}, {"letter": "b", "text": " MRI "}],
        {"A": "CT", "B": "MRI"},
        ["CT", "MRI"],
    ],
)
def test_options_may_be_given_in_three_shapes(options: object) -> None:
    """An application sends options as objects, as a mapping or as plain texts, and gets the same."""
    assert given_options({"options": options}) == CT_OR_MRI


def test_no_options_given() -> None:
    """A request without `options` is no multiple-choice question, and no error."""
    assert given_options({}) == ()


@pytest.mark.parametrize(
    "options",
    [
        "A. CT",
        7,
        [],
        ["CT"],
        ["CT"] * 27,
        [{"letter": "A", "text": "CT"}, {"letter": "a", "text": "MRI"}],
        {"A": "CT", "a": "MRI"},
        {"AB": "CT", "C": "MRI"},
        {"1": "CT", "2": "MRI"},
        {"ß": "CT", "B": "MRI"},
        {"": "CT", "B": "MRI"},
        [{"letter": "A"}, {"letter": "B", "text": "MRI"}],
        [{"text": "CT"}, {"text": "MRI"}],
        ["CT", "  "],
        ["CT", 3],
        ["CT", None],
        ["CT", ["MRI"]],
    ],
)
def test_malformed_options_are_refused_by_name(options: object) -> None:
    """What cannot be read as options is refused with the field's name, never guessed at."""
    with pytest.raises(InvalidRequest) as refused:
        given_options({"options": options})
    assert refused.value.param == "options"
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "listed",
    [
        "A. CT\nB. MRI",
        "A) CT\nB) MRI",
        "(A) CT\n(B) MRI",
        "A: CT\nB: MRI",
        "**A.** CT\n**B.** MRI",
        "- A. CT\n- B. MRI",
        "  A. CT  \n\n  B. MRI  ",
        "A. CT; B. MRI",
        "(A) CT, (B) MRI",
    ],
)
def test_options_are_found_however_they_are_marked(listed: str) -> None:
    """Every usual way to list options gives the same letters and texts."""
    options, _ = find_options(f"Which study comes first?\n{listed}")
    assert options == CT_OR_MRI


def test_an_option_of_two_lines_stays_whole() -> None:
    """A line that goes on with the option above belongs to it."""
    options, _ = find_options("Which?\nA. Withhold metformin\nfor 48 hours\nB. Continue metformin")
    assert options[0] == Option("A", "Withhold metformin\nfor 48 hours")


@pytest.mark.parametrize("after", ["\n\nAnswer with one letter.", "\nAnswer:", "\n\n\nthink first"])
def test_what_follows_the_last_option_is_no_part_of_it(after: str) -> None:
    """An instruction below the options never becomes part of what the last option claims."""
    text = f"Which?\nA. CT\nB. MRI{after}"
    options, span = find_options(text)
    assert options == CT_OR_MRI
    assert text[slice(*span)] == "A. CT\nB. MRI"


@pytest.mark.parametrize(
    "text",
    [
        "Which study comes first?",
        "A. CT is the only one",
        "B. CT\nC. MRI",
        "A. CT\nC. MRI",
        "A. CT\nB) MRI",
        "Hepatitis A and hepatitis B were excluded.",
        "Vitamin A.\nVitamin C.",
        "",
    ],
)
def test_marks_that_make_no_list_are_no_options(text: str) -> None:
    """Without A and B in order and in one style, the question stays an open one."""
    assert find_options(text) == ((), (len(text), len(text)))


def test_the_longest_list_is_the_options() -> None:
    """Criteria "A." and "B." in the stem do not hide the four options below."""
    text = "Criteria:\nA. pain\nB. fever\nWhich applies?\nA. one\nB. two\nC. three\nD. four"
    options, _ = find_options(text)
    assert [option.text for option in options] == ["one", "two", "three", "four"]


def test_the_last_of_two_equal_lists_is_the_options() -> None:
    """A worked example above the question does not give its options."""
    options, _ = find_options("Example\nA. old\nB. older\nQuestion\nA. CT\nB. MRI")
    assert options == CT_OR_MRI


def test_up_to_26_options_are_read() -> None:
    """A list may use the whole alphabet."""
    text = "\n".join(f"{letter}. option {letter}" for letter in ascii_uppercase)
    assert [option.letter for option in find_options(text)[0]] == list(ascii_uppercase)


MARKED = st.lists(
    st.sampled_from(["A. ", "B. ", "C. ", "(A) ", "(B) ", "A) ", "B) ", "\n", "**", "; ", "Answer:", "\n\n"])
    | st.text(max_size=8),
    max_size=20,
).map("".join)


@given(MARKED)
def test_no_text_breaks_the_reading_of_options(text: str) -> None:
    """Any text is read: letters in order from A, and the span holds every option's text."""
    options, span = find_options(text)
    assert [option.letter for option in options] == list(ascii_uppercase[: len(options)])
    assert 0 <= span.start <= span.end <= len(text)
    assert all(option.text in text[slice(*span)] for option in options)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)


@given(JSON)
def test_any_json_is_options_or_refused(value: Any) -> None:
    """Whatever a client sends as `options`, it is read or refused; nothing else happens."""
    try:
        options = given_options({"options": value})
    except InvalidRequest as refused:
        assert refused.param == "options"
    else:
        assert value is None or 2 <= len(options) <= 26


TEXTS = st.lists(st.from_regex(r"[a-z][a-z0-9 ]{0,20}[a-z0-9]", fullmatch=True), min_size=2, max_size=10)


@given(TEXTS, st.sampled_from(["{}. {}", "{}) {}", "({}) {}", "{}: {}"]))
def test_written_options_are_read_back(texts: list[str], form: str) -> None:
    """What an application writes as a list of options is read as it was written."""
    listed = "\n".join(
        form.format(letter, text) for letter, text in zip(ascii_uppercase, texts, strict=False)
    )
    options, _ = find_options(f"Which holds?\n{listed}\n\nAnswer:")
    assert [option.text for option in options] == texts
