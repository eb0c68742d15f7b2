"""Overhead and throughput of the gate against direct access and a bare pass-through, in one run.

    python -m tests.load.rig [--requests N] [--rounds R] [--json FILE] [--litellm COMMAND]

The servers run in processes of their own and share the machine's cores with the load. Rounds are
interleaved, so a machine whose speed drifts does not favour one of them; medians are reported.
"""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from tests.load.client import Load, load
from tests.load.exchange import request_body, response_body

CONCURRENCIES = (1, 16)
_PYTHON = (sys.executable, "-m")
_LITELLM = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}
"""LiteLLM's proxy as the rig runs it: no download at its start, no key, no check."""


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--litellm", help="the `litellm` command of an environment with its proxy installed")
    options = parser.parse_args()
    with _servers(options.litellm) as (ports, start_seconds):
        figures = _measure(ports, options.requests, options.rounds)
    figures["start_to_ready_s"] = {"gatekeeper": start_seconds}
    _show(figures)
    if options.json:
        options.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


@contextlib.contextmanager
def _servers(litellm: str | None) -> Iterator[tuple[dict[str, int], float]]:
    upstream, bare, gate = (_free_port() for _ in range(3))
    address = f"http://127.0.0.1:{upstream}/v1"
    gatekeeper = [*_PYTHON, "gatekeeper", "serve", "--port", str(gate), "--upstream", address]
    with contextlib.ExitStack() as stack:
        stack.enter_context(_process(*_PYTHON, "tests.load.upstream", str(upstream)))
        _wait(f"{address}/models")
        stack.enter_context(_process(*_PYTHON, "tests.load.passthrough", str(bare), address))
        began = time.perf_counter()
        stack.enter_context(_process(*gatekeeper))
        _wait(f"http://127.0.0.1:{gate}/readyz")
        seconds = time.perf_counter() - began
        ports = {"direct": upstream, "pass-through": bare, "gatekeeper": gate}
        if litellm:
            ports["litellm proxy"] = stack.enter_context(_litellm(litellm, address))
        yield ports, seconds


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
def _process(*command: str) -> Iterator[None]:
    environment = {**os.environ, **_LITELLM}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _measure(ports: dict[str, int], requests: int, rounds: int) -> dict[str, dict[str, float]]:
    loads: dict[tuple[str, int], list[Load]] = {}
    sent = 0
    for round_ in range(rounds + 1):
        for concurrency in CONCURRENCIES:
            for name, port in ports.items():
                size = requests // 4 if name == "litellm proxy" or concurrency == 1 else requests
                measured = uvloop.run(load(port, concurrency, size, sent))
                sent += size
                if round_:  # the first round only warms up
                    loads.setdefault((name, concurrency), []).append(measured)
    return _figures(loads, list(ports))


def _figures(loads: dict[tuple[str, int], list[Load]], names: Sequence[str]) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    for concurrency in CONCURRENCIES:
        for name in names:
            runs = loads[name, concurrency]
            direct = loads["direct", concurrency]
            bare = loads["pass-through", concurrency]
            figures[f"{name} @{concurrency}"] = {
                "p50_ms": 1e3 * statistics.median(run.percentile(0.5) for run in runs),
                "p99_ms": 1e3 * statistics.median(run.percentile(0.99) for run in runs),
                "p50_over_direct_ms": 1e3
                * statistics.median(
                    run.percentile(0.5) - base.percentile(0.5) for run, base in zip(runs, direct, strict=True)
                ),
                "requests_per_s": statistics.median(run.throughput for run in runs),
                "throughput_over_pass_through": statistics.median(
                    run.throughput / base.throughput for run, base in zip(runs, bare, strict=True)
                ),
            }
    return figures


def _show(figures: dict[str, dict[str, float]]) -> None:
    console = Console()
    sizes = f"request {len(request_body(0)) / 1024:.1f} KiB, answer {len(response_body()) / 1024:.1f} KiB"
    table = Table(title=f"all checks on; {sizes}; {os.cpu_count()} cores shared by load, upstream and server")
    for column in (
        "server @concurrency",
        "p50 ms",
        "p99 ms",
        "p50 over direct ms",
        "requests/s",
        "× pass-through",
    ):
        table.add_column(column, justify="right")
    for name, row in figures.items():
        if name != "start_to_ready_s":
            table.add_row(
                name,
                f"{row['p50_ms']:.2f}",
                f"{row['p99_ms']:.2f}",
                f"{row['p50_over_direct_ms']:.2f}",
                f"{row['requests_per_s']:.0f}",
                f"{row['throughput_over_pass_through']:.2f}",
            )
    console.print(table)
    console.print(f"start to ready: {figures['start_to_ready_s']['gatekeeper']:.2f} s")
    if "litellm proxy @1" not in figures:
        console.print("LiteLLM's proxy was not measured; name its command with --litellm.")


if __name__ == "__main__":
    main()
