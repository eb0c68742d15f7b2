"""HTTP connections whose requests arrive, and whose responses leave in one piece.

The server below bounds heads neither in bytes nor in time, so a client without a key could fill the memory
with headers, or hold connections open for ever. Bodies are bounded in bytes where they are read
(`requests.py`). It also writes the head of a response and its body one after the other, which are two system
calls and two packets.
"""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any, Final, cast, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD: Final = 65_536
"""Bytes of request line and headers that may arrive before they end."""

ARRIVES_S: Final = 60.0
"""Seconds in which a request must have arrived: from the connection on, or from its first byte."""

LOST: Final = "gatekeeper.connection_lost"
"""ASGI extension: the connection, which calls a function when the client goes (`tell`, `tell_no_more`)."""


class BoundedConnection(HttpToolsProtocol):
    """A connection that is closed where a request's head is too large (with 400), or a request too slow.

    A request that arrives in one piece costs no timer.
    """

    arrives_s = ARRIVES_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        self._open = True
        self._late: TimerHandle | None = None
        self._told: set[Callable[[], None]] = set()
        self._lost = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as the parent has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more, and tell who works for the client."""
        self._arrived()
        super().connection_lost(exc)
        self._lost = True
        for leave in tuple(self._told):
            leave()

    def tell(self, leave: Callable[[], None]) -> None:
        """Have a function called when the client goes, now where it has gone."""
        if self._lost:
            leave()
        else:
            self._told.add(leave)

    def tell_no_more(self, leave: Callable[[], None]) -> None:
        """Forget it."""
        self._told.discard(leave)

    def data_received(self, data: bytes) -> None:
        """Read on; what of a request is still to come is counted and waited for."""
        super().data_received(data)
        if not self._open or self.transport.is_closing():
            return
        if self._late is None:
            self._wait()
        if self._in_head:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self.send_400_response("The request's head is too large.")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {LOST: self}  # type: ignore[dict-item]  # declared to hold dicts
        self._open = self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        """End a request's head."""
        self._in_head = False
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before and self.scope["method"] != "HEAD":  # whose response is a head alone
            self.cycle.transport = cast(Transport, _Joining(self.transport, self.cycle))

    def on_message_complete(self) -> None:
        """End a request; from here on reading only tells whether the client is still there."""
        self._arrived()
        super().on_message_complete()
        if not self.pipeline:
            self.flow.resume_reading()

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.arrives_s, self.transport.close)

    def _arrived(self) -> None:
        self._open = False
        if self._late is not None:
            self._late.cancel()
            self._late = None


@final
class _Joining:
    """The transport as one response uses it: the head waits for what is written, or closed, after it."""

    __slots__ = ("_begun", "_cycle", "_head", "_transport")

    def __init__(self, transport: Transport, cycle: RequestResponseCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self._head = b""
        self._begun = False

    def write(self, data: bytes) -> None:
        """Write, or keep the head; what precedes a response (`100 Continue`) is not one."""
        if self._begun or not self._cycle.response_started:
            self._transport.write(data)
        elif self._head:
            self._begun = True
            self._transport.writelines((self._head, data))
        else:
            self._head = data

    def close(self) -> None:
        """Close, after a head that nothing followed."""
        if self._head and not self._begun:
            self._transport.write(self._head)
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closing."""
        return self._transport.is_closing()
