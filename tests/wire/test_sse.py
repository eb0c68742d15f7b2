"""Server-sent events are read however the network cuts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import UpstreamGarbled
from gatekeeper.wire.sse import SseParser, encode_comment, encode_event

_lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)
_events = st.lists(st.lists(_lines, min_size=1, max_size=3), max_size=5)


def _parse(data: bytes, size: int = 1_000_000) -> list[bytes]:
    parser = SseParser()
    events = [event for at in range(0, len(data), size) for event in parser.feed(data[at : at + size])]
    return events + parser.finish()


@given(_events, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 9), st.booleans(), st.booleans())
def test_events_survive_any_cut(
    events: list[list[str]], line_end: str, size: int, comments: bool, mark: bool
) -> None:
    """Line ends of every kind, comments, other fields and bytes cut inside characters change nothing."""
    noise = f": keep-alive{line_end}{line_end}event: x{line_end}id: 1{line_end}" if comments else ""
    text = "".join(
        noise + "".join(f"data: {line}{line_end}" for line in event) + line_end for event in events
    )
    data = ("\ufeff" if mark else "").encode() + text.encode()
    assert _parse(data, size) == ["\n".join(event).encode() for event in events]


def test_space_after_the_colon_is_optional() -> None:
    """Servers that leave the space out are read, and a second space belongs to the data."""
    assert _parse(b"data:a\n\ndata:  b\n\ndata\n\n") == [b"a", b" b", b""]


def test_last_event_needs_no_blank_line() -> None:
    """A server that closes the connection right after its data loses nothing."""
    assert _parse(b"data: a\n\ndata: [DONE]") == [b"a", b"[DONE]"]


def test_nothing_is_no_event() -> None:
    """Blank lines and an empty stream yield nothing."""
    assert _parse(b"") == []
    assert _parse(b"\n\n\r\n: x\n\n") == []


@pytest.mark.parametrize("endless", [b"x", b"data: x\n"])
def test_endless_event_is_refused(endless: bytes) -> None:
    """A server that never ends a line or an event cannot fill the memory."""
    parser = SseParser(max_event=1_000)
    with pytest.raises(UpstreamGarbled):
        for _ in range(1_001):
            parser.feed(endless)


def test_many_small_events_are_no_large_one() -> None:
    """The bound is on one event, not on the stream."""
    parser = SseParser(max_event=100)
    assert sum(len(parser.feed(b"data: x\n\n")) for _ in range(1_000)) == 1_000


@given(st.binary(max_size=200), st.integers(1, 7))
def test_any_bytes_are_read(data: bytes, size: int) -> None:
    """Garbage yields the same events however it is cut."""
    assert _parse(data, size) == _parse(data)


@given(st.binary(min_size=1, max_size=30).filter(lambda data: b"\n" not in data and b"\r" not in data))
def test_written_events_are_read_back(data: bytes) -> None:
    """What is sent to clients is what the data was, and comments are invisible."""
    assert _parse(encode_comment("wait") + encode_event(data)) == [data]
