"""Connections as a hostile client holds them: endless headers, and requests that never end."""

import asyncio
import contextlib
import gc
import logging
import re
import socket
import threading
import time
import weakref
from asyncio import Transport
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatekeeper.server.app import create_app
from gatekeeper.server.connection import CLIENT, MAX_HEAD, BoundedConnection, Client
from gatekeeper.server.requests import while_connected
from gatekeeper.settings import Settings
from tests.fake_upstream import FakeUpstream
from tests.processes import DELIVERED, EVIDENCE, answering, served, wait_for
from tests.server.test_chat import QUESTION, RIGHT, script_of
from tests.server.test_stream import Watched


class Impatient(BoundedConnection):
    """Waits a fifth of a second."""

    arrives_s = 0.2


def asking(*headers: str, stream: bool = False, filler: int = 0) -> bytes:
    """Return a chat request as it is sent."""
    question = DELIVERED + " " * filler
    messages = [{"role": "user", "content": question}]
    body = orjson.dumps({"messages": messages, "evidence": EVIDENCE, "stream": stream})
    lines = ("POST /v1/chat/completions HTTP/1.1", "host: x", f"content-length: {len(body)}", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


def statuses(port: int, *pieces: bytes, pause_s: float = 0.0) -> list[str]:
    """Send pieces, read until the connection is closed, and return the status of each answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for piece in pieces:
            client.sendall(piece)
            time.sleep(pause_s)
        with client.makefile("rb") as answers:
            return re.findall(r"HTTP/1\.1 (\d+) ", answers.read().decode())


GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


class Recorder:
    """A transport that remembers what is written at once."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write one piece."""
        self.written.append(data)
        self._transport.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Write several in one call."""
        self.write(b"".join(pieces))


@contextlib.contextmanager
def connected(http: type[BoundedConnection], app: ASGIApp | None = None, **settings: Any) -> Iterator[int]:
    """Serve on loopback with such connections; yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app or create_app(Settings(**settings)),
        http=http,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=1,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def test_endless_headers_end_the_connection(tmp_path: Path) -> None:
    """A client without a key cannot fill the memory with headers; one with many headers is served."""
    with served(tmp_path) as gate:
        fine = httpx.get(f"{gate.url}/healthz", headers={f"x-{n}": "y" * 400 for n in range(100)})
        assert fine.status_code == 200
        sent = 0
        with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-endless: ")
            with contextlib.suppress(ConnectionError):
                while sent < 400 * MAX_HEAD:
                    client.sendall(b"a" * 65_536)
                    sent += 65_536
            assert sent < 400 * MAX_HEAD
        assert gate.ready()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HTTP/1.1\r\n",
    ],
)
def test_a_request_that_does_not_arrive_ends_the_connection(begun: bytes) -> None:
    """Half a request holds no connection for ever."""
    with connected(Impatient) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(begun)
        with contextlib.suppress(ConnectionError):
            while client.recv(65_536):
                pass


def test_a_slow_answer_is_waited_for() -> None:
    """The bound is on what a client sends, not on how long a model takes."""
    with FakeUpstream() as upstream:
        upstream.play(answering(delay_s=0.6))
        with connected(Impatient, upstream=(upstream.url,)) as port:
            body = {"messages": [{"role": "user", "content": DELIVERED}], "evidence": EVIDENCE}
            assert httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body).status_code == 200


def test_the_rest_of_a_request_may_wait_for_the_answer_before_it() -> None:
    """What the gate itself does not read yet is not late: the answer that is being made still arrives."""
    with FakeUpstream() as upstream:
        upstream.play(answering(delay_s=0.8))
        with (
            connected(Impatient, upstream=(upstream.url,)) as port,
            socket.create_connection(("127.0.0.1", port), timeout=20) as client,
        ):
            client.sendall(asking() + asking(filler=300_000))
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_head_is_counted_without_what_came_before_it() -> None:
    """The end of one request and half the head of the next may come together, however long the first is."""
    with FakeUpstream() as upstream:
        upstream.play(answering(delay_s=0.5))
        with connected(BoundedConnection, upstream=(upstream.url,)) as port:
            long = asking(filler=160_000)
            # Reading pauses in the second body until the first is answered; what waits then comes together.
            found = statuses(port, asking() + long[:80_000], long[80_000:] + GET[:20], GET[20:], pause_s=0.3)
    assert found == ["200", "200", "200"]


_H2C = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAABAAMAAABk")
_WEBSOCKET = (
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize("offer", [_H2C, _WEBSOCKET], ids=["h2c", "websocket"])
@pytest.mark.parametrize("cuts", [(), (20,), (-30,)], ids=["whole", "in the head", "in the body"])
def test_an_offer_of_another_protocol_is_passed_over(offer: tuple[str, ...], cuts: tuple[int, ...]) -> None:
    """Java's own HTTP client offers HTTP/2 with its first request; that is answered, and so is the next."""
    sent = asking(*offer)
    ends = [None, *cuts]
    pieces = [sent[begin:end] for begin, end in zip(ends, [*cuts, None], strict=True)]
    with connected(BoundedConnection) as port:
        assert statuses(port, *pieces[:-1], pieces[-1] + GET, pause_s=0.1) == ["200", "200"]


def test_many_offers_at_once_are_refused() -> None:
    """Each is read twice, so a client that sends thousands in one piece would stop the gate for everybody."""
    offers = b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n" * 1000
    with connected(BoundedConnection) as port:
        assert statuses(port, offers) == ["400"]
        assert statuses(port, GET) == ["200"]


@pytest.mark.parametrize("target", [b"x:1", b"/v1/chat/completions"])
def test_a_tunnel_is_refused(target: bytes) -> None:
    """The gate is nobody's way to another host."""
    with connected(BoundedConnection) as port:
        assert statuses(port, b"CONNECT %s HTTP/1.1\r\nhost: x\r\n\r\n" % target + GET) == ["400"]


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [(GET, b"\r\n", "200"), (asking(filler=5000)[:500], asking(filler=5000)[500:], "413")],
    ids=["an empty line", "the rest of a refused request"],
)
def test_what_comes_after_an_answer_holds_no_connection(first: bytes, second: bytes, status: str) -> None:
    """The wait for another request begins again, and ends."""
    with connected(BoundedConnection, max_body_bytes=1000) as port:
        assert statuses(port, first, second, pause_s=0.3) == [status]


