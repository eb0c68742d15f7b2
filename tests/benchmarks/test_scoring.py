"""How long scoring takes once runs are loaded.

The promise is 200 questions × 6 conditions × (1 greedy + 20 sampled) answers × 34 models in under 30 s on
two cores. Four models are timed here; time grows with the number of models, and ensembles with its cube
(5,984 of three among 34), so the whole shape has a test of its own.
"""

from collections.abc import Sequence
from pathlib import Path
from time import process_time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from radsafe_bench.records import load_run
from radsafe_bench.scoring import AnswerKey, Answers, score, tabulate
from radsafe_bench.simulate import SimulatedModel, simulate, simulated_suite, write_run
from radsafe_bench.suites import Suite

CONDITIONS = {
    "closed_book": 0.73,
    "clean_evidence": 0.94,
    "conflict_evidence": 0.92,
    "standard_rag": 0.76,
    "agentic_rag": 0.78,
    "max_context": 0.74,
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Make 200 simulated questions."""
    return simulated_suite(tmp_path_factory.mktemp("suites") / "simulated")


def models(suite: Suite, count: int) -> Sequence[Answers]:
    """Return as many models, all conditions, 20 samples a question."""
    key = AnswerKey.of(suite)
    made = [SimulatedModel(f"m{n}", CONDITIONS, parameters=1e9 * (n + 1)) for n in range(count)]
    return [one.answers for one in simulate(key, made, correlation=0.5)]


def test_scoring_four_models(benchmark: BenchmarkFixture, suite: Suite) -> None:
    """Four models under six conditions: every table."""
    key, loaded = AnswerKey.of(suite), models(suite, 4)
    scores = benchmark(score, key, loaded)
    assert len(scores.rows) == 4 * 6


def test_tabulating_one_run(benchmark: BenchmarkFixture, suite: Suite, tmp_path: Path) -> None:
    """25,200 records of one run become arrays."""
    key = AnswerKey.of(suite)
    run = load_run(write_run(tmp_path / "run", simulate(key, [SimulatedModel("m", CONDITIONS)])[0], suite))
    answers = benchmark(tabulate, run.manifest, run.records, key)
    assert answers.samples.shape == (6, 200, 20)


@pytest.mark.slow
def test_the_published_shape(suite: Suite) -> None:
    """34 models score in less processor time than two cores have in the promised 30 s."""
    key, loaded = AnswerKey.of(suite), models(suite, 34)
    begin = process_time()
    scores = score(key, loaded)
    assert process_time() - begin < 2 * 30
    assert len(scores.tables["ensembles"]) == 5984 * 6
