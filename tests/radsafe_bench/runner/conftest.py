"""Runs against real servers on loopback."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from radsafe_bench.conditions import Condition
from radsafe_bench.runner import Pacing, Run, RunOptions, RunResult, Sampling
from radsafe_bench.suites import Suite
from radsafe_bench.targets import EndpointTarget
from tests.radsafe_bench.runner.model_server import ModelServer
from tests.radsafe_bench.runner.small import make_suite

Ask = Callable[..., Awaitable[RunResult]]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """Serve a model."""
    with ModelServer() as running:
        yield running


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Make a suite of four questions."""
    return make_suite(tmp_path)


@pytest.fixture
def ask(server: ModelServer, suite: Suite, tmp_path: Path) -> Ask:
    """Return a function that runs the suite on the server, closed-book and greedy unless told otherwise."""

    async def run(
        *conditions: Condition,
        samples: int = 0,
        sampling: dict[str, Any] | None = None,
        of: Suite | None = None,
        pacing: Pacing | None = None,
        target: dict[str, Any] | None = None,
        **options: Any,
    ) -> RunResult:
        asked = RunOptions(
            out=tmp_path / "run",
            conditions=conditions or (Condition.CLOSED_BOOK,),
            sampling=Sampling(samples=samples, **(sampling or {})),
            **options,
        )
        put, endpoint = of or suite, EndpointTarget(**{"url": server.url, **(target or {})})
        return await Run(asked, put, put.questions, endpoint, pacing or quick()).execute()

    return run


def quick(most: int = 4, tries: int = 4) -> Pacing:
    """Return a pacing that waits next to nothing before it tries again."""
    return Pacing(most, tries=tries, first_pause_s=0.001)
