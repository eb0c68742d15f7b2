"""The processes that the rig measures: upstreams, pass-through, gates, and LiteLLM's proxy if it is there."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

from gatekeeper.policy import load_policy
from gatekeeper.policy.streaming import needs_whole
from gatekeeper.settings import POLICIES
from tests.load.builds import environment

_PYTHON = (sys.executable, "-m")
_ELSEWHERE = (sys.executable, "-P", "-m")
"""The same for a package that does not lie in this folder."""
_LITELLM = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}
"""LiteLLM's proxy as the rig runs it: no download at its start, no key, no check."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Ports by name: of those that answer at once, and of those that stream; and seconds to readiness.

    `processes` are those of the servers that run in one process, so that their processor time can be read.
    """

    whole: dict[str, int]
    streaming: dict[str, int]
    start_to_ready_s: dict[str, float]
    processes: dict[str, int]

    def processor_s(self, name: str) -> float | None:
        """Return the processor time that a server has taken so far, None where Linux does not tell it."""
        stat = Path(f"/proc/{self.processes.get(name)}/stat")
        if not stat.exists():
            return None
        user, system = stat.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def servers(litellm: str | None, package: Path | None = None) -> Iterator[Servers]:
    """Run everything for the length of the block, the gates from a `package` if one is given."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        direct, speaker = (
            stack.enter_context(upstream(f"tests.load.{name}")) for name in ("upstream", "speaking")
        )
        bare = _free_port()
        forwarding = stack.enter_context(
            _process(*_PYTHON, "tests.load.passthrough", str(bare), _address(direct))
        )
        one, one_s, judging = stack.enter_context(gate(direct, package=package))
        two, two_s, _ = stack.enter_context(gate(direct, "--workers", "2", package=package))
        hold, *_ = stack.enter_context(gate(speaker, package=package))
        policy = ("--policy", str(_window_policy(folder)))
        window, *_ = stack.enter_context(gate(speaker, *policy, package=package))
        whole = {"direct": direct, "pass-through": bare, "gatekeeper": one, "gatekeeper, 2 workers": two}
        if litellm:
            whole["litellm proxy"] = stack.enter_context(_litellm(litellm, _address(direct)))
        yield Servers(
            whole,
            {"direct": speaker, "hold": hold, "window": window},
            {"gatekeeper": one_s, "gatekeeper, 2 workers": two_s},
            {"pass-through": forwarding, "gatekeeper": judging},
        )


def _window_policy(folder: Path) -> Path:
    """Write the default policy without the rules that must see the whole answer, so that sentences leave."""
    default = POLICIES / "default.yaml"
    policy = yaml.safe_load(default.read_text(encoding="utf-8"))
    waiting = " ".join(needs_whole(load_policy(default).policy))
    policy["rules"] = [rule for rule in policy["rules"] if f"'{rule['id']}'" not in waiting]
    path = folder / "window.yaml"
    path.write_text(yaml.safe_dump({**policy, "name": "window", "streaming": "window"}), encoding="utf-8")
    return path


@contextlib.contextmanager
def upstream(module: str) -> Iterator[int]:
    """Run a fake model server; yield its port."""
    port = _free_port()
    with _process(*_PYTHON, module, str(port)):
        _wait(f"{_address(port)}/models")
        yield port


@contextlib.contextmanager
def gate(behind: int, *options: str, package: Path | None = None) -> Iterator[tuple[int, float, int]]:
    """Serve a gate in front of an upstream; yield its port, the seconds until it was ready, its process."""
    port, began = _free_port(), time.perf_counter()
    python, variables = (_PYTHON, None) if package is None else (_ELSEWHERE, environment(package))
    command = (*python, "gatekeeper", "serve", "--port", str(port), "--upstream", _address(behind))
    with _process(*command, *options, variables=variables) as process:
        _wait(f"http://127.0.0.1:{port}/readyz")
        yield port, time.perf_counter() - began, process


@contextlib.contextmanager
def _litellm(command: str, address: str) -> Iterator[int]:
    """Serve LiteLLM's proxy with no check at all, for comparison."""
    port = _free_port()
    entry = {
        "model_name": "rig",
        "litellm_params": {"model": "openai/rig", "api_base": address, "api_key": "unused"},
    }
    with tempfile.NamedTemporaryFile(suffix=".json") as config:
        config.write(orjson.dumps({"model_list": [entry]}))
        config.flush()
        with _process(command, "--config", config.name, "--port", str(port)):
            _wait(f"http://127.0.0.1:{port}/health/liveliness", limit_s=90)
            yield port


@contextlib.contextmanager
def _process(*command: str, variables: Mapping[str, str] | None = None) -> Iterator[int]:
    process = subprocess.Popen(
        command,
        env={**(variables or os.environ), **_LITELLM},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(url: str, limit_s: float = 20) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.01)
    raise SystemExit(f"{url} did not answer within {limit_s:g} s")


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
