"""`gatekeeper serve` as a process: what it says when it starts, and when it cannot."""

import contextlib
import socket
from pathlib import Path

import orjson
import pytest

from gatekeeper.calibration import Calibration
from gatekeeper.server import process
from gatekeeper.settings import Settings
from tests.processes import free_port, served, started, wait_for


@pytest.mark.parametrize("workers", [1, 2])
def test_a_taken_port_is_one_line(tmp_path: Path, workers: int) -> None:
    """A port that something else holds is refused before anything claims to be ready."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(tmp_path, "--port", port, workers=workers) as gate:
            assert gate.process.wait(timeout=60) == 2
            assert gate.output.read_text().splitlines()[-1] == (
                f"gatekeeper: cannot listen on 127.0.0.1:{port} (Address already in use)"
            )
            assert gate.events("ready") == []


@pytest.mark.parametrize("workers", [1, 2])
def test_any_free_port_is_the_same_everywhere(tmp_path: Path, workers: int) -> None:
    """Port 0 is one free port for every address of the host and every worker, and the base URL names it."""
    with served(tmp_path, "--host", "localhost", workers=workers) as gate:
        found = socket.getaddrinfo("localhost", gate.port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as client:
                client.connect(address)


def test_a_model_server_that_is_away_is_told(tmp_path: Path) -> None:
    """A gate before a mistyped address starts, as its server may still come, but says that nobody answers."""
    with started(tmp_path, "--upstream", f"http://127.0.0.1:{free_port()}/v1") as gate:
        wait_for(lambda: bool(gate.events("ready")))
        told = gate.events("model server does not answer")
    assert [(event["level"], event["servers"]) for event in told] == [("warning", [0])]


def test_a_calibration_waits_for_the_model_server(tmp_path: Path) -> None:
    """Where the model server is away, the refusal says to start it, not to declare what was declared."""
    address = f"http://127.0.0.1:{free_port()}/v1"
    artefact = tmp_path / "calibration.json"
    confidence = {"intercepts": {"supplied": 0.0}, "terms": []}
    calibration = Calibration.model_validate({"fingerprint": "openai:m#Q8", "confidence": confidence})
    artefact.write_bytes(orjson.dumps(calibration.model_dump(mode="json")))
    with started(tmp_path, "--upstream", address, "--fingerprint", "Q8", "--calibration", artefact) as gate:
        assert gate.process.wait(timeout=60) == 3
        assert "start the model server first" in gate.events("refused to start")[0]["why"]


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_an_open_door_is_told(tmp_path: Path, host: str, told: bool) -> None:
    """A gate that others can reach, and that asks nobody for a key, says so at the start."""
    with started(tmp_path, "--host", host) as gate:
        wait_for(lambda: bool(gate.events("ready")))
        assert ("whoever can connect is served" in gate.output.read_text()) is told


def test_a_misspelt_variable_is_told_at_the_start(tmp_path: Path) -> None:
    """Whoever misspells the variable that asks for keys reads that nothing asks for them."""
    with started(tmp_path, apikeys=tmp_path / "keys") as gate:
        wait_for(lambda: bool(gate.events("ready")))
        assert "GATEKEEPER_APIKEYS is ignored" in gate.output.read_text()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel has no such bound")
def test_a_client_that_reads_nothing_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client asks for and never takes does not stay in the gate's memory."""
    monkeypatch.setattr(process, "_UNREAD_S", 0.5)
    settings, held = process.reserve(Settings(host="127.0.0.1", port=0))
    with contextlib.ExitStack() as stack:
        for listener in held:
            stack.enter_context(listener).listen()
        stack.enter_context(socket.create_connection(("127.0.0.1", settings.port)))
        taken = stack.enter_context(held[0].accept()[0])
        taken.settimeout(20)
        with pytest.raises(OSError, match="Connection timed out"):
            while True:
                taken.sendall(bytes(1_000_000))
