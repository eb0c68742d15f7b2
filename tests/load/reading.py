"""What the `nli` check costs: requests that are read, and requests that need no reading beside them.

    python -m tests.load.reading [--requests N] [--rounds R]

One server under `policies/reading.yaml`; the answer makes three claims. Rounds are interleaved, medians
over rounds are reported.
"""

import argparse
import asyncio
import statistics

import uvloop
from rich.console import Console
from rich.table import Table

from gatekeeper.settings import POLICIES
from tests.load.client import Load, load
from tests.load.exchange import request_without_evidence
from tests.load.servers import gate, upstream

BESIDE = 2
"""Requests that are read at any time while others need no reading."""


async def _both(port: int, requests: int) -> Load:
    """Measure requests without evidence while others are read."""
    reading = asyncio.create_task(load(port, BESIDE, requests, 10_000))
    unread = await load(port, 1, requests, 20_000, request_without_evidence)
    await reading
    return unread


def _measure(requests: int, rounds: int) -> dict[str, list[Load]]:
    found: dict[str, list[Load]] = {}
    with (
        upstream("tests.load.upstream") as direct,
        gate(direct) as (plain, *_),
        gate(direct, "--policy", str(POLICIES / "reading.yaml")) as (port, *_),
    ):
        for round_ in range(rounds + 1):
            runs = {
                "direct": uvloop.run(load(direct, 1, requests)),
                "default policy": uvloop.run(load(plain, 1, requests)),
                "reading policy": uvloop.run(load(port, 1, requests)),
                "reading policy, no evidence": uvloop.run(
                    load(port, 1, requests, 0, request_without_evidence)
                ),
                f"the same beside {BESIDE} that are read": uvloop.run(_both(port, requests)),
            }
            for name, run in runs.items() if round_ else ():  # the first round only warms up
                found.setdefault(name, []).append(run)
    return found


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    loads = _measure(options.requests, options.rounds)
    base = statistics.median(run.percentile(0.5) for run in loads["direct"])
    table = Table("requests", "p50 over direct ms", "p99 ms", title="three claims an answer, one at a time")
    for name, runs in loads.items():
        p50 = statistics.median(run.percentile(0.5) for run in runs) - base
        p99 = statistics.median(run.percentile(0.99) for run in runs)
        table.add_row(name, f"{1e3 * p50:.1f}", f"{1e3 * p99:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
