"""How long a policy takes to be judged on a recorded model: 1,200 records in under 10 s on two cores."""

from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import pytest
from click.testing import CliRunner
from pytest_benchmark.fixture import BenchmarkFixture

from gatekeeper.bundle import load_bundle
from gatekeeper.gate import Bundle
from gatekeeper.settings import POLICIES
from radsafe_bench.cli import main
from radsafe_bench.gate.replay import load_recording, replay
from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.suites import load_suite

CONDITIONS = "closed_book,clean_evidence,conflict_evidence,standard_rag,standard_rag_top_5,max_context"
"""Six with 200 answers each; `max_context` fills a window of 32,768 tokens."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record the embedded baseline on the shipped suite."""
    folder = tmp_path_factory.mktemp("runs") / "extractive"
    options = ["--backend", "extractive", "--samples", "0", "--conditions", CONDITIONS, "--out", str(folder)]
    recorded = CliRunner().invoke(main, ["run", *options])
    assert recorded.exit_code == 0, recorded.output
    return folder


@pytest.fixture(scope="module")
def policy() -> Bundle:
    """Return the default policy with all its checks."""
    return load_bundle(POLICIES / "default.yaml")


def processor_seconds() -> float:
    """Return what this process and those it started have used."""
    own, started = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + started.ru_utime + started.ru_stime


def test_replaying_every_condition(benchmark: BenchmarkFixture, folder: Path, policy: Bundle) -> None:
    """1,200 answers, read from disk and judged."""
    decided = benchmark(lambda: replay(load_recording(folder), policy))
    assert len(decided) == 1200


def test_concluding(benchmark: BenchmarkFixture, folder: Path, policy: Bundle) -> None:
    """From decisions to the verdict."""
    verdict = benchmark(conclude, trial_of(policy, load_recording(folder), load_suite()))
    assert len(verdict.rows) == 11


@pytest.mark.slow
def test_1200_records_take_two_cores_less_than_ten_seconds(folder: Path, policy: Bundle) -> None:
    """Reading and replaying all conditions stays below the promise, in processor time of both cores."""
    began = processor_seconds()
    assert len(replay(load_recording(folder), policy)) == 1200
    assert processor_seconds() - began < 20
