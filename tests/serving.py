"""Real proxies on loopback."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import uvicorn
from starlette.applications import Starlette

from gatekeeper.server.runtime import Runtime

Serve = Callable[..., "Proxy"]


class Proxy:
    """A proxy that serves in a thread of this process."""

    def __init__(self, app: Starlette, port: int) -> None:
        self.app = app
        self.url = f"http://127.0.0.1:{port}"
        self._clients: list[openai.OpenAI] = []

    def client(self, **options: Any) -> openai.OpenAI:
        """Return the official client, pointed here; it is closed with the proxy."""
        given = {"api_key": "unused", "max_retries": 0, **options}
        self._clients.append(openai.OpenAI(base_url=f"{self.url}/v1", **given))
        return self._clients[-1]

    def close(self) -> None:
        """Close every client."""
        for client in self._clients:
            client.close()

    @property
    def runtime(self) -> Runtime:
        """The process's inside, for what cannot be seen over HTTP."""
        runtime: Runtime = self.app.state.runtime
        return runtime


@contextlib.contextmanager
def serving(app: Starlette) -> Iterator[int]:
    """Serve an app on a free loopback port for the length of the block, and yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
