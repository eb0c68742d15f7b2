"""The limit on the time of requests: who is out of time ends, and nobody else."""

import asyncio

import pytest

from gatekeeper.deadlines import Deadlines

SHORT = 0.02


async def bounded(deadlines: Deadlines, seconds: float) -> str:
    """Sleep inside a block; say how that ended."""
    try:
        with deadlines():
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "out of time"
    return "through"


async def test_only_what_takes_too_long_is_ended() -> None:
    """Requests that began at other times each get the whole time, and the quick ones keep their answer."""
    deadlines = Deadlines(SHORT)
    first = asyncio.gather(*(bounded(deadlines, seconds) for seconds in (60, 0, 60, 0)))
    await asyncio.sleep(SHORT / 2)
    second = asyncio.gather(*(bounded(deadlines, seconds) for seconds in (0, 60)))
    assert await first == ["out of time", "through", "out of time", "through"]
    assert await second == ["through", "out of time"]
    assert await bounded(deadlines, 60) == "out of time"


async def test_a_cancelled_request_is_no_late_one() -> None:
    """A client that goes is told apart from a deadline, also where both happen at once."""
    deadlines = Deadlines(SHORT)
    task = asyncio.create_task(bounded(deadlines, 60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_goes_on_after_its_deadline() -> None:
    """What handles the lateness of a request can wait for something itself."""
    deadlines = Deadlines(SHORT)
    assert await bounded(deadlines, 60) == "out of time"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_the_inner_of_two_deadlines_ends_its_own_block() -> None:
    """A call to a model server that is late ends that call, not the request around it."""
    outer, inner = Deadlines(60), Deadlines(SHORT)
    with outer():
        assert await bounded(inner, 60) == "out of time"
        assert await bounded(inner, 0) == "through"
