"""The words by which phrases are ruled out."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.checks.words import words_of

_PIECES = st.sampled_from(
    ["not", "sure", "may", " ", "-", "_", "'", "é", "ſ", "≥", "12", "\n", "(", "\ud800"]
)


@given(st.lists(_PIECES).map("".join))
def test_no_word_that_a_pattern_finds_is_missing(text: str) -> None:
    """A doubt, or a topic that a policy lists, is never ruled out where a search would find it."""
    found = [word.encode() for word in re.findall(r"\b[a-z0-9]+\b", text)]
    words = iter(words_of(text))

    assert all(word in words for word in found)  # in order
