"""Streams: the client hears keep-alive comments until a verdict, then what the verdict lets out."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from gatekeeper.errors import GatekeeperError
from gatekeeper.exchange import JsonObject
from gatekeeper.gate import Outcome
from gatekeeper.server.errors import as_gatekeeper_error
from gatekeeper.server.requests import while_connected
from gatekeeper.server.respond import error_response, render
from gatekeeper.server.runtime import Runtime
from gatekeeper.windowing import Release
from gatekeeper.wire.errors import error_body
from gatekeeper.wire.render import Rendered, render_stream, top_fields
from gatekeeper.wire.sse import DONE, encode_comment, encode_event
from gatekeeper.wire.surfaces import WIRES

Work = Callable[[Release], Coroutine[Any, Any, Outcome]]
"""Judges an answer, releasing what the policy lets out before its end."""

_END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


class Window:
    """The chunks of an answer that leaves in pieces: sentences first, then all that is left of it."""

    def __init__(self) -> None:
        self._sent = 0

    def sentence(self, text: str, top: JsonObject) -> bytes:
        """Return the event that carries judged text; `top` holds the fields beside the server's choices."""
        delta = {"content": text} if self._sent else {"role": "assistant", "content": text}
        self._sent += len(text)
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        fields, _ = top_fields(top)
        chunk = {**fields, "object": "chat.completion.chunk", "choices": [choice]}
        return encode_event(orjson.dumps(chunk))

    def rest(self, rendered: Rendered, outcome: Outcome) -> Iterator[bytes]:
        """Yield the events that end the answer: what has not left of it, or the notice in its place."""
        conversation = outcome.case.conversation
        if not self._sent:
            yield from WIRES[conversation.surface].events(rendered.body, conversation)
            return
        message = rendered.body["choices"][0]["message"]
        held = outcome.action.holds
        message["content"] = f"\n\n{message['content']}" if held else message["content"][self._sent :]
        for chunk in render_stream(rendered.body, include_usage=conversation.include_usage):
            for choice in chunk["choices"]:
                choice["delta"].pop("role", None)
            yield encode_event(orjson.dumps(chunk))
        yield encode_event(DONE)


class HeldStream:
    """An ASGI response that sends no word of an answer before its verdict.

    Headers go out with the first keep-alive comment or with the answer, whichever is first; so an
    upstream that fails at once is still answered with a plain error and its status.
    """

    def __init__(self, runtime: Runtime, decision_id: str, work: Work) -> None:
        self._runtime = runtime
        self._decision_id = decision_id
        self._work = work
        self._window = Window()
        self._started = False
        self._sending = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold, judge, then send everything; stop the work when the client goes."""

        async def release(text: str, top: JsonObject) -> None:
            await self._send(send, self._window.sentence(text, top))

        task = asyncio.create_task(self._work(release))
        try:
            await while_connected(scope, receive, self._hold(task, send))
            await self._finish(task, scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _hold(self, task: asyncio.Task[Outcome], send: Send) -> None:
        """Wait for the verdict, and say now and then that the connection is held."""
        while not (await asyncio.wait({task}, timeout=self._runtime.settings.keep_alive_s))[0]:
            await self._send(send, encode_comment("held"))

    async def _finish(self, task: asyncio.Task[Outcome], scope: Scope, receive: Receive, send: Send) -> None:
        try:
            outcome = task.result()
            rendered = render(outcome)
        except Exception as error:
            await self._fail(as_gatekeeper_error(error, self._runtime.metrics), scope, receive, send)
            return
        self._runtime.metrics.stripped.inc(rendered.dropped)
        for event in self._window.rest(rendered, outcome):
            await self._send(send, event)
        await send(_END)

    async def _fail(self, error: GatekeeperError, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._started:
            await error_response(error)(scope, receive, send)
            return
        await self._send(send, encode_event(orjson.dumps(error_body(error))))
        await send(_END)

    async def _send(self, send: Send, data: bytes) -> None:
        async with self._sending:
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
