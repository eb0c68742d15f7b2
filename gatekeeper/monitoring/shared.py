"""Metrics of several workers as if one had counted: each writes its values into files that all of them read.

This is prometheus-client's multi-process mode, with the worker's number as identity in place of the process
id. So a worker that comes back after a crash counts on from where the last one stopped: no counter of all
workers ever falls, and files do not pile up.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

GONE = ("gatekeeper_policy_info",)
"""Gauges whose series at 0 name what is no longer so; the library cannot remove a series from a file."""


@dataclass(frozen=True, slots=True)
class SharedMetrics:
    """The folder that all workers share, this one's number, and whether one died in its place before."""

    folder: Path
    worker: int
    restarted: bool = False

    def join(self) -> CollectorRegistry:
        """Have this process's metrics kept in the folder; return a registry that reads those of all.

        To be called before the first metric is made.
        """
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self.folder)
        values.ValueClass = values.MultiProcessValue(  # type: ignore[no-untyped-call]  # the library has no types here
            lambda: self.worker
        )
        registry = CollectorRegistry()
        _AllWorkers(registry, str(self.folder))  # type: ignore[no-untyped-call]  # as above
        return registry


def forget(folder: Path, worker: int) -> None:
    """Remove the gauges of a worker that has ended; what it counted stays counted."""
    mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]  # as above


class _AllWorkers(MultiProcessCollector):
    """The metrics of all workers, without the series that no longer say anything."""

    def collect(self) -> Iterable[Metric]:
        """Yield every metric, added up."""
        for metric in super().collect():  # type: ignore[no-untyped-call]  # as above
            if metric.name in GONE:
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric
