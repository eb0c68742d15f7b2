"""Reading a request within bounds, and noticing that its client has gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request

from gatekeeper.errors import BodyTooLarge, InvalidRequest
from gatekeeper.exchange import JsonObject
from gatekeeper.wire.nesting import too_deep

T = TypeVar("T")


async def read_json(request: Request, limit: int) -> JsonObject:
    """Return the body as a JSON object of at most `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"the body is no valid JSON (line {error.lineno}, column {error.colno})", code="invalid_json"
        ) from None
    if not isinstance(data, dict):
        raise InvalidRequest("the body must be a JSON object", code="invalid_json")
    if too_deep(body, data):
        raise InvalidRequest("the body is nested too deeply", code="invalid_json")
    return data


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request is larger than {limit} bytes; send less, or raise max_body_bytes")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; cancel it and raise ClientDisconnect when the client goes first."""
    serving, at_work = _current_task(), True

    def leave(gone: asyncio.Task[None]) -> None:
        if at_work and not gone.cancelled():
            serving.cancel()

    gone = asyncio.create_task(_disconnected(request))
    gone.add_done_callback(leave)
    try:
        return await work
    except asyncio.CancelledError:
        if gone.done() and not serving.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        at_work = False
        gone.cancel()


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("A request is served inside a task.")
    return task


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
