"""One limit on the time of many tasks, with one timer for all of them."""

import asyncio
from typing import final


@final
class Deadlines:
    """Bounds what runs inside `with deadlines():` to the same number of seconds each.

    Like `asyncio.timeout`, which sets and drops a timer of the event loop for every block: that costs as
    much as several checks. Here those under way end in the order in which they began, so one timer, for the
    oldest, is enough, and most often there is nothing left for it to end.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[_Block, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> "_Block":
        """Return a block that raises TimeoutError where it is not through in time."""
        return _Block(self)

    def _began(self, block: "_Block") -> None:
        loop = asyncio.get_running_loop()
        self._ends[block] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(self._ends[block], self._look)

    def _ended(self, block: "_Block") -> None:
        self._ends.pop(block, None)

    def _look(self) -> None:
        """End what is out of time, and look again when the next one would be."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for block, ends in list(self._ends.items()):
            if ends > loop.time():
                self._timer = loop.call_at(ends, self._look)
                return
            self._ended(block)
            block.out_of_time()


@final
class _Block:
    """The running of one task inside a `with`."""

    __slots__ = ("_cancelling", "_deadlines", "_out_of_time", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._out_of_time = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A deadline is a task's.")
        self._task = task
        self._cancelling = task.cancelling()
        self._deadlines._began(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._deadlines._ended(self)
        if self._out_of_time and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def out_of_time(self) -> None:
        """Cancel the task."""
        self._out_of_time = True
        self._task.cancel()
