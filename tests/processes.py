"""Real `gatekeeper serve` processes, and clients that load them until told to stop."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import orjson
from aiohttp import web

from tests.fake_upstream import Act

EVIDENCE = [
    "For a single solid nodule of 6 to 8 mm in a low-risk adult, follow-up CT is due at 6 to 12 months."
]
DELIVERED = "When is follow-up CT due?"
HELD = "When is follow-up CT due, said wrongly?"
DROPPED = {"ConnectError", "ReadError", "RemoteProtocolError", "WriteError"}
"""What a client sees of a connection that ends before an answer; it may ask again."""
_ADDRESS = re.compile(rb"base URL for applications http://[^/]+:(\d+)/v1")
_ANSWERS = {
    DELIVERED: "Follow-up CT is due at 6 to 12 months.",
    HELD: "Follow-up CT is due at 24 to 36 months.",
}


def answering(delay_s: float = 0.0) -> Act:
    """Answer `DELIVERED` by the evidence, `HELD` against it, and anything else with yes, after a while."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(delay_s)
        message = {"role": "assistant", "content": _ANSWERS.get(body["messages"][-1]["content"], "Yes.")}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return web.json_response({"id": "chatcmpl-P1", "model": "fake-model", "choices": choices})

    return act


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Served:
    """A `gatekeeper serve` that runs, or ran."""

    process: "subprocess.Popen[bytes]"
    output: Path

    @property
    def port(self) -> int:
        """The port that it says it has."""
        said = _ADDRESS.search(self.output.read_bytes())
        assert said, self.output.read_text()
        return int(said[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of one name in its process log, the oldest first."""
        lines = [line for line in self.output.read_bytes().splitlines() if line.startswith(b"{")]
        return [event for line in lines if (event := orjson.loads(line))["event"] == name]

    def pid_of(self, worker: int) -> int:
        """Return the process id that a worker was last started with."""
        started = [event["pid"] for event in self.events("worker started") if event["worker"] == worker]
        pid: int = started[-1]
        return pid

    def ready(self) -> bool:
        """Whether a request sent now would be judged."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz").status_code == 200
        return False

    def metrics(self) -> str:
        """Return /metrics, from whoever takes this one connection."""
        return httpx.get(f"{self.url}/metrics").text

    def stop(self) -> int:
        """Send SIGTERM, wait for the end and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def served(folder: Path, *options: object, workers: int = 1, **settings: object) -> Iterator[Served]:
    """Run `gatekeeper serve` with options and settings; wait until every worker serves."""
    with started(folder, *options, workers=workers, **settings) as running:
        wait_for(lambda: running.process.poll() is not None or len(running.events("ready")) == workers)
        assert running.process.poll() is None, running.output.read_text()
        wait_for(running.ready)
        yield running


@contextlib.contextmanager
def started(folder: Path, *options: object, workers: int = 1, **settings: object) -> Iterator[Served]:
    """Run `gatekeeper serve`, which may refuse to."""
    command = [sys.executable, "-m", "gatekeeper", "serve", "--port", 0, "--workers", workers, *options]
    environment = {f"GATEKEEPER_{name.upper()}": str(value) for name, value in settings.items()}
    output = folder / f"{uuid4()}.log"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            list(map(str, command)), stdout=sink, stderr=sink, env={**os.environ, **environment}
        )
    try:
        yield Served(process, output)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass(slots=True)
class Clients:
    """Clients that each ask, over connections of their own, one question after the other.

    `answers` has what came back by decision id, `refusals` the status of every other answer, `broken` the
    names of failures to get one.
    """

    url: str
    count: int = 8
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask_on, args=(n,)) for n in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def ask(self, client: httpx.Client, question: str) -> None:
        """Ask once and keep what came of it."""
        body = {"messages": [{"role": "user", "content": question}], "evidence": EVIDENCE}
        try:
            response = client.post(f"{self.url}/v1/chat/completions", json=body)
        except httpx.TransportError as error:
            self.broken.append(type(error).__name__)
            return
        if response.status_code == 200:
            self.answers[response.headers["x-gatekeeper-decision-id"]] = response.json()
        else:
            self.refusals.append(response.status_code)

    def held(self) -> set[str]:
        """Return the ids of the decisions that held an answer."""
        return {name for name, body in self.answers.items() if body["gatekeeper"]["action"] == "escalate"}

    def _ask_on(self, number: int) -> None:
        while not self._enough.is_set():
            # Some questions over one connection, then a new one: both are what applications do.
            with httpx.Client(timeout=20) as client:
                for turn in range(5):
                    self.ask(client, HELD if (number + turn) % 4 == 0 else DELIVERED)
