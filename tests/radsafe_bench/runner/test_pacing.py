"""How many calls run at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gatekeeper.errors import InvalidRequest, Overloaded, UpstreamError, UpstreamGarbled, UpstreamTimeout
from radsafe_bench.runner.pacing import Pacing, Stopped


def _failing(error: Exception, times: int) -> tuple[Callable[[], Awaitable[str]], list[int]]:
    """Return a call that fails some times, and the list of its tries."""
    tries: list[int] = []

    async def call() -> str:
        tries.append(len(tries))
        if len(tries) <= times:
            raise error
        return "answer"

    return call, tries


async def test_a_refused_call_is_made_again() -> None:
    """Overload is waited out."""
    call, tries = _failing(UpstreamError("busy", status=429), 3)
    assert await Pacing(4, first_pause_s=0.0).call(call) == "answer"
    assert len(tries) == 4


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (UpstreamError("busy", status=503), 5),
        (UpstreamError("away"), 5),
        (Overloaded("full", retry_after=0), 5),
        (UpstreamTimeout("slow"), 2),
        (UpstreamError("bad request", status=400), 1),
        (UpstreamError("wrong key", status=401), 1),
        (UpstreamGarbled("no JSON"), 1),
        (InvalidRequest("cannot"), 1),
    ],
)
async def test_only_what_may_pass_is_tried_again(error: Exception, tries: int) -> None:
    """A wrong request is asked once, a timeout twice, an overloaded or absent server as often as allowed."""
    call, made = _failing(error, 99)
    with pytest.raises(type(error)):
        await Pacing(4, tries=5, first_pause_s=0.0).call(call)
    assert len(made) == tries


async def test_calls_never_exceed_the_limit_and_the_limit_grows_with_success() -> None:
    """It starts low and opens up to its most."""
    pacing, running, seen = Pacing(8, start=2), 0, []

    async def call() -> None:
        nonlocal running
        running += 1
        seen.append((running, int(pacing.limit)))
        await asyncio.sleep(0)
        running -= 1

    await asyncio.gather(*(pacing.call(call) for _ in range(200)))
    assert all(at_once <= limit for at_once, limit in seen)
    assert seen[0] == (1, 2)
    assert pacing.limit == 8.0


async def test_one_storm_halves_the_limit_once() -> None:
    """All calls that were under way when the server became overloaded count as one sign of it."""
    pacing = Pacing(16, start=16, tries=1)
    together = asyncio.Barrier(16)

    async def call() -> None:
        await together.wait()
        raise UpstreamError("busy", status=429)

    await asyncio.gather(*(pacing.call(call) for _ in range(16)), return_exceptions=True)
    assert (pacing.limit, pacing.refusals) == (8.0, 16)


async def test_a_limit_of_one_is_the_least() -> None:
    """However often the server refuses, it is still asked."""
    pacing = Pacing(4, tries=1)
    for _ in range(10):
        call, _ = _failing(UpstreamError("busy", status=503), 1)
        with pytest.raises(UpstreamError):
            await pacing.call(call)
    assert pacing.limit == 1.0


async def test_other_errors_leave_the_limit_alone() -> None:
    """A crash of one request says nothing of the server's load."""
    pacing = Pacing(4, tries=1)
    call, _ = _failing(UpstreamError("crash", status=500), 1)
    with pytest.raises(UpstreamError):
        await pacing.call(call)
    assert (pacing.limit, pacing.refusals) == (4.0, 0)


async def test_the_servers_own_pause_is_kept() -> None:
    """Retry-After holds for every call, not only the refused one."""
    pacing, loop = Pacing(4, first_pause_s=0.0), asyncio.get_running_loop()
    call, _ = _failing(UpstreamError("busy", status=429, retry_after=1), 1)
    began = loop.time()
    refused = asyncio.create_task(pacing.call(call))
    await asyncio.sleep(0.01)
    other, _ = _failing(UpstreamError("never"), 0)
    await pacing.call(other)
    assert loop.time() - began >= 1.0
    assert await refused == "answer"


async def test_a_stop_ends_every_wait_at_once() -> None:
    """A call that waits for its next try gives up when the run is stopped; none begins after that."""
    pacing = Pacing(4)
    call, tries = _failing(UpstreamError("busy", status=429, retry_after=60), 99)
    waiting = asyncio.create_task(pacing.call(call))
    await asyncio.sleep(0.01)
    pacing.stop.set()
    with pytest.raises(Stopped):
        await waiting
    with pytest.raises(Stopped):
        await pacing.call(call)
    assert len(tries) == 1
