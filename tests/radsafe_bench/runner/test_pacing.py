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


async def test_the_servers_own_pause_holds_for_every_call() -> None:
    """While a server has asked for a pause, nothing else is sent to it either."""
    pacing = Pacing(4)
    refused, _ = _failing(UpstreamError("busy", status=429, retry_after=60), 1)
    other, tries = _failing(UpstreamError("never"), 0)
    waiting = [asyncio.create_task(pacing.call(refused))]
    await asyncio.sleep(0.01)
    waiting.append(asyncio.create_task(pacing.call(other)))
    await asyncio.sleep(0.01)
    assert tries == []
    pacing.stop.set()
    assert [type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)] == [Stopped, Stopped]


async def test_a_server_that_asks_for_no_pause_is_asked_again_soon() -> None:
    """A pause of zero seconds is none."""
    refused, tries = _failing(UpstreamError("busy", status=429, retry_after=0), 1)
    assert await Pacing(4, first_pause_s=0.0).call(refused) == "answer"
    assert len(tries) == 2


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
