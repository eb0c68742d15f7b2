"""What token probabilities and scoring cost in process, on models of random weights.

The `tokens` groups: an answer by llama-cpp-python without probabilities, by this project with them, and by
llama-cpp-python with its own, over a vocabulary of 152,000. The `options` group: eight options after one
evidence, read together and one by one.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_cpp import Llama
from pytest_benchmark.fixture import BenchmarkFixture

from gatekeeper.backends.llama_cpp import LlamaCppBackend
from gatekeeper.backends.llama_cpp.engine import Engine
from gatekeeper.backends.llama_cpp.native import Context, Model
from tests.backends.conftest import case
from tests.tiny_gguf import Shape, write_gguf

TOKENS = 16
THREADS = 1
EVIDENCE = "Contrast is safe at an eGFR of 45. " * 30
OPTIONS = [f" {letter}: {number} h" for number, letter in enumerate("ABCDEFGH")]


@pytest.fixture(scope="module")
def large_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that takes some milliseconds for a token, as a large one does on a GPU."""
    shape = Shape(width=128, layers=4, words=152_000)
    return write_gguf(tmp_path_factory.mktemp("gguf") / "large_vocabulary.gguf", shape=shape)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Yield a model whose time goes into reading, as a real one's does."""
    shape = Shape(width=256, layers=8)
    model = Model(write_gguf(tmp_path_factory.mktemp("gguf") / "deep.gguf", shape=shape), 0)
    running = Engine(model, Context(model, 2048, THREADS))
    yield running
    running.close()


def library(path: Path, **options: Any) -> tuple[Llama, list[int]]:
    """Return llama-cpp-python's own class, with as many threads, and a prompt's tokens."""
    model = Llama(str(path), n_ctx=512, n_threads=THREADS, n_threads_batch=THREADS, verbose=False, **options)
    return model, model.tokenize(EVIDENCE[:400].encode())


@pytest.mark.benchmark(group="tokens: 16 at temperature")
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_plain(benchmark: BenchmarkFixture, large_vocabulary: Path, temperature: float) -> None:
    """llama-cpp-python's own loop, without probabilities."""
    model, prompt = library(large_vocabulary)

    def decode() -> int:
        tokens = model.generate(prompt, temp=temperature, top_k=0, top_p=1.0, min_p=0.0)
        return sum(1 for _ in zip(range(TOKENS), tokens, strict=False))

    decode()
    assert benchmark(decode) == TOKENS
    model.close()


@pytest.mark.benchmark(group="tokens: 16 at temperature")
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_ours(benchmark: BenchmarkFixture, large_vocabulary: Path, temperature: float) -> None:
    """The whole backend: prompt, probabilities with five alternatives, JSON body, parsed answer."""
    backend = LlamaCppBackend(large_vocabulary, context=512, threads=THREADS)
    asked = case(EVIDENCE[:400], temperature=temperature, seed=1, max_tokens=TOKENS)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(backend.start())

    def answer() -> int:
        return len(loop.run_until_complete(backend.complete(asked)).answers[0].tokens)

    answer()
    assert benchmark(answer) == TOKENS
    loop.run_until_complete(backend.close())
    loop.close()


@pytest.mark.benchmark(group="tokens: 16 at temperature", max_time=0.1, min_rounds=1)
def test_its_own_probabilities(benchmark: BenchmarkFixture, large_vocabulary: Path) -> None:
    """llama-cpp-python's `logprobs`, which keep the scores of every position and sort the vocabulary."""
    model, prompt = library(large_vocabulary, logits_all=True)

    def answer() -> int:
        completion = model.create_completion(prompt, temperature=0.0, max_tokens=TOKENS, logprobs=5)
        return len(completion["choices"][0]["logprobs"]["tokens"])

    assert benchmark(answer) == TOKENS
    model.close()


@pytest.mark.benchmark(group="options: 8")
@pytest.mark.parametrize("together", [True, False], ids=["together", "one by one"])
def test_options(benchmark: BenchmarkFixture, engine: Engine, together: bool) -> None:
    """The evidence read once for all options, or again for each."""
    prefix, whole = engine.tokenise(EVIDENCE), [engine.tokenise(EVIDENCE + option) for option in OPTIONS]
    portions = [whole] if together else [[prompt] for prompt in whole]

    def score() -> list[float]:
        scores = []
        for portion in portions:
            engine.read(engine.tokenise("something else"), lambda: False)
            scores += engine.score(prefix, portion, lambda: False)
        return scores

    assert len(benchmark(score)) == len(OPTIONS)
