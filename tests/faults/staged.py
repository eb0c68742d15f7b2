"""The same faults without sockets: a model server's client in this process, for thousands of requests."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from copy import copy
from typing import Any

import orjson

from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.upstream import UpstreamClient
from gatekeeper.errors import UpstreamError, UpstreamGarbled, UpstreamTimeout
from gatekeeper.exchange import Surface
from gatekeeper.wire.rows import typical
from gatekeeper.wire.surfaces import WIRES
from tests.faults.upstream import BODIES, chunks_of

_SURFACES = {wire.path: surface for surface, wire in WIRES.items()}

_RAISED: dict[str, UpstreamError] = {
    "429": UpstreamError("The model server answered with status 429.", status=429, retry_after=1),
    "500": UpstreamError("The model server answered with status 500.", status=500),
    "resets": UpstreamError("The model server broke off its answer."),
    "garbage": UpstreamGarbled("The model server's answer is no JSON object."),
    "late": UpstreamTimeout("The model server gave no answer before the deadline."),
}
STAGED = (*BODIES, *_RAISED, "hangs", "hangs_midway", "dies", "bug")
"""Faults by name; `bug` is an error that nobody expected, which quotes the answer."""


class StagedClient(UpstreamClient):
    """Answers as the request's `user` says."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")

    async def open(self) -> None:
        """Nothing to open."""

    async def get(self, path: str, *, timeout_s: float | None = None) -> dict[str, Any]:
        """Return the one model."""
        return {"object": "list", "data": [{"id": "fake-model"}]}

    async def post(
        self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None, as_rows: bool = False
    ) -> dict[str, Any]:
        """Return the body that stands for a fault, or fail."""
        name, number = _asked(body)
        await self._fail(name, number)
        make = BODIES.get(name, BODIES["none"])
        data = orjson.dumps(make(_SURFACES[path], number))
        found: dict[str, Any] = (typical(data) if as_rows else None) or orjson.loads(data)
        return found

    async def events(
        self, path: str, body: Mapping[str, object], *, timeout_s: float | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the chunks that stand for a fault, or fail in their midst."""
        name, number = _asked(body)
        midway = name in {"hangs_midway", "dies"}
        if not midway:
            await self._fail(name, number)
        if name in {"no_choices", "error_200", "empty"}:
            yield BODIES[name](Surface.CHAT, number)
            return
        for chunk in chunks_of(name, number):
            await asyncio.sleep(0)
            yield chunk
        if midway:
            await self._fail(name, number)

    async def _fail(self, name: str, number: int) -> None:
        await asyncio.sleep(0)
        if name in _RAISED:
            raise copy(_RAISED[name])  # an error raised again would keep every request that met it
        if name in {"hangs", "hangs_midway"}:
            await asyncio.Event().wait()
        if name == "dies":
            raise UpstreamError("The model server broke off its answer.")
        if name == "bug":
            raise ValueError(chunks_of("wrong", number))


def _asked(body: Mapping[str, object]) -> tuple[str, int]:
    name, _, number = str(body.get("user", "none:0")).partition(":")
    return name, int(number)


def staged_backend() -> OpenAIBackend:
    """Return a backend before such a model server."""
    return OpenAIBackend(StagedClient())
