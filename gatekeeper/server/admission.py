"""How many requests are served at once, how many may wait, and the clear refusal of the rest."""

import asyncio

from gatekeeper.errors import Overloaded


class Admission:
    """`places` requests are served at once; up to `queue` more wait, first come, first served.

    `async with` holds a place for its block; it raises Overloaded when the queue is full.
    """

    def __init__(self, places: int, queue: int) -> None:
        self._free = asyncio.Semaphore(places)
        self._queue = queue
        self.serving = 0
        self.waiting = 0

    async def __aenter__(self) -> None:
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self.serving += 1

    async def __aexit__(self, *raised: object) -> None:
        self.serving -= 1
        self._free.release()

    async def _wait(self) -> None:
        if self.waiting >= self._queue:
            raise Overloaded("every place is taken; try again in a moment", retry_after=1)
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
