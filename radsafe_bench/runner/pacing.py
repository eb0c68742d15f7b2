"""How many calls run at once, and when a refused one is tried again."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from gatekeeper.errors import GatekeeperError, Overloaded, UpstreamError, UpstreamGarbled, UpstreamTimeout

T = TypeVar("T")

_RETRIED: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_OVERLOAD: Final = frozenset({429, 503, 504})
_LONGEST_PAUSE: Final = 60.0
_SHRINK: Final = 0.5


class Stopped(Exception):
    """The run was asked to stop while a call waited for its turn; nothing is to be recorded of it."""


class Pacing:
    """Additive increase, multiplicative decrease of the calls in flight (Chiu and Jain 1989).

    `limit` grows by one for each round of successes and halves when the server says that it is
    overloaded, once for all calls that were under way at the time. A refused call is tried again up to
    `tries` times, with exponential backoff and full jitter, not before the server's own Retry-After.
    """

    def __init__(
        self, most: int, *, start: int = 4, tries: int = 8, first_pause_s: float = 0.5, seed: int = 0
    ) -> None:
        self.most = most
        self.limit = float(min(start, most))
        self.refusals = 0
        self.stop = asyncio.Event()
        self._tries = tries
        self._first_pause_s = first_pause_s
        self._random = random.Random(seed)  # noqa: S311  # spreads retries, keeps no secret
        self._running = 0
        self._freed = asyncio.Event()
        self._round = 0
        self._not_before = 0.0

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Make a call within the limit; raise its last error, or Stopped."""
        for attempt in range(self._tries):
            try:
                async with self._place() as begun:
                    try:
                        return self._succeeded(await ask())
                    except (Overloaded, UpstreamError) as error:
                        self._refused(error, begun)
                        raise
            except (Overloaded, UpstreamError) as error:
                if attempt + 1 >= self._tries_for(error):
                    raise
                await self._pause(attempt, error)
        raise AssertionError("the last try returns or raises")

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[int]:
        """Wait for a place, and for the end of a pause that the server asked for."""
        while self._running >= int(self.limit):
            await self._freed.wait()
            self._freed.clear()
        self._running += 1
        try:
            await self._sleep(self._not_before - _now())
            yield self._round
        finally:
            self._running -= 1
            self._freed.set()

    def _tries_for(self, error: GatekeeperError) -> int:
        """Return how often a call that ended so is made: a timeout is long enough to wait for twice."""
        if not is_passing(error):
            return 1
        return min(self._tries, 2) if isinstance(error, UpstreamTimeout) else self._tries

    def _succeeded(self, result: T) -> T:
        self.limit = min(self.most, self.limit + 1 / self.limit)
        return result

    def _refused(self, error: GatekeeperError, begun: int) -> None:
        if error.status not in _OVERLOAD:
            return
        self.refusals += 1
        self._not_before = max(self._not_before, _now() + _asked_pause(error))
        if begun == self._round:
            self._round += 1
            self.limit = max(1.0, self.limit * _SHRINK)

    async def _pause(self, attempt: int, error: GatekeeperError) -> None:
        longest = min(_LONGEST_PAUSE, self._first_pause_s * 2**attempt)
        await self._sleep(max(_asked_pause(error), self._random.uniform(0, longest)))

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or raise Stopped as soon as the run is asked to stop."""
        if seconds > 0:
            try:
                await asyncio.wait_for(self.stop.wait(), seconds)
            except TimeoutError:
                return
        if self.stop.is_set():
            raise Stopped


def is_passing(error: GatekeeperError) -> bool:
    """Whether the same call may succeed later. An answer that cannot be read would come again."""
    if isinstance(error, UpstreamGarbled):
        return False
    return isinstance(error, Overloaded | UpstreamError) and error.status in _RETRIED


def _asked_pause(error: GatekeeperError) -> float:
    asked = error.retry_after if isinstance(error, Overloaded | UpstreamError) else None
    return min(float(asked or 0), _LONGEST_PAUSE)


def _now() -> float:
    return asyncio.get_running_loop().time()
