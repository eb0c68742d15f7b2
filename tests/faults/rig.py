"""A real `gatekeeper serve` process before a faulty model server, and clients that ask it side by side."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fake_upstream import FakeUpstream
from tests.faults.exchange import Form, Received, path_of, request_of
from tests.faults.upstream import faulty

PLACES = 8
DEADLINE_S = 1.5


@dataclass(slots=True)
class Gate:
    """One serving process."""

    process: subprocess.Popen[bytes]
    url: str
    log: bytearray = field(default_factory=bytearray)

    def limit_files(self, size: int | None) -> None:
        """Let no file of the process grow beyond `size` bytes: to it, the disk is full; None ends that."""
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def reload(self) -> None:
        """Have the policy read again."""
        self.process.send_signal(signal.SIGHUP)

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples whose name and labels begin with `name`."""
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def held(self) -> dict[str, int]:
        """Return what the process holds of the system: open files, threads, resident bytes."""
        proc = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        return {
            "files": len(list((proc / "fd").iterdir())),
            "threads": int(status["Threads"]),
            "bytes": int(status["VmRSS"].split()[0]) * 1024,
        }

    def idle(self) -> bool:
        """Whether no request is being served or waits, and one that came now would be judged."""
        busy = self.metric("gatekeeper_requests_in_flight") + self.metric("gatekeeper_requests_queued")
        return busy == 0 and httpx.get(f"{self.url}/readyz").status_code == 200


@contextlib.contextmanager
def gate(folder: Path, policy: Path, *, dev: bool = True, **settings: Any) -> Iterator[Gate]:
    """Serve a policy in front of the faulty model server; logs and database lie in `folder`."""
    with FakeUpstream() as upstream:
        upstream.play(faulty)
        given = {
            "upstream": upstream.url,
            "policy": policy,
            "audit_log": folder / "decisions.jsonl",
            "review_db": f"sqlite:///{folder / 'review.db'}",
            "review_refresh_s": 0.2,
            "deadline_s": DEADLINE_S,
            "keep_alive_s": 0.1,
            "max_concurrency": PLACES,
            "upstream_retries": 1,
            "log_level": "debug",
            **settings,
        }
        with process(given, dev=dev) as serving:
            yield serving


@contextlib.contextmanager
def process(
    settings: dict[str, Any], *, module: str = "gatekeeper", warnings: str = "error", dev: bool = True
) -> Iterator[Gate]:
    """Run `gatekeeper serve` with settings until the block ends; all that it prints is kept.

    `dev` is Python's development mode, which tells of every task and coroutine that was lost.
    """
    port = _free_port()
    environment = {
        f"GATEKEEPER_{name.upper()}": str(value) for name, value in settings.items() if value is not None
    }
    python = [sys.executable, *(("-X", "dev") if dev else ()), "-W", warnings]
    command = [*python, "-m", module, "serve", "--port", str(port)]
    running = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    serving = Gate(running, f"http://127.0.0.1:{port}")
    reader = threading.Thread(target=_keep, args=(serving,), daemon=True)
    reader.start()
    try:
        wait_for(lambda: _answers(serving), seconds=60)
        yield serving
    finally:
        running.terminate()
        running.wait(timeout=20)
        reader.join(timeout=10)


def _keep(serving: Gate) -> None:
    assert serving.process.stdout is not None
    with serving.process.stdout as output:
        for line in output:
            serving.log.extend(line)


def _answers(serving: Gate) -> bool:
    assert serving.process.poll() is None, serving.log.decode()
    try:
        return httpx.get(f"{serving.url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Any, seconds: float = 20) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


Asked = tuple[Form, str]


def ask_all(url: str, asked: Sequence[Asked], first: int = 0, at_once: int = 2 * PLACES) -> list[Received]:
    """Ask everything over a bounded number of connections; return what came back, in order."""

    async def together() -> list[Received]:
        free = asyncio.Semaphore(at_once)
        # Connections are let go before the server ends idle ones, which it does after five seconds.
        limits = httpx.Limits(keepalive_expiry=1)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:

            async def one(number: int, form: Form, fault: str) -> Received:
                async with free:
                    return await ask(client, number, form, fault)

            return await asyncio.gather(*(one(first + at, *what) for at, what in enumerate(asked)))

    return asyncio.run(together())


async def ask(client: httpx.AsyncClient, number: int, form: Form, fault: str, **rest: Any) -> Received:
    """Ask once."""
    surface, stream = form
    body = {**request_of(surface, number, fault, stream=stream), **rest}
    response = await client.post(path_of(surface), json=body)
    head = b"\r\n".join(b": ".join(pair) for pair in response.headers.raw)
    kind = response.headers.get("content-type", "")
    return Received(number, form, response.status_code, kind, head, response.content)
