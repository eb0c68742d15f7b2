"""Words cut out of a text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatekeeper.checks.slots.tokens import Tokens

_PIECES = st.sampled_from(
    ["dose", "IM", "10", "mm", "1,000", ".5", "0.3", "don't", "CT", *" \n\t-–/.,;:()_'²"]
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Follow-up in 6-12 months.", "Follow up in 6 - 12 months ."),
        ("10 mm-20 mm, LR-5 (T2-weighted)", "10 mm - 20 mm , LR 5 ( T2 weighted )"),
        ("mm-20", "mm 20"),
        ("eGFR ≥30 mL/min,", "eGFR ≥ 30 mL / min ,"),
        ("1,000.5 mg; −5 °C: .5", "1,000.5 mg ; − 5 ° C : .5"),
    ],
)
def test_figures_signs_and_words_stand_alone(text: str, words: str) -> None:
    """A range, a bound and a unit are found wherever they are written without spaces."""
    assert Tokens(text).raw == words.split()


@given(st.lists(_PIECES, max_size=12).map("".join))
@example("10 mm-20 mm\nmm-20")
def test_what_was_read_before_changes_nothing(text: str) -> None:
    """A text is cut the same when its words are met again, so no answer is judged by the ones before it."""
    first = Tokens(text)
    again = Tokens(text)

    assert again.raw == first.raw
    assert all(text.startswith(word, at) for at, word in zip(first.starts, first.raw, strict=True))
