"""The gate's staged runs, on a suite with a large calibration half."""

import pytest

from radsafe_bench.suites import Suite
from tests.radsafe_bench.gate.conftest import split_suite, stage

__all__ = ["stage", "suite"]


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Return 400 questions, the first 300 of them for calibration."""
    return split_suite(tmp_path_factory.mktemp("suites"), 400, 300)
