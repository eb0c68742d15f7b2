"""Sentences and list items of clinical text, with exact spans."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims.sentences import MAX_SENTENCE, sentences, trimmed


def split(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [text[slice(*sentence.span)] for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Give saline. Then scan.", ["Give saline.", "Then scan."]),
        ("Is it safe? Yes! Scan.", ["Is it safe?", "Yes!", "Scan."]),
        ("Give 0.3 mg of epinephrine.", ["Give 0.3 mg of epinephrine."]),
        ("Compare MRI vs. CT first.", ["Compare MRI vs. CT first."]),
        ("Give approx. 50 mL, max. 100 mL.", ["Give approx. 50 mL, max. 100 mL."]),
        ("Dr. Smith agrees.", ["Dr. Smith agrees."]),
        ("Give 3 mg i.v. Then wait.", ["Give 3 mg i.v. Then wait."]),
        ("Use a probe (e.g. 5 MHz). Scan.", ["Use a probe (e.g. 5 MHz).", "Scan."]),
        ("Saline helps [1, 2]. Metformin waits.", ["Saline helps [1, 2].", "Metformin waits."]),
        ("Saline helps. [1] Metformin waits.", ["Saline helps. [1]", "Metformin waits."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Stop at 48 h. ≥ 30 is safe.", ["Stop at 48 h.", "≥ 30 is safe."]),
        ("1. Withhold metformin.\n2. Give saline.", ["Withhold metformin.", "Give saline."]),
        ("- Withhold\n* Give\n• Scan\n– Wait", ["Withhold", "Give", "Scan", "Wait"]),
        ("1) Withhold\n(2) Give", ["Withhold", "Give"]),
        ("> quoted text", ["quoted text"]),
        ("One line\nwith a wrapped end.", ["One line\nwith a wrapped end."]),
        ("First line\nSecond line", ["First line", "Second line"]),
        ("Scan within\n24 hours.", ["Scan within\n24 hours."]),
        ("**Bold claim.** Plain claim.", ["Bold claim.", "Plain claim."]),
        ("B. Withhold metformin.", ["B. Withhold metformin."]),
        ("One.\r\nTwo.", ["One.", "Two."]),
        ("", []),
        (" \n\t\n ", []),
    ],
)
def test_clinical_text_is_split_where_a_reader_would(text: str, expected: list[str]) -> None:
    """Abbreviations, decimals and list markers end no sentence; sentences, items and lines do."""
    assert split(text) == expected


def leads(text: str) -> list[tuple[str, str | None]]:
    """Return each sentence with what opens its list."""
    return [
        (text[slice(*one.span)], None if one.lead is None else text[slice(*one.lead)])
        for one in sentences(text)
    ]


def test_items_know_the_sentence_that_opens_their_list() -> None:
    """A drug in a list under "Withhold before contrast:" is read as what is withheld."""
    text = "Withhold before contrast:\n- Metformin\n- NSAIDs\n\nThen scan."
    assert leads(text) == [
        ("Withhold before contrast:", None),
        ("Metformin", "Withhold before contrast:"),
        ("NSAIDs", "Withhold before contrast:"),
        ("Then scan.", None),
    ]


def test_sentences_know_their_heading() -> None:
    """A heading is no statement of its own, but what stands below is read under it."""
    text = "## Gadolinium\nGroup II agents are safe.\n\n# Iodine\nHydrate."
    assert leads(text) == [("Group II agents are safe.", "Gadolinium"), ("Hydrate.", "Iodine")]


def test_a_stretch_without_an_end_is_cut() -> None:
    """One endless line cannot make later steps slow, and loses no character."""
    text = "x" * (2 * MAX_SENTENCE + 5)
    assert [len(part) for part in split(text)] == [MAX_SENTENCE, MAX_SENTENCE, 5]


@pytest.mark.parametrize(("text", "expected"), [("  **bold** \n", "bold"), ("plain", "plain"), (" * ", "")])
def test_trimming_leaves_the_words(text: str, expected: str) -> None:
    """White space and emphasis at the ends are no part of a statement."""
    span = trimmed(text, 0, len(text))
    assert text[slice(*span)] == expected


CLINICAL = st.lists(
    st.sampled_from(["Give ", "5", ".", " ", "\n", "- ", "1. ", "# ", "**", "vs.", "≥ 30", ":", "?", "("])
    | st.text(max_size=8),
    max_size=30,
).map("".join)  # fmt: skip


@given(CLINICAL)
def test_spans_of_any_text_are_in_order_and_apart(text: str) -> None:
    """Whatever a model writes, no character belongs to two sentences, and no sentence is empty."""
    spans = [sentence.span for sentence in sentences(text)]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert all(span.end - span.start <= MAX_SENTENCE for span in spans)


@given(CLINICAL)
def test_no_word_is_lost(text: str) -> None:
    """Every letter of a text without headings stands in a sentence, so that all of it is judged."""
    text = text.replace("#", "")
    kept = {place for sentence in sentences(text) for place in range(*sentence.span)}
    assert [text[place] for place in range(len(text)) if place not in kept and text[place].isalpha()] == []
