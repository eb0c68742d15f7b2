"""Several workers on one port, as real processes: counted as one, brought back, drained, reloaded."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import nan
from pathlib import Path

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gatekeeper.audit.export import export
from gatekeeper.audit.trails import verify_all
from gatekeeper.settings import POLICIES
from tests.fake_upstream import FakeUpstream
from tests.processes import DELIVERED, DROPPED, Clients, Served, answering, served, started, wait_for


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """Serve a model that takes a moment."""
    with FakeUpstream() as upstream:
        upstream.play(answering(0.02))
        yield upstream


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Return a policy file, written to which nobody is told of: its directory is not the one watched."""
    real, named = tmp_path / "real" / "policy.yaml", tmp_path / "named" / "policy.yaml"
    for path in (real, named):
        path.parent.mkdir()
    real.write_bytes((POLICIES / "default.yaml").read_bytes())
    named.symlink_to(real)
    return named


def value(metrics: str, metric: str, /, **labels: str) -> float:
    """Return the sum of a metric's samples that carry some labels, NaN, which equals nothing, without any."""
    found = [
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    ]
    return sum(found) if found else nan


def logged(log: Path) -> set[str]:
    """Return the ids of all decisions in a decision log and its workers', which must verify."""
    records = (orjson.loads(line) for line in export(log, "jsonl"))
    return {record["id"] for record in records if record["event"] == "decision"}


def test_workers_count_as_one(tmp_path: Path, upstream: FakeUpstream) -> None:
    """Whichever worker is asked, metrics tell of all; their logs verify together; the queue is shared."""
    log, head = tmp_path / "log.jsonl", tmp_path / "head"
    settings = {
        "review_db": f"sqlite:///{tmp_path / 'review.db'}",
        "review_refresh_s": 0.2,
        "audit_log": log,
        "audit_head": head,
    }
    with served(tmp_path, "--upstream", upstream.url, workers=2, **settings) as gate:
        with Clients(gate.url) as clients:
            wait_for(lambda: len(clients.answers) >= 120)
        asked, held = len(clients.answers), len(clients.held())
        assert (clients.refusals, clients.broken) == ([], [])
        assert 0 < held < asked
        wait_for(lambda: value(gate.metrics(), "gatekeeper_review_items", status="open") == held)
        wait_for(partial(_is_idle, gate))
        for _ in range(8):
            metrics = gate.metrics()
            assert value(metrics, "gatekeeper_decisions_total") == asked
            assert value(metrics, "gatekeeper_decisions_total", action="escalate") == held
            assert value(metrics, "gatekeeper_request_duration_seconds_count") == asked
            assert value(metrics, "gatekeeper_audit_lines_total") == asked
            assert value(metrics, "gatekeeper_requests_in_flight") == 0
            assert value(metrics, "gatekeeper_review_items", purpose="held", status="open") == held
            assert value(metrics, "gatekeeper_policy_info", name="default") == 2
            assert value(metrics, "gatekeeper_backend_up", upstream="0") == 1
            assert value(metrics, "gatekeeper_workers") == 2
        assert gate.stop() == 0
    ends = verify_all(log, head)
    assert [path.name for path in ends] == ["log.w1.jsonl", "log.w2.jsonl"]
    assert all(end.head.lines > 0 for end in ends.values())
    assert logged(log) == set(clients.answers)


def test_workers_show_every_metric_that_one_process_shows(tmp_path: Path) -> None:
    """Dashboards and alerts find the same metrics whether one process serves or two."""
    shown: list[set[str]] = []
    for workers in (1, 2):
        settings = {
            "review_db": f"sqlite:///{tmp_path / str(workers)}.db",
            "audit_log": tmp_path / "log.jsonl",
        }
        with served(tmp_path, workers=workers, **settings) as gate:
            wait_for(partial(_has_read_the_database, gate))
            shown.append({family.name for family in text_string_to_metric_families(gate.metrics())})
    one, two = shown
    assert {name for name in one ^ two if not name.endswith("_created")} == set()


