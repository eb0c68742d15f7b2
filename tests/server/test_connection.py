"""Connections as a hostile client holds them: endless headers, and requests that never end."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from gatekeeper.server.app import create_app
from gatekeeper.server.connection import MAX_HEAD, BoundedConnection
from gatekeeper.settings import Settings
from tests.fake_upstream import FakeUpstream
from tests.processes import DELIVERED, EVIDENCE, answering, served, wait_for


@contextlib.contextmanager
def impatient(**settings: Any) -> Iterator[int]:
    """Serve on loopback with connections that wait a fifth of a second; yield the port."""

    class Impatient(BoundedConnection):
        arrives_s = 0.2

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(Settings(**settings)), http=Impatient, log_config=None, timeout_graceful_shutdown=1
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
    with impatient() as port, socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(begun)
        with contextlib.suppress(ConnectionError):
            while client.recv(65_536):
                pass


def test_a_slow_answer_is_waited_for() -> None:
    """The bound is on what a client sends, not on how long a model takes."""
    with FakeUpstream() as upstream:
        upstream.play(answering(delay_s=0.6))
        with impatient(upstream=(upstream.url,)) as port:
            body = {"messages": [{"role": "user", "content": DELIVERED}], "evidence": EVIDENCE}
            assert httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body).status_code == 200
