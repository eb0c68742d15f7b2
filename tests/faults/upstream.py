"""A model server that shows each fault of real ones, told by the request which."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from aiohttp import web

from gatekeeper.exchange import Surface
from tests.faults.exchange import answer_of, mark, path_of, right, wrong

Show = Callable[[web.BaseRequest, Surface, int], Awaitable[web.StreamResponse]]

_SURFACES: Final = {path_of(surface): surface for surface in Surface}


async def faulty(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
    """Answer with the fault that the request's `user` names, streaming if asked to; without one rightly."""
    name, _, number = str(body.get("user", "none:0")).partition(":")
    surface = _SURFACES[request.path]
    if body.get("stream"):
        return await _stream(request, name, int(number))
    return await FAULTS[name](request, surface, int(number))


def _json(data: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=data, status=status, headers=headers, content_type="application/json")


def _body(make: Callable[[Surface, int], dict[str, Any]]) -> Show:
    async def show(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
        return _json(orjson.dumps(make(surface, number)), 200, {})

    return show


def _refusal(status: int, **headers: str) -> Show:
    async def show(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
        lost = mark("LOST", number)
        error = {"message": lost, "type": lost, "param": lost, "code": lost}
        return _json(orjson.dumps({"error": error}), status, {"X-Note": lost, **headers})

    return show


def _bytes(make: Callable[[str], bytes], **headers: str) -> Show:
    async def show(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
        return _json(make(mark("LOST", number)), 200, headers)

    return show


def _cut(*, ends: str) -> Show:
    """Send half a body, then close the connection, close the body as if it were whole, or hang."""

    async def show(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
        data = orjson.dumps(answer_of(surface, right(number, "LOST")))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(data[:-3])
        await _end(request, ends)
        return response

    return show


async def _end(request: web.BaseRequest, ends: str) -> None:
    if ends == "hang":
        await asyncio.Event().wait()
    if ends == "die" and request.transport is not None:
        request.transport.abort()


async def _slow(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
    data = orjson.dumps(answer_of(surface, right(number)))
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for at in range(0, len(data), 97):
        await asyncio.sleep(0.02)
        await response.write(data[at : at + 97])
    return response


async def _hang(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def _reset(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
    await _end(request, "die")
    return web.Response()


async def _no_http(request: web.BaseRequest, surface: Surface, number: int) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(f"HTTP/1.1 twohundred {mark('LOST', number)}\r\n\r\n".encode())
    request.transport.close()
    return web.Response()


def odd_fields(number: int) -> dict[str, Any]:
    """Return text where no protocol has any: unknown fields, names, words in ids."""
    lost = mark("LOST", number)
    return {
        "notes": lost,
        "extra": {"deep": [lost]},
        f"{lost}": 1,
        "system_fingerprint": f"words {lost}",
        "id": f"the answer is {lost}",
        "usage": {"prompt_tokens": 1, lost: 2, "more": {"text": lost}},
        "service_tier": f"{lost} {lost}",
        "annotations": [lost],
        "gatekeeper": {"action": lost},
    }


def rows_of(text: str, logprob: Any, **odd: Any) -> dict[str, Any]:
    """Return token probabilities of a text, one row per word."""
    words = [word if at == 0 else f" {word}" for at, word in enumerate(text.split(" "))]
    return {
        "content": [
            {"token": word, "logprob": logprob, "bytes": list(word.encode()), "top_logprobs": [], **odd}
            for word in words
        ]
    }


def with_rows(surface: Surface, number: int, logprob: Any, **odd: Any) -> dict[str, Any]:
    """Return a right answer with these token probabilities."""
    text = right(number)
    rows = rows_of(text, logprob, **odd)
    body = answer_of(surface, text)
    if surface is Surface.RESPONSES:
        body["output"][0]["content"][0]["logprobs"] = rows["content"]
    else:
        body["choices"][0]["logprobs"] = rows
    return body


def _no_choices(surface: Surface, number: int) -> dict[str, Any]:
    """Return things that are no choices in the place of choices."""
    body = answer_of(surface, right(number, "LOST"))
    body["choices" if "choices" in body else "output"] = [7, mark("LOST", number)]
    return body


def _beside(surface: Surface, number: int) -> dict[str, Any]:
    """Return rows whose texts say something else than their bytes."""
    return with_rows(surface, number, -0.5, token=mark("LOST", number))


BODIES: Final[dict[str, Callable[[Surface, int], dict[str, Any]]]] = {
    "none": lambda surface, number: answer_of(surface, right(number)),
    "wrong": lambda surface, number: answer_of(surface, wrong(number)),
    "odd": lambda surface, number: answer_of(surface, right(number), **odd_fields(number)),
    "odd_wrong": lambda surface, number: answer_of(surface, wrong(number), **odd_fields(number)),
    "zeros": lambda surface, number: with_rows(surface, number, 0.0),
    "sentinel": lambda surface, number: with_rows(surface, number, -9999.0),
    "beside": _beside,
    "no_choices": _no_choices,
    "error_200": lambda surface, number: {"error": {"message": mark("LOST", number)}},
    "empty": lambda surface, number: {},
}
"""Bodies that arrive whole."""

FAULTS: Final[dict[str, Show]] = {
    **{name: _body(make) for name, make in BODIES.items()},
    "429": _refusal(429, **{"Retry-After": "0"}),
    "500": _refusal(500),
    "503": _refusal(503),
    "400": _refusal(400),
    "302": _refusal(302, Location="http://127.0.0.1:9/elsewhere"),
    "garbage": _bytes(lambda lost: f"<html>{lost}</html>".encode()),
    "half_json": _bytes(lambda lost: f'{{"choices": [{{"message": {{"content": "{lost}'.encode()),
    "deep": _bytes(lambda lost: b'{"choices":' * 300 + f'"{lost}"'.encode() + b"}" * 300),
    "no_text": _bytes(lambda lost: b"\xff\xfe" + lost.encode("utf-16")),
    "no_gzip": _bytes(str.encode, **{"Content-Encoding": "gzip"}),
    "dies": _cut(ends="die"),
    "truncated": _cut(ends="close"),
    "hangs_midway": _cut(ends="hang"),
    "slow": _slow,
    "hangs": _hang,
    "resets": _reset,
    "no_http": _no_http,
}

DELIVERED: Final = frozenset({"none", "slow", "odd", "zeros", "sentinel", "beside"})
"""After these the answer is right and arrives."""

_MIDWAY: Final = {"dies": "die", "truncated": "close", "half_json": "close", "hangs_midway": "hang"}


async def _stream(request: web.BaseRequest, name: str, number: int) -> web.StreamResponse:
    """Stream an answer as chunks: whole, with text in odd places, or broken in its second half."""
    if name not in {*BODIES, *_MIDWAY, "slow", "garbage"} or name in {"no_choices", "error_200", "empty"}:
        return await FAULTS[name](request, Surface.CHAT, number)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in events_of(name, number):
        await asyncio.sleep(0.01 if name == "slow" else 0)
        await response.write(event)
    if name in _MIDWAY:
        await _end(request, _MIDWAY[name])
    return response


def chunks_of(name: str, number: int) -> list[dict[str, Any]]:
    """Return the chunks of a streamed answer, without an end where the fault cuts it off."""
    odd = odd_fields(number) if name.startswith("odd") else {}
    cut = name in {*_MIDWAY, "garbage"}
    text = wrong(number) if name in {"wrong", "odd_wrong"} else right(number)
    if cut:
        text = f"{right(number, 'PART')} And then {mark('LOST', number)}"
    chunks = [
        {
            "id": "x-1",
            "object": "chat.completion.chunk",
            "model": "fake-model",
            "choices": [{"index": 0, "finish_reason": None, "delta": {"content": text[at : at + 23], **odd}}],
            **odd,
        }
        for at in range(0, len(text), 23)
    ]
    ended = {"index": 0, "finish_reason": "stop", "delta": {}}
    return chunks if cut else [*chunks, {"id": "x-1", "choices": [ended]}]


def events_of(name: str, number: int) -> list[bytes]:
    """Return the bytes of a streamed answer, event by event."""
    events = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks_of(name, number)]
    lost = mark("LOST", number).encode()
    match name:
        case "garbage":
            events.append(b"data: {" + lost + b"\n\n")
        case "half_json":
            events.append(b'data: {"choices": [{"delta": {"content": "' + lost)
        case "dies" | "truncated" | "hangs_midway":
            pass
        case _:
            events.append(b"data: [DONE]\n\n")
    return events
