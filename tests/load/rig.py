"""Overhead, throughput and delay of the gate against direct access and a bare pass-through, in one run.

    python -m tests.load.rig [--requests N] [--rounds R] [--json FILE] [--litellm COMMAND] [--pure]

The gates are those of the compiled build where `make compiled` made one of these sources, unless `--pure`.
The servers run in processes of their own and share the machine's cores with the load. Rounds are
interleaved, so a machine whose speed drifts does not favour one of them; medians over rounds are reported.
The rows that begin with `stream` say how long after the model wrote a token the client read what waited
for it: the last token for the whole answer, the one that ends the first sentence for that sentence.
"""

import argparse
import os
import statistics
from collections import defaultdict
from pathlib import Path

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from tests.load.builds import compiled
from tests.load.client import Load, load
from tests.load.exchange import request_body, response_body
from tests.load.servers import Servers, servers
from tests.load.speaking import PACE_S
from tests.load.streams import Delays, stream

CONCURRENCIES = (1, 16, 128)
STREAMS = {1: 12, 16: 64}
"""Streams per round by concurrency; each takes as long as the model speaks, and they begin one by one."""
Loads = dict[tuple[str, int], list[Load]]
Costs = dict[tuple[str, int], list[float]]
"""Seconds of processor time per request that a server took in each round."""
Streams = dict[tuple[str, int], list[Delays]]
Row = dict[str, float]


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--litellm", help="the `litellm` command of an environment with its proxy installed")
    parser.add_argument("--pure", action="store_true", help="measure the sources, not the compiled build")
    options = parser.parse_args()
    package = None if options.pure else compiled()
    build = "compiled" if package else "pure"
    with servers(options.litellm, package) as running:
        loads, costs, streams = _measure(running, options.requests, options.rounds)
    rows = {**_load_rows(loads, costs), **_stream_rows(streams)}
    _show(rows, running, build)
    if options.json:
        figures = {**rows, "start_to_ready_s": running.start_to_ready_s, "build": build}
        options.json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def _measure(running: Servers, requests: int, rounds: int) -> tuple[Loads, Costs, Streams]:
    loads, costs, streams = defaultdict(list), defaultdict(list), defaultdict(list)
    sent = 0
    for round_ in range(rounds + 1):
        for concurrency in CONCURRENCIES:
            for name, port in running.whole.items():
                size = requests // 4 if name == "litellm proxy" or concurrency == 1 else requests
                before = running.processor_s(name)
                loads[name, concurrency].append(uvloop.run(load(port, concurrency, size, sent)))
                after = running.processor_s(name)
                if before is not None and after is not None:
                    costs[name, concurrency].append((after - before) / size)
                sent += size
        for concurrency, size in STREAMS.items():
            for name, port in running.streaming.items():
                work = stream(port, running.streaming["direct"], concurrency, size, sent)
                streams[name, concurrency].append(uvloop.run(work))
                sent += size
        if round_ == 0:  # the first round only warms up
            loads.clear()
            costs.clear()
            streams.clear()
    return loads, costs, streams


def _load_rows(loads: Loads, costs: Costs) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for (name, concurrency), runs in loads.items():
        direct, bare = loads["direct", concurrency], loads["pass-through", concurrency]
        over = [run.percentile(0.5) - base.percentile(0.5) for run, base in zip(runs, direct, strict=True)]
        share = [run.throughput / base.throughput for run, base in zip(runs, bare, strict=True)]
        rows[f"{name} @{concurrency}"] = {
            "p50_ms": 1e3 * statistics.median(run.percentile(0.5) for run in runs),
            "p99_ms": 1e3 * statistics.median(run.percentile(0.99) for run in runs),
            "p50_over_direct_ms": 1e3 * statistics.median(over),
            "requests_per_s": statistics.median(run.throughput for run in runs),
            "throughput_over_pass_through": statistics.median(share),
        }
        if (name, concurrency) in costs:
            own = statistics.median(costs[name, concurrency])
            rows[f"{name} @{concurrency}"]["server_cpu_ms_per_request"] = 1e3 * own
    return rows


def _stream_rows(streams: Streams) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for concurrency in STREAMS:
        base = [statistics.median(run.last_token) for run in streams["direct", concurrency]]
        for name, told in (("direct", "last_token"), ("hold", "last_token"), ("window", "first_sentence")):
            runs: list[list[float]] = [sorted(getattr(run, told)) for run in streams[name, concurrency]]
            middles = [statistics.median(run) for run in runs]
            over = [middle - direct for middle, direct in zip(middles, base, strict=True)]
            rows[f"stream {name}, {told.replace('_', ' ')} @{concurrency}"] = {
                "p50_ms": 1e3 * statistics.median(middles),
                "p99_ms": 1e3 * statistics.median(run[int(0.99 * len(run))] for run in runs),
                "p50_over_direct_ms": 1e3 * statistics.median(over),
            }
    return rows


def _show(rows: dict[str, Row], running: Servers, build: str) -> None:
    console = Console(width=120)
    sizes = f"request {len(request_body(0)) / 1024:.1f} KiB, answer {len(response_body()) / 1024:.1f} KiB"
    table = Table(
        title=f"{build} build; all checks on; {sizes}; {os.cpu_count()} cores shared by load, upstream and "
        f"server; streams: {1 / PACE_S:.0f} tokens/s"
    )
    columns = {
        "p50 ms": ("p50_ms", ".2f"),
        "p99 ms": ("p99_ms", ".2f"),
        "p50 over direct ms": ("p50_over_direct_ms", ".2f"),
        "requests/s": ("requests_per_s", ".0f"),
        "× pass-through": ("throughput_over_pass_through", ".2f"),
        "CPU ms per request": ("server_cpu_ms_per_request", ".2f"),
    }
    table.add_column("server @concurrency", justify="right")
    for column in columns:
        table.add_column(column, justify="right")
    for name, row in rows.items():
        cells = (format(row[key], form) if key in row else "" for key, form in columns.values())
        table.add_row(name, *cells)
    console.print(table)
    for name, seconds in running.start_to_ready_s.items():
        console.print(f"{name}, start to ready: {seconds:.2f} s")
    if "litellm proxy" not in running.whole:
        console.print("LiteLLM's proxy was not measured; name its command with --litellm.")


if __name__ == "__main__":
    main()
