"""Counting in plain numbers: the library takes a lock for each value, and a request counts in dozens."""

from bisect import bisect_left
from typing import Final, final

from prometheus_client import Counter, Histogram


@final
class Tally:
    """What a counter has counted since it was last written down."""

    __slots__ = ("_counted", "_counter")

    def __init__(self, counter: Counter) -> None:
        self._counter: Final = counter
        self._counted = 0

    def inc(self, count: int = 1) -> None:
        """Count."""
        self._counted += count

    def write(self) -> None:
        """Add it to the library's counter."""
        if self._counted:
            self._counter.inc(self._counted)
            self._counted = 0


@final
class Spread:
    """What a histogram has observed since it was last written down.

    The library has no call for several observations at once, so this one adds to its buckets itself.
    """

    __slots__ = ("_bounds", "_counts", "_histogram", "_sum")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram: Final = histogram
        self._bounds: Final[list[float]] = list(histogram._upper_bounds)
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value in the bucket of the first bound that is no less."""
        self._sum += value
        self._counts[bisect_left(self._bounds, value)] += 1

    def write(self) -> None:
        """Add it to the library's histogram."""
        if not any(self._counts):
            return
        for bucket, count in zip(self._histogram._buckets, self._counts, strict=True):
            if count:
                bucket.inc(count)
        self._histogram._sum.inc(self._sum)
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0
