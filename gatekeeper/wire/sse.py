"""Server-sent events, read incrementally from bytes and written (WHATWG HTML, section 9.2)."""

from typing import Final

from gatekeeper.errors import UpstreamGarbled

DONE: Final = b"[DONE]"
MAX_EVENT_BYTES: Final = 8 * 1024 * 1024

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class SseParser:
    """Turns bytes, cut anywhere, into the data of events; comments and other fields are skipped.

    Lines end with LF, CRLF or CR. Raises UpstreamGarbled where a line or an event exceeds `max_event`
    bytes, so that a stream without line ends cannot fill the memory.
    """

    def __init__(self, *, max_event: int = MAX_EVENT_BYTES) -> None:
        self._max_event = max_event
        self._pieces: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._begun = False

    def feed(self, received: bytes) -> list[bytes]:
        """Return the data of every event that these bytes complete."""
        self._size += len(received)
        if b"\n" not in received and b"\r" not in received and not self._ends_in_return():
            self._pieces.append(received)
            self._check_size()
            return []
        lines = b"".join((*self._pieces, received)).splitlines(keepends=True)
        # A CR at the end may be half of a CRLF, so its line waits for the next byte.
        self._pieces = [] if lines[-1].endswith(b"\n") else [lines.pop()]
        return self._events(lines)

    def finish(self) -> list[bytes]:
        """Return the data of an event that the end of the stream cut off before its blank line."""
        events = self._events([b"".join(self._pieces)])
        self._pieces = []
        return events + self._events([b"\n"])

    def _ends_in_return(self) -> bool:
        return bool(self._pieces) and self._pieces[-1].endswith(b"\r")

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        for ended in lines:
            line = ended.rstrip(b"\r\n")
            if not self._begun:
                line = line.removeprefix(_BYTE_ORDER_MARK)
                self._begun = True
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif line == b"data":
                self._data.append(b"")
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data = []
        self._size = sum(map(len, self._pieces)) + sum(map(len, self._data))
        self._check_size()
        return events

    def _check_size(self) -> None:
        if self._size > self._max_event:
            raise UpstreamGarbled("The model server sent a stream event over the size that is accepted.")


def encode_event(data: bytes, kind: str = "") -> bytes:
    """Return one event; `data` is JSON without line ends, or DONE, `kind` its name where it has one."""
    name = b"event: " + kind.encode() + b"\n" if kind else b""
    return name + b"data: " + data + b"\n\n"


def encode_comment(text: str = "") -> bytes:
    """Return a comment, which clients skip: it keeps a connection open while nothing can be sent."""
    return b": " + text.encode() + b"\n\n"
