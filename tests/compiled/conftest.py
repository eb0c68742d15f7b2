"""The compiled package, where it was built."""

from pathlib import Path

import pytest

from tests.load import builds


@pytest.fixture(scope="session")
def compiled() -> Path:
    """Return the folder of the compiled package; `make test` builds it first."""
    found = builds.compiled()
    if found is None:
        pytest.skip("`make compiled` builds what this test runs")
    return found
