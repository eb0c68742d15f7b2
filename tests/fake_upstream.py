"""A model server on loopback that answers as it is told, with the wire formats and faults of real ones.

    with FakeUpstream() as upstream:
        upstream.play(status(429, retry_after="0"), golden("vllm_reasoning"))
        …  # the first chat request gets the 429, every later one the golden answer

`python -m tests.fake_upstream --port 9000 [--golden openai]` serves one golden answer until interrupted.
"""

import argparse
import asyncio
import contextlib
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson
from aiohttp import web

GOLDEN = Path(__file__).parent / "fixtures" / "wire"
CANARY = "Erika Mustermann, born 1969-08-12, MRN 4711-0815"
"""Stands in upstream errors; it must never be seen on this side of the gate."""

Act = Callable[[web.BaseRequest, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(slots=True)
class FakeUpstream:
    """Serves in a thread of its own, so that tests with and without an event loop can use it."""

    port: int = 0
    models: Sequence[str] = ("fake-model",)
    received: list[Received] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)
    models_act: Act | None = None
    _peers: set[Any] = field(default_factory=set)
    _acts: list[Act] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address that a client is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of the chat requests so far."""
        return [request.body for request in self.received if request.path.endswith("/chat/completions")]

    @property
    def connections(self) -> int:
        """How many connections requests came over."""
        return len(self._peers)

    def play(self, *acts: Act) -> None:
        """Answer the next requests for answers with these acts in turn, and all later ones with the last."""
        self._acts[:] = acts

    def __enter__(self) -> Self:
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise RuntimeError("the fake upstream did not start")
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(10)

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._listening())
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _listening(self) -> web.ServerRunner:
        server = web.Server(self._answer, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        return runner

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        data = await request.read()
        body = orjson.loads(data) if data else {}
        self._peers.add(request.transport and request.transport.get_extra_info("peername"))
        self.received.append(Received(request.path, dict(request.headers), body))
        if request.path.endswith("/models"):
            if self.models_act is not None:
                return await self.models_act(request, body)
            listed = [{"id": name, "object": "model", "created": 0, "owned_by": "x"} for name in self.models]
            return web.json_response({"object": "list", "data": listed})
        if request.path.endswith("/embeddings"):
            rows = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}]
            return web.json_response({"object": "list", "data": rows, "model": self.models[0]})
        if not request.path.endswith(("/completions", "/responses")) or not self._acts:
            return web.json_response({"error": {"message": "nothing to play"}}, status=404)
        self.asked.set()
        act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
        try:
            return await act(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.abandoned.set()
            raise


def json_body(body: Any, *, delay_s: float = 0.0) -> Act:
    """Answer with a JSON body, after a while."""
    return raw(orjson.dumps(body), delay_s=delay_s)


def raw(
    data: bytes,
    *,
    status_code: int = 200,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
    delay_s: float = 0.0,
) -> Act:
    """Answer with these bytes, whatever they are."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(delay_s)
        return web.Response(body=data, status=status_code, content_type=content_type, headers=headers)

    return act


def status(code: int, *, message: str = CANARY, retry_after: str | None = None, error: str = "x") -> Act:
    """Answer with an error that quotes a patient."""
    data = {"error": {"message": message, "type": "server_error", "param": None, "code": error}}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return raw(orjson.dumps(data), status_code=code, headers=headers)


def golden(name: str) -> Act:
    """Answer as the server of a golden file does, streaming if asked to."""
    recorded = load(name)

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        if body.get("stream"):
            return await stream(recorded["chunks"])(request, body)
        return web.Response(body=orjson.dumps(recorded["body"]), content_type="application/json")

    return act


def stream(
    chunks: Iterable[Any],
    *,
    line_end: bytes = b"\n",
    comments: bool = False,
    done: bool = True,
    dies: bool = False,
    pause_s: float = 0.0,
    write_size: int | None = None,
) -> Act:
    """Answer with a stream of events.

    `dies` closes the connection in place of the end, `write_size` cuts the bytes without regard to
    lines and characters, `pause_s` passes before each event.
    """
    events = [b"data: " + orjson.dumps(chunk) + line_end * 2 for chunk in chunks]
    if comments:
        events = [b": keep-alive" + line_end * 2 + b"event: message" + line_end + event for event in events]
    if done:
        events.append(b"data: [DONE]" + line_end * 2)
    if write_size is not None:
        whole = b"".join(events)
        events = [whole[at : at + write_size] for at in range(0, len(whole), write_size)]

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await asyncio.sleep(pause_s)
            await response.write(event)
        if dies and request.transport is not None:
            request.transport.abort()
        return response

    return act


def spoken(*pieces: str | threading.Event) -> Act:
    """Stream pieces of an answer; at an event the model thinks until the test sets it."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        top = {"id": "chatcmpl-F1", "object": "chat.completion.chunk", "created": 1, "model": "fake-model"}
        return b"data: " + orjson.dumps({**top, "choices": [choice]}) + b"\n\n"

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        if not body.get("stream"):
            text = "".join(piece for piece in pieces if isinstance(piece, str))
            message = {"role": "assistant", "content": text}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            return web.json_response({"id": "chatcmpl-F1", "model": "fake-model", "choices": choices})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(chunk({"role": "assistant", "content": ""}))
        for piece in pieces:
            if isinstance(piece, str):
                await response.write(chunk({"content": piece}))
            # The event belongs to the test's thread, so it cannot be awaited here.
            while isinstance(piece, threading.Event) and not piece.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await response.write(chunk({}, "stop") + b"data: [DONE]\n\n")
        return response

    return act


def hang() -> Act:
    """Take the request and never answer it."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    return act


def hang_up() -> Act:
    """Close the connection in place of an answer."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        await asyncio.Event().wait()
        raise AssertionError

    return act


def unless(refuses: Callable[[dict[str, Any]], bool], refusal: Act, otherwise: Act) -> Act:
    """Answer with the refusal where the request asks for something."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        return await (refusal if refuses(body) else otherwise)(request, body)

    return act


def load(name: str) -> dict[str, Any]:
    """Return a golden file: `server`, `trap`, `body` and `chunks`, and what they are to be read as."""
    recorded: dict[str, Any] = orjson.loads((GOLDEN / f"{name}.json").read_bytes())
    return recorded


def names() -> list[str]:
    """Return the names of all golden files."""
    return sorted(path.stem for path in GOLDEN.glob("*.json"))


def main() -> None:
    """Serve one golden answer."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--golden", choices=names(), default="openai")
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt), FakeUpstream(port=given.port) as upstream:
        upstream.play(golden(given.golden))
        for _ in itertools.repeat(None):
            threading.Event().wait(3600)


if __name__ == "__main__":
    main()
