"""Bytes of tokens → text that may leave, cut before the first stop sequence."""

import codecs
from collections.abc import Sequence


class Text:
    """Text that grows by tokens, which may end within a character or within a stop sequence.

    What could still become a stop sequence is held back. `size` counts the bytes let go so far.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop.encode() for stop in stops if stop]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""
        self.size = 0
        self.stopped = False

    def add(self, data: bytes) -> str:
        """Add a token's bytes and return the text that is certain now."""
        self._held += data
        ends = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if ends:
            self.stopped = True
            return self._let_go(min(ends))
        return self._let_go(len(self._held) - self._beginning_of_a_stop())

    def finish(self) -> str:
        """Return what was held back; an incomplete character becomes U+FFFD."""
        rest = "" if self.stopped else self._let_go(len(self._held))
        return rest + self._decoder.decode(b"", final=True)

    def _let_go(self, count: int) -> str:
        data, self._held = self._held[:count], self._held[count:]
        self.size += count
        return self._decoder.decode(data)

    def _beginning_of_a_stop(self) -> int:
        """Return how many of the last bytes could be the beginning of a stop sequence."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for count in range(min(longest, len(self._held)), 0, -1):
            tail = self._held[-count:]
            if any(stop.startswith(tail) for stop in self._stops):
                return count
        return 0
