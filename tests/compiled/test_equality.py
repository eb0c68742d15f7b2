"""Both builds decide alike."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.load.builds import ROOT, environment


@pytest.mark.slow
def test_every_exchange_of_the_data_sets_has_one_outcome(compiled: Path) -> None:
    """Body, envelope and decision record of over six thousand exchanges are the same to the last byte."""
    with ThreadPoolExecutor(2) as both:
        pure, fast = both.map(_outcomes, (ROOT, compiled))
    assert len(pure) > 6000
    different = [at for at, (one, other) in enumerate(zip(pure, fast, strict=True)) if one != other]
    assert different == []


def _outcomes(package: Path) -> list[bytes]:
    command = (sys.executable, "-P", "-m", "tests.compiled.outcomes")
    done = subprocess.run(command, env=environment(package), capture_output=True, check=True, timeout=300)
    return done.stdout.splitlines()
