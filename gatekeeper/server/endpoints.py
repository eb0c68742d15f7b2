"""The endpoints. Everything that carries an answer goes through `Runtime.answer`; nothing else may."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

import orjson
import yaml
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gatekeeper.backends.upstream import JUDGE_HEADER
from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Conversation, JsonObject, Surface
from gatekeeper.gate import Outcome, new_decision_id
from gatekeeper.server.errors import as_gatekeeper_error
from gatekeeper.server.requests import header, read_json, while_connected
from gatekeeper.server.respond import error_response, json_response, render, whole
from gatekeeper.server.runtime import Runtime
from gatekeeper.server.streaming import HeldStream
from gatekeeper.windowing import Release
from gatekeeper.wire.passed import embeddings_body, models_body
from gatekeeper.wire.surfaces import WIRES

SUPPORTED = (
    *(f"POST /v1{wire.path}" for wire in WIRES.values()),
    "POST /v1/embeddings",
    "GET /v1/models",
    "GET /v1/gatekeeper/decisions/{id}",
    "POST /v1/gatekeeper/outcomes",
    "GET /v1/gatekeeper/reviews",
    "GET /v1/gatekeeper/reviews/{id}",
    "POST /v1/gatekeeper/reviews/{id}/reserve",
    "POST /v1/gatekeeper/reviews/{id}/resolve",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /openapi.json",
)

_JUDGE: Final = JUDGE_HEADER.encode()

Endpoint = Callable[[Request], Awaitable[ASGIApp]]


def runtime_of(request: Request) -> Runtime:
    """Return the process's runtime."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def application_of(request: Request) -> str:
    """Return the name of the application's key, "" where no keys are configured; raise Unauthorized."""
    return runtime_of(request).client_of(header(request.scope, b"authorization"))


def guarded(
    endpoint: Endpoint, client_of: Callable[[Request], str] = application_of
) -> Callable[[Request], Awaitable[ASGIApp]]:
    """Check the key before an endpoint, and answer every failure in OpenAI's error shape."""

    async def handle(request: Request) -> ASGIApp:
        try:
            request.state.client = client_of(request)
            return await endpoint(request)
        except Exception as error:
            return _failed(error, runtime_of(request))

    return handle


def _failed(error: Exception, runtime: Runtime) -> ASGIApp:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=499)
    return error_response(as_gatekeeper_error(error, runtime.metrics))


class Judged:
    """The endpoint of a surface that carries answers; an ASGI application, for which no Request is made."""

    def __init__(self, runtime: Runtime, surface: Surface) -> None:
        self._runtime = runtime
        self._parse = WIRES[surface].parse_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request; every failure is answered in OpenAI's error shape."""
        try:
            response = await self._response(scope, receive)
        except Exception as error:
            response = _failed(error, self._runtime)
        await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> ASGIApp:
        runtime = self._runtime
        client = runtime.client_of(header(scope, b"authorization"))
        if header(scope, _JUDGE) is not None:
            raise InvalidRequest("A gate judges no judge: give --judge-upstream the model server's address.")
        conversation = self._parse(await read_json(scope, receive, runtime.settings.max_body_bytes))
        decision_id = new_decision_id()
        work = partial(_admitted, runtime, conversation, decision_id, client)
        if conversation.stream:
            return HeldStream(runtime, decision_id, work)
        outcome = await while_connected(scope, receive, work())
        rendered = render(outcome)
        if rendered.dropped:
            runtime.metrics.stripped.inc(rendered.dropped)
        return whole(outcome, rendered)


async def _admitted(
    runtime: Runtime,
    conversation: Conversation,
    decision_id: str,
    client: str,
    release: Release | None = None,
) -> Outcome:
    async with runtime.admission:
        return await runtime.answer(conversation, decision_id, client, release)


async def embeddings(request: Request) -> ASGIApp:
    """`POST /v1/embeddings`: vectors carry no answer to judge, so they are passed on, and no text."""
    runtime = runtime_of(request)
    body = await read_json(request.scope, request.receive, runtime.settings.max_body_bytes)
    found = await while_connected(request.scope, request.receive, _embedded(runtime, body))
    return json_response(embeddings_body(found))


async def _embedded(runtime: Runtime, body: JsonObject) -> JsonObject:
    async with runtime.admission:
        return await runtime.backend.embed(body)


async def models(request: Request) -> ASGIApp:
    """`GET /v1/models`."""
    return json_response(models_body(await runtime_of(request).backend.models()))


async def healthz(request: Request) -> Response:
    """`GET /healthz`: the process runs."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> ASGIApp:
    """`GET /readyz`: a request sent now would be judged."""
    runtime = runtime_of(request)
    backend = await runtime.backend.healthy()
    policy = runtime.gate.bundle.policy
    certification = runtime.certification
    cleared = certification is None or not certification.expired
    state = {
        "ready": runtime.ready and backend and cleared,
        "backend": {"name": runtime.backend.name, "healthy": backend},
        "policy": {"name": policy.name, "version": policy.version, "mode": policy.mode},
        **({"certificate": certification.state()} if certification else {}),
    }
    return json_response(state, 200 if state["ready"] else 503)


async def metrics(request: Request) -> Response:
    """`GET /metrics` in Prometheus' text format."""
    body = runtime_of(request).metrics.exposition()
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


async def openapi(request: Request) -> Response:
    """`GET /openapi.json`: what this server understands, as an OpenAPI 3.1 document."""
    return Response(await asyncio.to_thread(_document), media_type="application/json")


@cache
def _document() -> bytes:
    return orjson.dumps(yaml.safe_load(Path(__file__).with_name("openapi.yaml").read_bytes()))
