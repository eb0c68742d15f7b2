"""One small model of random weights, read by the backend and by llama-cpp-python itself."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from llama_cpp import Llama

from gatekeeper.backends.llama_cpp import LlamaCppBackend
from gatekeeper.backends.llama_cpp.engine import Engine
from gatekeeper.backends.llama_cpp.native import Context, Model
from tests.tiny_gguf import write_gguf

Reference = Callable[[Sequence[int], Sequence[int]], list[float]]


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the model's file."""
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
async def backend(gguf: Path) -> AsyncIterator[LlamaCppBackend]:
    """Yield the backend, started."""
    started = LlamaCppBackend(gguf)
    await started.start()
    yield started
    await started.close()


@pytest.fixture
def engine(gguf: Path) -> Iterator[Engine]:
    """Yield an engine with a context of 256 tokens."""
    model = Model(gguf, 0)
    running = Engine(model, Context(model, 256))
    yield running
    running.close()


@pytest.fixture(scope="session")
def llama(gguf: Path) -> Iterator[Llama]:
    """Yield llama-cpp-python's own class, which keeps the scores of every position."""
    model = Llama(str(gguf), n_ctx=2048, logits_all=True, verbose=False)
    yield model
    model.close()


@pytest.fixture
def reference(llama: Llama) -> Reference:
    """Return a function that reads the log-probability of each token after a prompt, one by one."""

    def logprobs(prompt: Sequence[int], answer: Sequence[int]) -> list[float]:
        llama.reset()
        llama.eval([*map(int, prompt), *map(int, answer)])
        rows = llama.scores[len(prompt) - 1 : len(prompt) + len(answer) - 1].astype(np.float64)
        totals = np.logaddexp.reduce(rows, axis=1)
        return [float(row[token] - total) for row, total, token in zip(rows, totals, answer, strict=True)]

    return logprobs
