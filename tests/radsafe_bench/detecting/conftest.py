"""The gate's staged runs, and a suite with two halves."""

import pytest

from radsafe_bench.suites import Suite
from tests.radsafe_bench.gate.conftest import calibration, split_suite, stage, suite

__all__ = ["calibration", "stage", "suite"]


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Return 50 questions, the first 40 of them for calibration."""
    return split_suite(tmp_path_factory.mktemp("suites"), 50, 40)
