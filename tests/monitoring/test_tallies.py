"""Counting apart from the library, and writing down what was counted."""

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from gatekeeper.monitoring.tallies import Spread, Tally

BOUNDS = (0.05, 0.5, 1.0, 30.0)
VALUES = st.lists(
    st.sampled_from([*BOUNDS, 0.0, math.inf]) | st.floats(min_value=0, max_value=100), max_size=20
)


def buckets(registry: CollectorRegistry) -> list[tuple[str, float]]:
    """Return all that a registry shows of counts."""
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return [
        (str(sample.labels), sample.value)
        for sample in samples
        if sample.name.endswith(("_bucket", "_count"))
    ]


@given(VALUES, VALUES)
def test_a_spread_reads_as_the_librarys_own_counting_does(before: list[float], after: list[float]) -> None:
    """Dashboards draw the same histogram, however often it was looked at in between."""
    own, theirs = CollectorRegistry(), CollectorRegistry()
    spread = Spread(Histogram("seconds", "Time.", buckets=BOUNDS, registry=own))
    library = Histogram("seconds", "Time.", buckets=BOUNDS, registry=theirs)
    for values in (before, after):
        for value in values:
            spread.observe(value)
            library.observe(value)
        spread.write()
    assert buckets(own) == buckets(theirs)
    ours, librarys = (registry.get_sample_value("seconds_sum") for registry in (own, theirs))
    assert ours is not None
    assert librarys is not None
    assert math.isclose(ours, librarys, rel_tol=1e-12)


def test_what_was_counted_is_written_once() -> None:
    """A second look adds nothing to what the first one saw."""
    registry = CollectorRegistry()
    tally = Tally(Counter("claims", "Claims.", registry=registry))
    tally.inc()
    tally.inc(2)
    for _ in range(2):
        tally.write()
        assert b"claims_total 3.0" in generate_latest(registry)
