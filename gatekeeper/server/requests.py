"""Reading a request within bounds, and noticing that its client has gone."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from gatekeeper.errors import BodyTooLarge, InvalidRequest
from gatekeeper.exchange import JsonObject
from gatekeeper.server.connection import CLIENT, Client
from gatekeeper.wire.nesting import too_deep

T = TypeVar("T")


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the value of a request's header, its name in lower case, or None without one."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


async def read_json(scope: Scope, receive: Receive, limit: int) -> JsonObject:
    """Return the body as a JSON object of at most `limit` bytes."""
    declared = header(scope, b"content-length") or b""
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = await _read(receive, limit)
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


async def _read(receive: Receive, limit: int) -> bytes:
    """Return the body, most often the only piece that it comes in; raise ClientDisconnect without its end."""
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
        size += len(pieces[-1])
        if size > limit:
            raise _too_large(limit)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the request is larger than {limit} bytes; send less, or raise max_body_bytes")


async def while_connected(scope: Scope, receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; cancel it and raise ClientDisconnect when the client goes first.

    The gate's own connections tell of that; with any other server a task waits for it.
    """
    serving, gone = _current_task(), False

    def leave() -> None:
        nonlocal gone
        gone = True
        serving.cancel()

    client: Client | None = scope.get("extensions", {}).get(CLIENT)
    waiting = None
    if client is not None:
        client.tell(leave)
    else:
        waiting = asyncio.create_task(_disconnected(receive, leave))
    try:
        return await work
    except asyncio.CancelledError:
        if gone and not serving.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        if client is not None:
            client.tell_no_more(leave)
        elif waiting is not None:
            waiting.cancel()


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("A request is served inside a task.")
    return task


async def _disconnected(receive: Receive, leave: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    leave()
