"""The ASGI application, and the server that runs it."""

import contextlib
import gc
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatekeeper.backends.base import Backend
from gatekeeper.errors import GatekeeperError, NotSupported
from gatekeeper.server import endpoints, review_api
from gatekeeper.server.endpoints import guarded
from gatekeeper.server.respond import error_response
from gatekeeper.server.runtime import Runtime
from gatekeeper.settings import Settings
from gatekeeper.wire.surfaces import WIRES


def create_app(settings: Settings, backend: Backend | None = None) -> Starlette:
    """Return the application; raises the tree's errors when settings or policy cannot be used."""
    runtime = Runtime(settings, backend)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with runtime.running():
            yield

    app = Starlette(
        routes=[
            *(
                Route(f"/v1{wire.path}", guarded(endpoints.judged(surface)), methods=["POST"])
                for surface, wire in WIRES.items()
            ),
            Route("/v1/embeddings", guarded(endpoints.embeddings), methods=["POST"]),
            *review_api.ROUTES,
            Route("/v1/models", guarded(endpoints.models), methods=["GET"]),
            Route("/healthz", endpoints.healthz, methods=["GET"]),
            Route("/readyz", endpoints.readyz, methods=["GET"]),
            Route("/metrics", endpoints.metrics, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_served},
        lifespan=lifespan,
    )
    app.state.runtime = runtime
    return app


async def _not_served(request: Request, error: Exception) -> Response:
    """Refuse unknown paths and methods in OpenAI's shape: nothing is passed through unjudged."""
    wrong_method = isinstance(error, HTTPException) and error.status_code == 405
    what = "that method" if wrong_method else "that path"
    refusal: GatekeeperError = NotSupported(
        f"this gate does not serve {what}; it serves {', '.join(endpoints.SUPPORTED)}"
    )
    if wrong_method:
        refusal.status = 405
    return error_response(refusal)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what runs, at most `drain_s` seconds."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=int(settings.drain_s),
    )
    _Server(config).run()


class _Server(uvicorn.Server):
    """A server whose garbage collector leaves alone what lives as long as the process.

    Otherwise it walks every loaded module again and again, for tens of milliseconds in mid-request.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then set the start-up objects apart and collect the young ones less often."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