def test_killed_workers_come_back_and_no_answer_is_unrecorded(tmp_path: Path, upstream: FakeUpstream) -> None:
    """After SIGKILL in mid-load clients saw answers or broken connections; every answer is in the log."""
    log = tmp_path / "log.jsonl"
    with served(tmp_path, "--upstream", upstream.url, "--audit-log", log, workers=2) as gate:
        killed = {worker: gate.pid_of(worker) for worker in (1, 2)}
        upstream.play(answering(0.1))
        with Clients(gate.url) as clients:
            for worker, pid in killed.items():  # one after the other, so that one of them is busy for sure
                wait_for(partial(_answered, clients, len(clients.answers) + 20))
                os.kill(pid, signal.SIGKILL)
                wait_for(partial(_ready_again, gate, 2 + worker))
        assert clients.refusals == []
        assert clients.broken  # they died in mid-request
        assert set(clients.broken) <= DROPPED
        wait_for(partial(_is_idle, gate))
        metrics = gate.metrics()
        assert value(metrics, "gatekeeper_worker_restarts_total") == 2
        assert value(metrics, "gatekeeper_workers") == 2
        # A killed worker's last turn of its event loop, no more than one request a client, goes uncounted.
        uncounted = len(killed) * clients.count
        assert value(metrics, "gatekeeper_decisions_total") >= len(clients.answers) - uncounted
        assert gate.stop() == 0
    assert not set(killed.values()) & {gate.pid_of(worker) for worker in killed}
    assert set(clients.answers) <= logged(log)


def test_sigterm_lets_every_worker_finish(tmp_path: Path, upstream: FakeUpstream) -> None:
    """What was asked before SIGTERM is answered, what comes after is refused, and nothing stays behind."""
    before = set(Path(tempfile.gettempdir()).glob("gatekeeper-*"))
    with served(tmp_path, "--upstream", upstream.url, workers=2) as gate:
        upstream.play(answering(2.0))
        clients, so_far = Clients(gate.url), len(upstream.chats)
        with ThreadPoolExecutor(16) as threads, contextlib.ExitStack() as connections:
            for _ in range(16):
                client = connections.enter_context(httpx.Client(timeout=20))
                threads.submit(clients.ask, client, DELIVERED)
            wait_for(lambda: len(upstream.chats) == so_far + 16)
            assert gate.stop() == 0
            threads.shutdown()
        assert (len(clients.answers), clients.refusals, clients.broken) == (16, [], [])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", gate.port))
    assert set(Path(tempfile.gettempdir()).glob("gatekeeper-*")) == before


def test_sighup_reloads_in_every_worker(tmp_path: Path, policy: Path) -> None:
    """The supervisor passes SIGHUP on: both workers serve the new policy, and none tells of the old one."""
    with served(tmp_path, "--policy", policy, workers=2) as gate:
        assert value(gate.metrics(), "gatekeeper_policy_info", name="default") == 2
        _rename(policy, "changed")
        gate.process.send_signal(signal.SIGHUP)
        wait_for(lambda: value(gate.metrics(), "gatekeeper_policy_reloads_total", result="ok") == 2)
        metrics = gate.metrics()
        assert value(metrics, "gatekeeper_policy_info", name="changed") == 2
        assert 'name="default"' not in metrics


def test_a_worker_that_cannot_come_back_leaves_the_others_serving(tmp_path: Path, policy: Path) -> None:
    """With a policy that broke since, one worker serves on; the other comes back once it is repaired."""
    good = policy.read_bytes()
    with served(tmp_path, "--policy", policy, workers=2) as gate:
        policy.write_bytes(b"name: broken\n")
        os.kill(gate.pid_of(1), signal.SIGKILL)
        wait_for(lambda: len(gate.events("worker died")) >= 3)
        assert gate.ready()
        policy.write_bytes(good)
        wait_for(lambda: len(gate.events("ready")) == 3)


def test_the_supervisor_gives_up_when_no_worker_can_start(tmp_path: Path, policy: Path) -> None:
    """With nobody left who serves and a policy that broke, it ends with the code of a refused start."""
    with served(tmp_path, "--policy", policy, workers=2) as gate:
        policy.write_bytes(b"name: broken\n")
        for worker in (1, 2):
            os.kill(gate.pid_of(worker), signal.SIGKILL)
        assert gate.process.wait(timeout=30) == 2
        assert gate.events("giving up: a worker cannot start")


