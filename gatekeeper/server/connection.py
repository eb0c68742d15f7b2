"""HTTP connections whose requests arrive, and whose responses leave in one piece.

The server below bounds heads neither in bytes nor in time, so a client without a key could fill the memory
with headers, or hold connections open for ever. Bodies are bounded in bytes where they are read
(`requests.py`). It also writes the head of a response and its body one after the other, which are two system
calls and two packets.
"""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any, Final, cast, final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD: Final = 65_536
"""Bytes of request line and headers that may arrive before they end, after the piece in which they begin."""

ARRIVES_S: Final = 60.0
"""Seconds in which a request must have arrived: from the connection on, or from its first byte."""

CLIENT: Final = "gatekeeper.client"
"""ASGI extension: the Client."""


@final
class Client:
    """The other end of a connection, and whom to tell when it goes."""

    __slots__ = ("_gone", "_told")

    def __init__(self) -> None:
        self._told: set[Callable[[], None]] = set()
        self._gone = False

    def tell(self, leave: Callable[[], None]) -> None:
        """Have a function called when the client goes, now where it has gone."""
        if self._gone:
            leave()
        else:
            self._told.add(leave)

    def tell_no_more(self, leave: Callable[[], None]) -> None:
        """Forget it."""
        self._told.discard(leave)

    def goes(self) -> None:
        """Tell who works for it."""
        self._gone = True
        for leave in tuple(self._told):
            leave()


class BoundedConnection(HttpToolsProtocol):
    """A connection that is closed where a request's head is too large (with 400), or a request too slow.

    A request that arrives in one piece costs no timer. One that asks for another protocol is served as if it
    had not: clients that offer HTTP/2 so send their body with the offer.
    """

    arrives_s = ARRIVES_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._piece = self._head = 0
        self._in_head = True
        self._open = True
        self._late: TimerHandle | None = None
        self._served: RequestResponseCycle | None = None
        self._client = Client()
        self._extensions = {CLIENT: self._client}  # of every request: without a way back here, so no cycle

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as the parent has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more, and tell who works for the client."""
        self._arrived()
        super().connection_lost(exc)
        if self._served is not None:
            self._served.disconnected = True
            self._served.message_event.set()
        self._client.goes()

    def data_received(self, data: bytes) -> None:
        """Read on; what of a request is still to come is counted and waited for."""
        self._unset_keepalive_if_required()
        self._piece = len(data)
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as asked:
                self._read_again(data[asked.args[0] :])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            why = "Invalid HTTP request received."
            self.logger.warning(why)
            self.send_400_response(why)
            return
        if self._open:
            self._go_on()
        elif self.cycle.response_complete and not self.transport.is_closing():
            # What came was the rest of a request that is answered, or none: the wait begins again.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # declared to hold dicts
        self._open = self._in_head = True
        self._head = -self._piece

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

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle  # which is not the newest where requests are pipelined
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        return True  # so that the parent makes no request of what is to be read again

    def _read_again(self, rest: bytes) -> None:
        """Read a request without its wish for another protocol: the parser skips the body of one that has it.

        Raises HttpParserUpgrade for a tunnel (CONNECT), and where `rest` holds another such request.
        """
        method, version = self.scope["method"].encode(), self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join((*lines, b"", rest)))

    def _go_on(self) -> None:
        """Wait for the rest of a request, within bounds."""
        if self.transport.is_closing():
            return
        if self._late is None:
            self._wait()
        if self._in_head:
            self._head += self._piece
            if self._head > MAX_HEAD:
                self.send_400_response("The request's head is too large.")

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.arrives_s, self._is_late)

    def _is_late(self) -> None:
        """Close, unless the rest waits because an earlier request is still being answered."""
        if self.flow.read_paused:
            self._wait()
        else:
            self.transport.close()

    def _arrived(self) -> None:
        self._open = False
        if self._late is not None:
            self._late.cancel()
            self._late = None


@final
class _Joining:
    """The transport until a response has begun: the head waits for what is written, or closed, after it."""

    __slots__ = ("_cycle", "_head", "_transport")

    def __init__(self, transport: Transport, cycle: RequestResponseCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self._head = b""

    def write(self, data: bytes) -> None:
        """Write, or keep the head; what precedes a response (`100 Continue`) is not one."""
        if not self._cycle.response_started:
            self._transport.write(data)
        elif self._head:
            self._cycle.transport = self._transport
            self._transport.writelines((self._head, data))
        else:
            self._head = data

    def close(self) -> None:
        """Close, after a head that nothing followed."""
        if self._head:
            self._transport.write(self._head)
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closing."""
        return self._transport.is_closing()
