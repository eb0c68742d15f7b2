from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims.sentences import MAX_SENTENCE, sentences


def _split(text: str) -> list[str]:
    return [text[slice(*sentence.span)] for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One here. Two there.", ["One here.", "Two there."]),
        ("Give 0.3 mg i.m. in the thigh.", ["Give 0.3 mg i.m. in the thigh."]),
        ("CT vs. MRI is open, e.g. in children. Ask.", ["CT vs. MRI is open, e.g. in children.", "Ask."]),
        ("Nodules of approx. 6 mm. ≥ 8 mm: CT.", ["Nodules of approx. 6 mm.", "≥ 8 mm: CT."]),
        ("Dr. Smith agrees. It is 2.5 cm.", ["Dr. Smith agrees.", "It is 2.5 cm."]),
        ("1. Stop metformin.\n2. Give saline.", ["Stop metformin.", "Give saline."]),
        ("- Stop\n* Give\n• Wait", ["Stop", "Give", "Wait"]),
        ("It ends here [1, 2]. Next.", ["It ends here [1, 2].", "Next."]),
        ("A dose at\n6 months is right.\nThen stop.", ["A dose at\n6 months is right.", "Then stop."]),
        ("**Stop** it. **Give** saline.", ["Stop** it.", "Give** saline."]),
        ("Is it? Yes!", ["Is it?", "Yes!"]),
        ("B. CT at 3 months. It is best.", ["B. CT at 3 months.", "It is best."]),
        ("Stanford type A. Surgery is urgent.", ["Stanford type A.", "Surgery is urgent."]),
        ("", []),
    ],
)
def test_clinical_text_is_split_where_its_sentences_end(text: str, expected: list[str]) -> None:
    """Decimals, abbreviations and list markers end no sentence; lines of a list do."""
    assert _split(text) == expected


def test_list_items_know_what_opens_their_list() -> None:
    """What opens a list belongs to every item that follows, a heading to all under it."""
    text = "# Devices\nContraindicated are:\n- pacemakers\n- pumps\n\nStents are safe."
    found = [(text[slice(*one.span)], one.lead and text[slice(*one.lead)]) for one in sentences(text)]

    assert found == [
        ("Contraindicated are:", "Devices"),
        ("pacemakers", "Contraindicated are:"),
        ("pumps", "Contraindicated are:"),
        ("Stents are safe.", "Devices"),
    ]


markup = st.lists(
    st.one_of(
        st.sampled_from(["\n", ". ", "- ", "1. ", "# ", "**", "e.g. ", "A. ", "? ", ":\n"]),
        st.text(max_size=6),
    ),
    max_size=40,
).map("".join)


@given(markup)
def test_sentences_are_in_order_and_lose_no_word(text: str) -> None:
    """Every letter and digit of an answer stands in exactly one sentence, markers and headings aside."""
    spans = [one.span for one in sentences(text)]

    assert all(left.end <= right.start for left, right in pairwise(spans))
    assert all(span.start < span.end <= len(text) for span in spans)
    assert all(text[slice(*span)].strip() == text[slice(*span)] for span in spans)


def test_endless_sentences_are_cut() -> None:
    """A model that never ends a sentence cannot make later steps slow."""
    assert max(map(len, _split("word " * 2_000))) <= MAX_SENTENCE
