"""The hold-back stream: the client hears keep-alive comments until the verdict, then a proper stream."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from gatekeeper.errors import GatekeeperError
from gatekeeper.gate import Outcome
from gatekeeper.server.errors import as_gatekeeper_error
from gatekeeper.server.respond import error_response, render
from gatekeeper.server.runtime import Runtime
from gatekeeper.wire.errors import error_body
from gatekeeper.wire.sse import encode_comment, encode_event
from gatekeeper.wire.surfaces import WIRES


class HeldStream:
    """An ASGI response that judges a whole answer before it sends a word of it.

    Headers go out with the first keep-alive comment or with the answer, whichever is first; so an
    upstream that fails at once is still answered with a plain error and its status.
    """

    def __init__(self, runtime: Runtime, decision_id: str, work: Coroutine[Any, Any, Outcome]) -> None:
        self._runtime = runtime
        self._decision_id = decision_id
        self._work = work
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold, judge, then send everything; stop the work when the client goes."""
        task = asyncio.create_task(self._work)
        gone = asyncio.create_task(_disconnected(receive))
        try:
            while not task.done() and not gone.done():
                await asyncio.wait(
                    {task, gone},
                    timeout=self._runtime.settings.keep_alive_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not task.done() and not gone.done():
                    await self._send(send, encode_comment("held"))
            if task.done():
                await self._finish(task, scope, receive, send)
        finally:
            gone.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _finish(self, task: asyncio.Task[Outcome], scope: Scope, receive: Receive, send: Send) -> None:
        try:
            outcome = task.result()
            rendered = render(outcome)
        except Exception as error:
            await self._fail(as_gatekeeper_error(error, self._runtime.metrics), scope, receive, send)
            return
        self._runtime.metrics.stripped.inc(rendered.dropped)
        conversation = outcome.case.conversation
        for event in WIRES[conversation.surface].events(rendered.body, conversation):
            await self._send(send, event)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _fail(self, error: GatekeeperError, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._started:
            await error_response(error)(scope, receive, send)
            return
        await self._send(send, encode_event(orjson.dumps(error_body(error))))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, data: bytes) -> None:
        if not self._started:
            self._started = True
            await send(self._start())
        await send({"type": "http.response.body", "body": data, "more_body": True})

    def _start(self) -> Message:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            (b"x-gatekeeper-decision-id", self._decision_id.encode()),
        ]
        return {"type": "http.response.start", "status": 200, "headers": headers}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
