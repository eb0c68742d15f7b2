"""HTTP connections whose requests arrive: heads bounded in bytes, heads and bodies in time.

The server below bounds neither, so a client without a key could fill the memory with headers, or hold
connections open for ever. Bodies are bounded in bytes where they are read (`requests.py`).
"""

from asyncio import TimerHandle, Transport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 65_536
"""Bytes of request line and headers that may arrive before they end."""

ARRIVES_S: Final = 60.0
"""Seconds in which a request must have arrived: from the connection on, or from its first byte."""


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

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as the parent has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arrived()
        super().connection_lost(exc)

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
        self._open = self._in_head = True
        self._head = 0

    def on_headers_complete(self) -> None:
        """End a request's head."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request."""
        self._arrived()
        super().on_message_complete()

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.arrives_s, self.transport.close)

    def _arrived(self) -> None:
        self._open = False
        if self._late is not None:
            self._late.cancel()
            self._late = None
