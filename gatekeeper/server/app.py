"""The ASGI application."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gatekeeper.backends.base import Backend
from gatekeeper.errors import GatekeeperError, NotSupported
from gatekeeper.monitoring.shared import SharedMetrics
from gatekeeper.server import endpoints, review_api
from gatekeeper.server.endpoints import guarded
from gatekeeper.server.respond import error_response
from gatekeeper.server.runtime import Runtime
from gatekeeper.settings import Settings
from gatekeeper.wire.surfaces import WIRES


class _Application(Starlette):
    """Serves paths, with a short way to those that carry answers: past middleware, routes and patterns."""

    def __init__(self, judged: Mapping[str, ASGIApp], **given: Any) -> None:
        super().__init__(**given)
        self._judged = judged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the start and the end of the process."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._judged:
            await self._judged[scope["path"]](scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: Settings, backend: Backend | None = None, shared: SharedMetrics | None = None
) -> Starlette:
    """Return the application; raises the tree's errors when settings or policy cannot be used.

    One of several workers gives the metrics that it shares with the others.
    """
    runtime = Runtime(settings, backend, shared)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with runtime.running():
            yield

    judged = {f"/v1{wire.path}": endpoints.Judged(runtime, surface) for surface, wire in WIRES.items()}
    app = _Application(
        judged,
        routes=[
            *(Route(path, endpoint, methods=["POST"]) for path, endpoint in judged.items()),
            Route("/v1/embeddings", guarded(endpoints.embeddings), methods=["POST"]),
            *review_api.ROUTES,
            Route("/v1/models", guarded(endpoints.models), methods=["GET"]),
            Route("/healthz", endpoints.healthz, methods=["GET"]),
            Route("/readyz", endpoints.readyz, methods=["GET"]),
            Route("/metrics", endpoints.metrics, methods=["GET"]),
            Route("/openapi.json", endpoints.openapi, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_served},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would repeat what the client calls this host
    app.state.runtime = runtime
    return app


async def _not_served(request: Request, error: Exception) -> ASGIApp:
    """Refuse unknown paths and methods in OpenAI's shape: nothing is passed through unjudged."""
    wrong_method = isinstance(error, HTTPException) and error.status_code == 405
    what = "that method" if wrong_method else "that path"
    under_v1 = any(served.endswith(f" /v1{request.url.path}") for served in endpoints.SUPPORTED)
    hint = "is /v1 missing from the base URL? " if under_v1 else ""
    refusal: GatekeeperError = NotSupported(
        f"this gate does not serve {what}; {hint}it serves {', '.join(endpoints.SUPPORTED)}"
    )
    if wrong_method:
        refusal.status = 405
    return error_response(refusal)
