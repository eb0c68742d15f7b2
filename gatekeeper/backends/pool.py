"""Several model servers behind one gate: weighted choice, health checks, failover before the first token."""

import asyncio
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, TypeVar

from gatekeeper.backends.base import Backend, Capabilities
from gatekeeper.errors import ConfigurationError, UpstreamError
from gatekeeper.exchange import Case, Completion, JsonObject
from gatekeeper.wire.passed import models_body

CHECK_EVERY_S: Final = 10.0
"""Seconds between health checks, on average: each pause is drawn from half to one and a half of it."""

_T = TypeVar("_T")
_UPSTREAM: Final = re.compile(r"(?P<url>[^=#\s]+)(?:=(?P<weight>[1-9]\d{0,3}))?(?:#(?P<fingerprint>\S+))?")
_ELSEWHERE: Final = frozenset({401, 403, 404, 408, 429})
"""Refusals that another server may not share; a request that is wrong is wrong everywhere."""

_AWAY: Final = frozenset({502, 503, 504})


class Upstream(NamedTuple):
    """One server as it is written in the settings."""

    url: str
    weight: int = 1
    fingerprint: str | None = None


def parse_upstream(text: str) -> Upstream:
    """Read `URL[=WEIGHT][#FINGERPRINT]`, such as `http://gpu1:8000/v1=3#Q8`; raises ConfigurationError."""
    found = _UPSTREAM.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"{text}: an upstream is written URL, URL=WEIGHT (1 to 9999) or URL=WEIGHT#FINGERPRINT"
        )
    return Upstream(found["url"], int(found["weight"] or 1), found["fingerprint"])


@dataclass(slots=True)
class _Member:
    backend: Backend
    weight: int
    up: bool = True


class Pool:
    """A Backend made of several; each request goes to one, chosen by weight among those that are up.

    While nothing of an answer has been seen, a failing server's request goes on to the next; servers
    that are down are tried last, so that a wrong verdict on all of them stops nothing. Every Completion
    carries the fingerprint of the server that gave it.
    """

    name: Final = "openai"

    def __init__(
        self,
        members: Iterable[tuple[Backend, int]],
        *,
        check_every_s: float = CHECK_EVERY_S,
        chance: random.Random | None = None,
    ) -> None:
        self._members = [_Member(backend, weight) for backend, weight in members]
        self._check_every_s = check_every_s
        self._chance = chance or random.SystemRandom()
        self._checks: asyncio.Task[None] | None = None

    @property
    def fingerprint(self) -> str | None:
        """Name the model where all servers have the same; None where an answer may come from several."""
        names = {member.backend.fingerprint for member in self._members}
        return names.pop() if len(names) == 1 else None

    async def start(self) -> Capabilities:
        """Start every server's client and the health checks; return what all of them can do."""
        found = await asyncio.gather(*(member.backend.start() for member in self._members))
        await self._check_all()
        self._checks = asyncio.create_task(self._check_regularly())
        return Capabilities(
            logprobs=all(can.logprobs for can in found),
            top_logprobs=min(can.top_logprobs for can in found),
            logprobs_with_tools=all(can.logprobs_with_tools for can in found),
            logprobs_with_stream=all(can.logprobs_with_stream for can in found),
            models=tuple(dict.fromkeys(name for can in found for name in can.models)),
            notes=tuple(dict.fromkeys(note for can in found for note in can.notes)),
        )

    async def close(self) -> None:
        """End the checks and close every client."""
        if self._checks is not None:
            self._checks.cancel()
            with suppress(asyncio.CancelledError):
                await self._checks
        await asyncio.gather(*(member.backend.close() for member in self._members))

    async def healthy(self) -> bool:
        """Whether a server was up when last seen; one that is down is asked again at once."""
        if not any(member.up for member in self._members):
            await self._check_all()
        return any(member.up for member in self._members)

    def up(self) -> tuple[bool, ...]:
        """Return which servers were up when last seen, in the order given."""
        return tuple(member.up for member in self._members)

    async def complete(self, case: Case) -> Completion:
        """Let one server generate all choices, the next one if it fails."""
        return await self._first(lambda backend: backend.complete(case))

    async def stream(self, case: Case) -> AsyncGenerator[JsonObject, None]:
        """Yield one server's chunks; another's only where the first one fails before any."""
        order = self._order()
        for member in order:
            begun = False
            try:
                async with _closed(member.backend.stream(case)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
            except UpstreamError as error:
                if not self._goes_on(member, error) or begun or member is order[-1]:
                    raise
            else:
                return

    async def models(self) -> JsonObject:
        """Return the models of all servers that answer, each id once. Raises where none does."""
        lists = await asyncio.gather(*map(_models, self._members), return_exceptions=True)
        answered = [listed for listed in lists if not isinstance(listed, BaseException)]
        for failure in lists:
            if isinstance(failure, BaseException) and not answered:
                raise failure
        data: dict[str, JsonObject] = {}
        for model in chain.from_iterable(answered):
            data.setdefault(model.get("id", ""), model)
        return {"object": "list", "data": list(data.values())}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Return one server's embeddings."""
        return await self._first(lambda backend: backend.embed(body))

    async def _first(self, ask: Callable[[Backend], Awaitable[_T]]) -> _T:
        """Return the first answer that a server gives."""
        order = self._order()
        for member in order:
            try:
                return await ask(member.backend)
            except UpstreamError as error:
                if not self._goes_on(member, error) or member is order[-1]:
                    raise
        raise AssertionError("the last server answers or raises")

    def _order(self) -> Sequence[_Member]:
        """Return the servers in the order to try: those that are up first, drawn by weight.

        Sorting by u^(1/w) with u uniform draws without replacement (Efraimidis and Spirakis 2006).
        """
        return sorted(
            self._members,
            key=lambda member: (member.up, self._chance.random() ** (1.0 / member.weight)),
            reverse=True,
        )

    def _goes_on(self, member: _Member, error: UpstreamError) -> bool:
        """Note what a failure says of the server; return whether another may do better."""
        if error.status in _AWAY:
            member.up = False
        return error.status >= 500 or error.status in _ELSEWHERE

    async def _check_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._check_every_s * self._chance.uniform(0.5, 1.5))
            await self._check_all()

    async def _check_all(self) -> None:
        await asyncio.gather(*map(_check, self._members))


async def _models(member: _Member) -> list[JsonObject]:
    listed: list[JsonObject] = models_body(await member.backend.models())["data"]
    return listed


async def _check(member: _Member) -> None:
    try:
        member.up = await member.backend.healthy()
    except Exception:
        # Whatever a server does to its check, the others' go on.
        member.up = False


@asynccontextmanager
async def _closed(chunks: AsyncIterator[JsonObject]) -> AsyncIterator[AsyncIterator[JsonObject]]:
    """Yield a stream that ends with the block, so that leaving early stops the generation."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
