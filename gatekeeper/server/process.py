"""Serving: one process, or several workers under a supervisor."""

import asyncio
import functools
import gc
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import uvicorn
from starlette.applications import Starlette

from gatekeeper.audit.trails import worker_file
from gatekeeper.errors import ConfigurationError, GatekeeperError
from gatekeeper.monitoring.logs import set_up_logging
from gatekeeper.monitoring.shared import SharedMetrics, forget
from gatekeeper.server.app import create_app
from gatekeeper.server.workers import Place, Supervisor, listening
from gatekeeper.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish what runs, at most `drain_s` seconds.

    Raises the tree's errors where it cannot start. With several workers it ends the process when they
    have ended, with their supervisor's exit code.
    """
    if settings.workers == 1:
        _Server(_config(settings, create_app(settings))).run()
        return
    listeners = _listen(settings.host, settings.port)
    with tempfile.TemporaryDirectory(prefix="gatekeeper-") as folder:
        work = functools.partial(_work, settings, listeners, Path(folder))
        bury = functools.partial(forget, Path(folder))
        code = Supervisor(settings.workers, listeners, work, bury, settings.drain_s).run()
    sys.exit(code)


def _work(settings: Settings, listeners: Sequence[socket.socket], folder: Path, place: Place) -> None:
    """Serve as one of several workers, with a decision log of its own."""
    set_up_logging(settings.log_level, worker=place.number)
    shared = SharedMetrics(folder, place.number, place.restarted)
    try:
        app = create_app(_own_files(settings, place.number), shared=shared)
    except GatekeeperError as error:
        click.echo(f"gatekeeper: worker {place.number}: {error.message}", err=True)
        sys.exit(2)
    _Server(_config(settings, app), place).run(list(listeners))


def _own_files(settings: Settings, number: int) -> Settings:
    own = {
        name: worker_file(path, number)
        for name in ("audit_log", "audit_head")
        if (path := getattr(settings, name)) is not None
    }
    return settings.model_copy(update=own)


def _listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address that a host has; raise ConfigurationError where that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = dict.fromkeys((family, address[:2]) for family, _, _, _, address in found)
        return [socket.create_server(address, family=family) for family, address in addresses]
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port} ({error.strerror})") from error


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=int(settings.drain_s),
    )


class _Server(uvicorn.Server):
    """A server whose garbage collector leaves alone what lives as long as the process.

    Otherwise it walks every loaded module again and again, for tens of milliseconds in mid-request.
    """

    def __init__(self, config: uvicorn.Config, place: Place | None = None) -> None:
        super().__init__(config)
        self._place = place

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then set the start-up objects apart and collect the young ones less often."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        if self._place is not None:
            asyncio.get_running_loop().add_reader(self._place.pulse, self._orphaned, self._place.pulse)
            listening()

    def _orphaned(self, pulse: int) -> None:
        """Drain when the supervisor is gone: nobody would bring this worker back, or stop it."""
        asyncio.get_running_loop().remove_reader(pulse)
        self.should_exit = True
