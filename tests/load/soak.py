"""Mixed traffic for minutes, good and faulty, and what the serving process holds meanwhile.

    python -m tests.load.soak [--minutes 10]

Prints resident memory, open files and threads over time, and their slope by least squares over the second
half, when caches are full.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from gatekeeper.settings import POLICIES
from tests.faults.exchange import FORMS
from tests.faults.rig import Asked, Gate, ask_all, gate
from tests.faults.upstream import FAULTS

KINDS = ("bytes", "files", "threads")
_SLOW = frozenset({"hangs", "hangs_midway"})
"""Left out: they would only wait."""

TRAFFIC: tuple[Asked, ...] = tuple(
    (form, fault)
    for fault in FAULTS
    if fault not in _SLOW
    for form in FORMS
    for _ in range(1 + (fault == "none"))
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held at a time, in seconds since the start, after so many requests."""

    at: float
    requests: int
    held: dict[str, int]


def soak(serving: Gate, seconds: float, pause_s: float = 0.0) -> list[Sample]:
    """Send all of the traffic again and again for some time; return a sample after each round."""
    began, samples = time.monotonic(), []
    for round_ in itertools.count(1):
        for one in ask_all(serving.url, TRAFFIC, round_ * len(TRAFFIC)):
            one.check(windowed=False)
        samples.append(Sample(time.monotonic() - began, round_ * len(TRAFFIC), serving.held()))
        if time.monotonic() - began >= seconds:
            return samples
        time.sleep(pause_s)
    raise AssertionError("rounds are counted without end")


def slope(samples: Sequence[Sample], kind: str) -> float:
    """Return how much more the process holds per request, over the second half of the samples."""
    later = samples[len(samples) // 2 :]
    found = statistics.linear_regression([s.requests for s in later], [s.held[kind] for s in later])
    return found.slope


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--pause", type=float, default=0.5, help="Seconds between rounds of traffic.")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        gate(Path(folder), POLICIES / "default.yaml", log_level="error", dev=False) as serving,
    ):
        samples = soak(serving, 60 * given.minutes, given.pause)
    table = Table(title=f"{samples[-1].requests} requests in {samples[-1].at:.0f} s")
    for column in ("at s", "requests", "resident MiB", "open files", "threads"):
        table.add_column(column, justify="right")
    for sample in samples[:: max(1, len(samples) // 20)]:
        held = sample.held
        row = (f"{held['bytes'] / 2**20:.1f}", str(held["files"]), str(held["threads"]))
        table.add_row(f"{sample.at:.0f}", str(sample.requests), *row)
    console = Console()
    console.print(table)
    for kind in KINDS:
        console.print(f"{kind} per 1000 requests, second half: {1000 * slope(samples, kind):+.2f}")


if __name__ == "__main__":
    main()
