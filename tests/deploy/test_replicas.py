"""Two replicas behind the shipped HAProxy configuration, sharing one review database; one is killed."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from gatekeeper.audit.export import export
from tests.deploy.places import DEPLOY
from tests.fake_upstream import FakeUpstream
from tests.postgres import BINARIES, postgres
from tests.processes import DELIVERED, DROPPED, Clients, answering, free_port, served, wait_for

CONFIG = DEPLOY / "haproxy" / "haproxy.cfg"
needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None, reason="haproxy is not installed; apt-get install haproxy"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty review database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'review.db'}"
        return
    if not all(BINARIES):
        pytest.skip("PostgreSQL (postgres, initdb) is not installed here; its half was not run")
    with postgres() as url:
        yield url


@contextlib.contextmanager
def haproxy(folder: Path, *replicas: int) -> Iterator[str]:
    """Run HAProxy as shipped in front of two replicas, and yield its address once both are up."""
    port = free_port()
    names = ("GATEKEEPER_ADDRESS", "GATEKEEPER_REPLICA_A", "GATEKEEPER_REPLICA_B")
    addresses = {name: f"127.0.0.1:{number}" for name, number in zip(names, (port, *replicas), strict=True)}
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(CONFIG)], stdout=log, stderr=log, env={**os.environ, **addresses}
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _is_up(url))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _is_up(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz").status_code == 200
    return False


@needs_haproxy
def test_the_configuration_is_valid() -> None:
    """HAProxy takes every line of the shipped file, without a warning."""
    checked = subprocess.run(
        ["haproxy", "-c", "-f", str(CONFIG)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@needs_haproxy
def test_a_killed_replica_loses_nothing_that_was_answered(tmp_path: Path, database: str) -> None:
    """Clients saw answers or errors to try again on; answers are in a log, held ones in the shared queue."""
    logs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    with FakeUpstream() as upstream, contextlib.ExitStack() as stack:
        upstream.play(answering(0.1))
        first, second = (
            stack.enter_context(
                served(tmp_path, "--upstream", upstream.url, audit_log=log, review_db=database)
            )
            for log in logs
        )
        url = stack.enter_context(haproxy(tmp_path, first.port, second.port))
        with Clients(url) as clients:
            wait_for(lambda: all(_lines(log) >= 15 for log in logs))
            first.process.kill()
            first.process.wait()
            left = _lines(logs[1])
            wait_for(lambda: _lines(logs[1]) >= left + 40)
        assert clients.refusals or clients.broken  # it died in mid-request
        assert set(clients.refusals) <= {502, 503}
        assert set(clients.broken) <= DROPPED
        assert set(clients.answers) <= _logged(logs)
        assert clients.held()
        for decision in clients.held():
            assert httpx.get(f"{url}/v1/gatekeeper/decisions/{decision}").json()["status"] == "held"
        _goes_on(url)


def _goes_on(url: str) -> None:
    """Ask some more: with one replica known to be gone every request is answered."""
    later = Clients(url)
    with httpx.Client(timeout=20) as client:
        for _ in range(10):
            later.ask(client, DELIVERED)
    assert (len(later.answers), later.refusals, later.broken) == (10, [], [])


@needs_haproxy
def test_without_a_replica_clients_are_told_to_come_again(tmp_path: Path) -> None:
    """The proxy's own errors are in OpenAI's shape with Retry-After, and metrics are not read through it."""
    with served(tmp_path) as replica, haproxy(tmp_path, replica.port, free_port()) as url:
        assert httpx.get(f"{url}/metrics").status_code == 404
        assert replica.stop() in {0, -15}
        response = httpx.post(f"{url}/v1/chat/completions", json={})
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def _logged(logs: list[Path]) -> set[str]:
    records = (orjson.loads(line) for log in logs for line in export(log, "jsonl"))
    return {record["id"] for record in records if record["event"] == "decision"}
