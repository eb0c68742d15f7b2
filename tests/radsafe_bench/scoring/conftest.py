"""Suites and keys that scoring is tested with."""

import pytest

from radsafe_bench.scoring import AnswerKey
from radsafe_bench.simulate import simulated_suite
from radsafe_bench.suites import Suite


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Make 200 simulated questions."""
    return simulated_suite(tmp_path_factory.mktemp("suites") / "simulated")


@pytest.fixture(scope="session")
def key(suite: Suite) -> AnswerKey:
    """Read the labels of the 200 questions."""
    return AnswerKey.of(suite)


@pytest.fixture(scope="session")
def large_key(tmp_path_factory: pytest.TempPathFactory) -> AnswerKey:
    """Read the labels of 4,000 questions, on which rates settle near their truth."""
    folder = tmp_path_factory.mktemp("suites") / "large"
    return AnswerKey.of(simulated_suite(folder, questions=4000))
