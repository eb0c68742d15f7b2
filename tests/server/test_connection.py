"""Connections as a hostile client holds them: endless headers, and requests that never end."""

import asyncio
import contextlib
import socket
import threading
from asyncio import Transport
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from gatekeeper.exchange import JsonObject
from gatekeeper.server.app import create_app
from gatekeeper.server.connection import MAX_HEAD, BoundedConnection
from gatekeeper.settings import Settings
from tests.fake_upstream import FakeUpstream
from tests.processes import DELIVERED, EVIDENCE, answering, served, wait_for
from tests.server.test_chat import QUESTION, RIGHT, script_of
from tests.server.test_stream import Watched


class Impatient(BoundedConnection):
    """Waits a fifth of a second."""

    arrives_s = 0.2


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


class Embedding(Watched):
    """Embeds for far too long, unless cancelled."""

    embedded = stopped = False

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Embed."""
        self.embedded = True
        try:
            await asyncio.sleep(30)
        finally:
            self.stopped = True
        return {}


def test_a_client_that_went_while_it_waited_is_not_worked_for(script: Callable[[str], Path]) -> None:
    """Who has gone before the work begins is noticed when it does."""
    backend = Embedding(script(script_of({"answer": RIGHT})))
    app = create_app(Settings(max_concurrency=1), backend)
    chat = {"messages": [{"role": "user", "content": QUESTION}]}
    with connected(BoundedConnection, app=app) as port:
        url = f"http://127.0.0.1:{port}/v1"
        with ThreadPoolExecutor() as threads:
            first = threads.submit(
                pytest.raises, httpx.ReadTimeout, httpx.post, f"{url}/chat/completions", json=chat, timeout=2
            )
            wait_for(lambda: backend.asked)
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{url}/embeddings", json={"model": "any", "input": "text"}, timeout=0.2)
            assert not backend.embedded
            first.result()
        wait_for(lambda: backend.stopped, seconds=5)