def test_what_was_served_is_freed_at_once() -> None:
    """Connections, requests and their bodies do not wait in the memory for the garbage collector."""
    served: list[weakref.ref[object]] = []

    class Seen(BoundedConnection):
        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            served.extend((weakref.ref(self), weakref.ref(self.cycle)))

    gc.disable()
    try:
        with connected(Seen) as port:
            found = statuses(port, asking(), asking(stream=True), GET, asking("connection: close"))
            wait_for(lambda: not any(one() for one in served), seconds=5)
    finally:
        gc.enable()
    assert found == ["200"] * 4
    assert len(served) == 8


@pytest.mark.parametrize("stream", [False, True])
def test_head_and_body_leave_in_one_call(stream: bool) -> None:
    """Two writes would be two packets and two system calls."""
    recorders: list[Recorder] = []

    class Recorded(BoundedConnection):
        def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's
            recorders.append(Recorder(transport))
            super().connection_made(cast(Transport, recorders[-1]))

    with connected(Recorded) as port:
        body = {"messages": [{"role": "user", "content": DELIVERED}], "evidence": EVIDENCE, "stream": stream}
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body)
    first, *rest = recorders[0].written
    head, _, sent = first.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert sent
    assert bool(rest) == stream
    assert stream or sent == answer.content


def test_a_head_without_a_body_leaves_too() -> None:
    """HEAD gets its answer, and the connection serves on."""
    with connected(Impatient) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for method in ("HEAD", "GET", "HEAD"):
            answer = client.request(method, "/healthz", timeout=5)
            assert (answer.status_code, answer.headers["content-length"]) == (200, "3")


def test_a_client_that_asks_first_may_go_on() -> None:
    """`100 Continue` is sent at once: the client waits for it before it sends its body."""
    body = orjson.dumps({"messages": [{"role": "user", "content": DELIVERED}], "evidence": EVIDENCE})
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
    with (
        connected(BoundedConnection) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body))
        assert client.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        with client.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200")


def test_an_answer_that_breaks_off_ends_its_connection() -> None:
    """A head that nothing follows leaves before the connection closes, as if it had been written at once."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        raise OSError

    with (
        connected(BoundedConnection, app=broken) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        with client.makefile("rb") as answer:
            assert answer.read() == b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"


@pytest.mark.parametrize("filler", [0, 300_000])
def test_a_client_that_goes_ends_the_work_for_it(script: Callable[[str], Path], filler: int) -> None:
    """Whether its request came in one piece, or in so many that reading was paused."""
    backend = Watched(script(script_of({"answer": RIGHT})))
    body = orjson.dumps({"messages": [{"role": "user", "content": f"{QUESTION}{' ' * filler}"}]})
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    with connected(BoundedConnection, app=create_app(Settings(), backend)) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(head + body)
            wait_for(lambda: backend.asked)
            assert not backend.cancelled
        wait_for(lambda: backend.cancelled, seconds=5)


def test_a_client_that_leaves_several_requests_ends_the_work_for_the_first(
    script: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """It is noticed when no more can be sent to it, and nothing is logged as if the gate had failed."""
    backend = Watched(script(script_of({"answer": RIGHT}, match=DELIVERED)))
    with connected(BoundedConnection, app=create_app(Settings(keep_alive_s=0.05), backend)) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(asking(stream=True) + GET)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        wait_for(lambda: backend.cancelled, seconds=5)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_a_client_that_leaves_the_queue_gives_its_place_to_another(script: Callable[[str], Path]) -> None:
    """Whatever it waited for: a place in the queue is not held for nobody."""
    backend = Watched(script(script_of({"answer": RIGHT}, match=DELIVERED)))
    app = create_app(Settings(max_concurrency=1, max_queue=1), backend)
    admission = app.state.runtime.admission
    body = b'{"model":"any","input":"text"}'
    embed = b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    with (
        connected(BoundedConnection, app=app) as port,
        socket.create_connection(("127.0.0.1", port)) as first,
    ):
        first.sendall(asking())
        wait_for(lambda: backend.asked)
        for request in (embed, asking(), asking(stream=True)):
            with socket.create_connection(("127.0.0.1", port)) as second:
                second.sendall(request)
                wait_for(lambda: admission.waiting == 1, seconds=5)
            wait_for(lambda: admission.waiting == 0, seconds=5)


async def test_a_client_that_went_before_the_work_is_not_worked_for() -> None:
    """Who has gone already is noticed when the work begins."""
    client = Client()
    client.goes()
    scope = {"extensions": {CLIENT: client}}
    with pytest.raises(ClientDisconnect):
        await while_connected(scope, _never, asyncio.sleep(30))


async def _never() -> Message:
    raise AssertionError
