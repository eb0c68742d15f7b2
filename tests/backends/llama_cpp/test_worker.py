"""One piece of work at a time, in the order of asking, and only while somebody waits for it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing

import pytest

from gatekeeper.backends.llama_cpp.engine import Interrupted, Interruption
from gatekeeper.backends.llama_cpp.worker import Worker
from gatekeeper.errors import Overloaded, UpstreamError


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    """Yield a worker in front of which two may wait."""
    working = Worker(2)
    yield working
    await working.close()


class Endless:
    """Work that goes on until it is not wanted; `ended` says that it stopped."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def __call__(self, interrupted: Interrupted) -> Iterator[int]:
        """Yield zeros."""
        while not interrupted():
            yield 0
        self.ended.set()
        raise Interruption


async def test_results_come_as_they_are_made(worker: Worker) -> None:
    """A stream gives its first result while the work still waits to go on."""
    go_on = threading.Event()

    def work(_: Interrupted) -> Iterator[int]:
        yield 1
        go_on.wait(5)
        yield 2

    async with aclosing(worker.stream(work)) as results:
        assert await anext(results) == 1
        go_on.set()
        assert [result async for result in results] == [2]


async def test_first_come_first_served(worker: Worker) -> None:
    """Work is done in the order of asking."""
    done: list[int] = []

    def numbered(number: int) -> Callable[[Interrupted], None]:
        return lambda _: done.append(number)

    await asyncio.gather(*(worker.call(numbered(number)) for number in range(3)))
    assert done == [0, 1, 2]


async def test_a_full_queue_is_said(worker: Worker) -> None:
    """Beside one that runs and two that wait, the next is told to come again."""
    running = Endless()
    async with aclosing(worker.stream(running)) as results:
        await anext(results)
        waiting = [asyncio.create_task(worker.call(lambda _: None)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await worker.call(lambda _: None)
    await asyncio.gather(*waiting)
    await worker.call(lambda _: None)


async def test_leaving_a_stream_stops_the_work(worker: Worker) -> None:
    """A client that goes frees the model for the next."""
    endless = Endless()
    async with aclosing(worker.stream(endless)) as results:
        await anext(results)
    assert await asyncio.to_thread(endless.ended.wait, 5)


async def test_cancelling_a_call_stops_the_work(worker: Worker) -> None:
    """So does one whose request is cancelled while it waits for the whole."""
    endless = Endless()
    call = asyncio.create_task(worker.call(lambda interrupted: sum(endless(interrupted))))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(endless.ended.wait, 5)


async def test_work_that_is_cancelled_in_the_queue_is_never_done(worker: Worker) -> None:
    """A request that was given up before its turn costs the model nothing."""
    done: list[str] = []
    async with aclosing(worker.stream(Endless())) as results:
        await anext(results)
        waiting = asyncio.create_task(worker.call(lambda _: done.append("given up")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await worker.call(lambda _: done.append("wanted"))
    assert done == ["wanted"]


async def test_failures_reach_who_asked(worker: Worker) -> None:
    """An error of one piece of work is raised where it was asked for, and the next is done."""

    def fail(_: Interrupted) -> Iterator[int]:
        yield 1
        raise UpstreamError("broken")

    with pytest.raises(UpstreamError):
        async for _ in worker.stream(fail):
            pass
    assert await worker.call(lambda _: "next") == "next"