def test_a_timer_that_goes_off_last_does_not_change_the_exit_code() -> None:
    """A supervisor that ends while its timer goes off dies of its own code, not of the signal."""
    script = """
import sys, time
from gatekeeper.server.workers import Supervisor

def work(place):
    time.sleep(0.02)
    sys.exit(2)

sys.exit(Supervisor(1, work, lambda number: None, drain_s=1.0, hang_s=0.0005).run())
"""
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--policy", "/nowhere/policy.yaml"), 2),
        (("--require-certificate", "--trusted-keys", "/dev/null", "--fingerprint", "x"), 3),
    ],
)
def test_a_start_that_is_refused_ends_with_its_code(
    tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    """Settings that cannot be served end at once, with the same exit code as in one process."""
    codes = []
    for workers in (1, 2):
        with started(tmp_path, *options, workers=workers) as gate:
            codes.append(gate.process.wait(timeout=30))
    assert codes == [code, code]


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    """Two gates cannot share a port by accident: the second one says so and ends."""
    with served(tmp_path, workers=2) as first, started(tmp_path, "--port", first.port, workers=2) as second:
        assert second.process.wait(timeout=30) == 2
        assert b"cannot listen on" in second.output.read_bytes()


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    """When the supervisor is killed its workers drain and end, so that a restart finds the port free."""
    with served(tmp_path, workers=2) as gate:
        gate.process.kill()
        gate.process.wait()
        wait_for(lambda: not _listens(gate))


def test_a_worker_that_is_told_to_end_is_replaced(tmp_path: Path) -> None:
    """SIGTERM to one worker lets it finish, and another takes its place; so they can be renewed in turn."""
    with served(tmp_path, workers=2) as gate:
        os.kill(gate.pid_of(2), signal.SIGTERM)
        wait_for(lambda: len(gate.events("ready")) == 3)
        assert gate.ready()
        assert gate.stop() == 0


def _answered(clients: Clients, count: int) -> bool:
    return len(clients.answers) >= count


def _is_idle(gate: Served) -> bool:
    return value(gate.metrics(), "gatekeeper_requests_in_flight") == 0  # told about every second


def _ready_again(gate: Served, times: int) -> bool:
    return len(gate.events("ready")) == times


def _has_read_the_database(gate: Served) -> bool:
    return value(gate.metrics(), "gatekeeper_risk_refreshed_seconds") > 0


def _listens(gate: Served) -> bool:
    try:
        socket.create_connection(("127.0.0.1", gate.port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _rename(policy: Path, name: str) -> None:
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("name: default", f"name: {name}"), encoding="utf-8")


def test_a_worker_that_hangs_is_replaced(tmp_path: Path, upstream: FakeUpstream) -> None:
    """A worker that has stopped, as in an endless loop, is killed and comes back; the other serves on."""
    with served(tmp_path, "--upstream", upstream.url, workers=2, worker_hang_s=4.0) as gate:
        stuck, other = gate.pid_of(1), gate.pid_of(2)
        os.kill(stuck, signal.SIGSTOP)
        wait_for(lambda: gate.pid_of(1) != stuck)
        wait_for(partial(_ready_again, gate, 3))
        assert gate.pid_of(2) == other
        assert gate.events("worker hangs, and is killed")
        assert gate.stop() == 0


_SHORT_OF_PROCESSES = """
import errno, os
from gatekeeper.server.workers import Supervisor

fork, refusals = os.fork, [BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))]

def scarce():
    if refusals:
        raise refusals.pop()
    return fork()

def work(place):
    assert not place.restarted
    raise SystemExit(3)

os.fork = scarce
raise SystemExit(Supervisor(1, work, lambda number: None, drain_s=1).run())
"""


def test_a_worker_is_started_when_memory_allows_it_again() -> None:
    """Where no process can be made for a while, the gate waits for it instead of ending."""
    ended = subprocess.run([sys.executable, "-c", _SHORT_OF_PROCESSES], timeout=60, check=False)
    assert ended.returncode == 3
