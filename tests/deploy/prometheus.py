"""A real Prometheus on loopback."""

import contextlib
import math
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.deploy.places import PROMETHEUS

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="prometheus and promtool are not installed; apt-get install prometheus",
)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The address of a Prometheus that scrapes twice a second and evaluates the shipped rules."""

    url: str

    def ask(self, query: str) -> list[float]:
        """Return the finite values that an instant query yields."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer.get("error"))
        values = [float(series["value"][1]) for series in answer["data"]["result"]]
        return [value for value in values if math.isfinite(value)]

    def ask_over(self, query: str, start: float, end: float, step_s: float) -> list[dict[str, Any]]:
        """Return the series that a range query yields: `metric`, and `values` as (time, text)."""
        asked: dict[str, str | float] = {"query": query, "start": start, "end": end, "step": step_s}
        answer = httpx.get(f"{self.url}/api/v1/query_range", params=asked).json()
        assert answer["status"] == "success", (query, answer.get("error"))
        series: list[dict[str, Any]] = answer["data"]["result"]
        return series

    def wait_for(self, query: str, limit_s: float = 30) -> list[float]:
        """Ask until there is an answer, and return it; an empty list when there is none in time."""
        deadline = time.monotonic() + limit_s
        while not (found := self.ask(query)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found


@contextlib.contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes `target` (host:port) as job `gatekeeper` for the length of the block."""
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms", "evaluation_interval": "500ms"},
        "rule_files": [str(PROMETHEUS / "*.rules.yaml")],
        "scrape_configs": [{"job_name": "gatekeeper", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = (
        "prometheus",
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    process = subprocess.Popen(command)
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        _wait(f"{running.url}/-/ready", process)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(url: str, process: subprocess.Popen[bytes], limit_s: float = 30) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Prometheus is not ready at {url}")
