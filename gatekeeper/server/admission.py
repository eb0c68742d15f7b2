"""How many requests are served at once, how many may wait, and the clear refusal of the rest."""

import asyncio

from gatekeeper.errors import Overloaded
from gatekeeper.monitoring import Metrics


class Admission:
    """`places` requests are served at once; up to `queue` more wait, first come, first served.

    `async with` holds a place for its block; it raises Overloaded when the queue is full.
    """

    def __init__(self, places: int, queue: int, metrics: Metrics) -> None:
        self._free = asyncio.Semaphore(places)
        self._queue = queue
        self._waiting = 0
        self._metrics = metrics

    async def __aenter__(self) -> None:
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self._metrics.in_flight.inc()

    async def __aexit__(self, *raised: object) -> None:
        self._metrics.in_flight.dec()
        self._free.release()

    async def _wait(self) -> None:
        if self._waiting >= self._queue:
            raise Overloaded("every place is taken; try again in a moment", retry_after=1)
        self._waiting += 1
        self._metrics.queued.set(self._waiting)
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
            self._metrics.queued.set(self._waiting)
