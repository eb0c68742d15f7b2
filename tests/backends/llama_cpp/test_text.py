"""Text leaves whole characters at a time, and never what a stop sequence cuts off."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.backends.llama_cpp.text import Text

LETTERS = st.text("abcä€", max_size=40)


def said(text: Text, data: bytes, cuts: list[int]) -> list[str]:
    """Return what leaves while bytes are added in pieces, and at the end."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = []
    for begin, end in pairwise(places):
        pieces.append(text.add(data[begin:end]))
        if text.stopped:
            break
    return [*pieces, text.finish()]


@given(LETTERS, st.lists(st.integers(0, 200)))
def test_characters_stay_whole(whole: str, cuts: list[int]) -> None:
    """However tokens cut the bytes, the text is the same and no half character leaves."""
    pieces = said(Text(()), whole.encode(), cuts)
    assert "".join(pieces) == whole


@given(LETTERS, st.text("abcä", min_size=1, max_size=3), st.lists(st.integers(0, 200)))
def test_text_ends_before_the_stop_sequence(whole: str, stop: str, cuts: list[int]) -> None:
    """However tokens cut it, the text ends where the stop sequence first begins."""
    text = Text((stop,))
    assert "".join(said(text, whole.encode(), cuts)) == whole.partition(stop)[0]
    assert text.stopped == (stop in whole)


def test_bytes_that_are_no_text_are_replaced() -> None:
    """A character that is never finished becomes the sign for one that is unknown."""
    assert said(Text(()), b"a\xe2\x82", [1]) == ["a", "", "\ufffd"]
