"""How long a policy takes to be judged on a recorded model: 1,200 records in under 10 s on two cores."""

from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import numpy as np
import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gatekeeper.bundle import load_bundle
from gatekeeper.settings import POLICIES
from radsafe_bench.gate.replay import load_recording, replay
from radsafe_bench.gate.trial import conclude, trial_of
from radsafe_bench.records import RECORDS, Run, load_run
from radsafe_bench.suites import Question, Suite
from tests.radsafe_bench.gate.conftest import Said, Stage, line_of, split_suite

WORDS = {
    "closed_book": 0,
    "clean_evidence": 200,
    "conflict_evidence": 250,
    "standard_rag": 2200,
    "agentic_rag": 250,
    "max_context": 9000,
}
"""Words of evidence under each condition; `max_context` as in a window of 32,768 tokens."""

_SENTENCES = (
    "In patients with an eGFR below {n} mL/min/1.73 m2 the dose of gadobutrol is at most 0.{d} mmol/kg.",
    "Follow-up imaging is advised after {n} months when the nodule measures {d} mm or more.",
    "The {side} kidney was examined with a slice thickness of {d} mm and a delay of {n} seconds.",
    "Metformin is withheld for {n} hours after intra-arterial contrast in acute kidney injury.",
    "A pacemaker that is not MR-conditional is a contraindication at {d} tesla.",
)
_SENTENCE_WORDS = 14


def evidence(words: int, rng: np.random.Generator) -> str:
    """Return guideline-like sentences with numbers, units, sides and drugs."""
    return " ".join(
        _SENTENCES[rng.integers(len(_SENTENCES))].format(
            n=rng.integers(10, 90), d=rng.integers(1, 9), side=("left", "right")[rng.integers(2)]
        )
        for _ in range(words // _SENTENCE_WORDS)
    )


def lines(question: Question, rng: np.random.Generator) -> list[bytes]:
    """Return a question's records under every condition."""
    found = []
    for condition, words in WORDS.items():
        line = line_of(question, condition, Said(question.correct.letter, 0.9))
        text = evidence(words, rng)
        line["request"]["evidence"] = [{"id": "context", "text": text}] if text else []
        found.append(orjson.dumps(line) + b"\n")
    return found


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Make 200 simulated questions."""
    return split_suite(tmp_path_factory.mktemp("suites"))


@pytest.fixture(scope="module")
def run(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Write 1,200 records with evidence of realistic length."""
    run = Stage(suite, tmp_path_factory.mktemp("runs")).run({})
    rng = np.random.default_rng(0)
    (run.path / RECORDS).write_bytes(
        b"".join(row for question in suite.questions for row in lines(question, rng))
    )
    return load_run(run.path)


def processor_seconds() -> float:
    """Return what this process and those it started have used."""
    own, started = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + started.ru_utime + started.ru_stime


def test_replaying_every_condition(benchmark: BenchmarkFixture, run: Run) -> None:
    """The default policy with all its checks on 1,200 answers, read from disk."""
    loaded = load_bundle(POLICIES / "default.yaml")
    decided = benchmark(lambda: replay(load_recording(run.path), loaded))
    assert len(decided) == 1200


def test_concluding(benchmark: BenchmarkFixture, run: Run, suite: Suite) -> None:
    """From decisions to the verdict."""
    trial = trial_of(load_bundle(POLICIES / "default.yaml"), run, suite)
    verdict = benchmark(conclude, trial)
    assert len(verdict.rows) == 11


@pytest.mark.slow
def test_1200_records_take_two_cores_less_than_ten_seconds(run: Run) -> None:
    """Reading and replaying all conditions stays below the promise, in processor time of both cores."""
    began = processor_seconds()
    decided = replay(load_recording(run.path), load_bundle(POLICIES / "default.yaml"))
    assert len(decided) == 1200
    assert processor_seconds() - began < 20
