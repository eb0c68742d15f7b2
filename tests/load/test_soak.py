"""A short soak: what the serving process holds does not grow with the requests it has served."""

from pathlib import Path

import pytest

from gatekeeper.settings import POLICIES
from tests.faults.rig import PLACES, gate
from tests.load.soak import Sample, slope, soak

SECONDS = 20
GROWTH = 12_288
"""Bytes per request. One that is kept with all that belongs to it takes about 16 KiB; filling the bounded
caches of words, to which every numbered answer adds, was measured at 3 to 6 KiB per request."""


@pytest.mark.slow
def test_nothing_grows(tmp_path: Path) -> None:
    """After warm-up, thousands of good and faulty requests leave no memory, file or thread behind."""
    with gate(tmp_path, POLICIES / "default.yaml", log_level="error", dev=False) as serving:
        samples = soak(serving, SECONDS)
    later = samples[len(samples) // 2 :]
    assert len(later) >= 2
    grown = (later[-1].held["bytes"] - later[0].held["bytes"]) / (later[-1].requests - later[0].requests)
    assert grown < GROWTH, [sample.held for sample in samples]
    for kind in ("files", "threads"):
        assert later[-1].held[kind] <= later[0].held[kind] + PLACES, [sample.held for sample in samples]


def test_a_slope_is_of_the_second_half() -> None:
    """What a process takes at its start is not mistaken for growth, and growth is not overlooked."""
    levels = [10, 50, 100, 100, 101, 102]
    samples = [Sample(at, 10 * at, {"bytes": level}) for at, level in enumerate(levels)]
    assert slope(samples, "bytes") == pytest.approx(0.1)
    assert slope([Sample(at, at, {"bytes": 7}) for at in range(4)], "bytes") == 0.0
