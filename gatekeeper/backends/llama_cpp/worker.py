"""One thread for work that allows no other beside it, and the queue in front of it."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Final, TypeVar

from gatekeeper.backends.llama_cpp.engine import Interrupted, Interruption
from gatekeeper.errors import Overloaded

_T = TypeVar("_T")

Work = Callable[[Interrupted], Iterator[_T]]
"""Yields its results; asks now and then whether it is still wanted and raises Interruption if not."""

_RETRY_AFTER: Final = 5


class Worker:
    """Does one piece of work after the other, first come, first served.

    Of `waiting` pieces beside the one that runs, the next is refused with Overloaded.
    """

    def __init__(self, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="llama.cpp")
        self._places = waiting + 1
        self._taken = 0

    async def stream(self, work: Work[_T]) -> AsyncGenerator[_T, None]:
        """Yield what the work yields, as it comes. Closing or cancelling this interrupts the work."""
        if self._taken >= self._places:
            raise Overloaded("The model has too many requests waiting.", retry_after=_RETRY_AFTER)
        loop = asyncio.get_running_loop()
        results: asyncio.Queue[tuple[_T] | None] = asyncio.Queue()
        unwanted = threading.Event()

        def run() -> None:
            try:
                for result in work(unwanted.is_set):
                    loop.call_soon_threadsafe(results.put_nowait, (result,))
            except Interruption:
                pass

        def ended() -> None:
            self._taken -= 1
            results.put_nowait(None)

        self._taken += 1
        future = self._executor.submit(run)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(ended))
        try:
            while (result := await results.get()) is not None:
                yield result[0]
            future.result()
        finally:
            unwanted.set()
            future.cancel()

    async def call(self, work: Callable[[Interrupted], _T]) -> _T:
        """Return what the work returns."""

        def once(interrupted: Interrupted) -> Iterator[_T]:
            yield work(interrupted)

        async with aclosing(self.stream(once)) as results:
            return await anext(results)

    async def close(self) -> None:
        """Drop what waits, and wait for what runs."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
