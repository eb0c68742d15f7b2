"""How much context `max_context` may fill."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from radsafe_bench.conditions.context import Context, fitting, of_chunks
from radsafe_bench.retrieval import Chunk

RESERVED: Final = 2048 + 4096 + 1000
"""Tokens kept free, as in the published protocol: prompt, answer with its reasoning, and a margin."""

BYTES_PER_TOKEN: Final = 2.5
"""Of the estimate where no tokenizer can be asked. English medical text has about four, so that the
estimate is on the safe side: a context may turn out shorter than it could be, never too long."""

_SEPARATOR: Final = 2
"""Tokens allowed for the blank line after a chunk."""

CountTokens = Callable[[str], Awaitable[int | None]]


@dataclass(frozen=True, slots=True)
class Window:
    """A context window in tokens, and whether lengths are counted by the server or estimated."""

    tokens: int
    counted: bool

    @property
    def budget(self) -> int:
        """Tokens that retrieved chunks may take; zero or less where there is no room for any."""
        return self.tokens - RESERVED


class MaxContext:
    """Fills a window with ranked chunks. Each chunk's length is asked for once."""

    def __init__(self, window: Window, count: CountTokens) -> None:
        self.window = window
        self._count = count
        self._lengths: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def of(self, ranked: Sequence[Chunk]) -> Context:
        """Return the context of the best chunks that fit."""
        lengths: list[int] = []
        used = 0
        async with self._one_at_a_time:
            for chunk in ranked:
                lengths.append(await self._length(chunk))
                used += lengths[-1]
                if used > self.window.budget:
                    break
        return of_chunks(fitting(ranked[: len(lengths)], lengths, self.window.budget))

    async def _length(self, chunk: Chunk) -> int:
        if chunk.id not in self._lengths:
            counted = await self._count(chunk.text) if self.window.counted else None
            self._lengths[chunk.id] = _SEPARATOR + (estimate(chunk.text) if counted is None else counted)
        return self._lengths[chunk.id]


def estimate(text: str) -> int:
    """Return a length in tokens that is rather too long than too short."""
    return int(len(text.encode()) / BYTES_PER_TOKEN) + 1
