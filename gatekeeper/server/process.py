"""Serving: one process, or several workers under a supervisor.

Each worker listens on a socket of its own, and the kernel spreads connections over them by a hash (Linux,
SO_REUSEPORT). On one socket that all share, the worker that happens to be awake takes most of a burst, and
keeps those connections. A worker that dies or drains takes its socket with it, so new ones go to the others.
"""

import asyncio
import functools
import gc
import socket
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
import uvicorn
from starlette.applications import Starlette

from gatekeeper.audit.trails import worker_file
from gatekeeper.errors import ConfigurationError, GatekeeperError
from gatekeeper.monitoring.logs import set_up_logging
from gatekeeper.monitoring.shared import SharedMetrics, forget
from gatekeeper.server.app import create_app
from gatekeeper.server.connection import BoundedConnection
from gatekeeper.server.workers import Place, Supervisor, listening
from gatekeeper.settings import Settings

_BEAT_EVERY_S: Final = 1.0
_UNREAD_S: Final = 60.0
"""Seconds in which a client must take something of what is sent, or its connection ends (Linux)."""


def reserve(settings: Settings) -> tuple[Settings, list[socket.socket]]:
    """Take the port, or with port 0 any free one; return the settings with its number, and what holds it.

    Raises ConfigurationError where somebody else, another gate too, has the port.
    """
    held = _bound(settings, shared=False)
    return settings.model_copy(update={"port": held[0].getsockname()[1]}), held


def serve(settings: Settings, held: list[socket.socket]) -> None:
    """Serve on a reserved port until SIGTERM or SIGINT, then finish what runs, at most `drain_s` seconds.

    Raises the tree's errors where it cannot start. With several workers it ends the process when they
    have ended, with their supervisor's exit code.
    """
    if settings.workers == 1:
        _Server(_config(settings, create_app(settings))).run(held)
        return
    for holder in held:  # bound alone, so that no other gate shares the port by accident; now for the workers
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    with tempfile.TemporaryDirectory(prefix="gatekeeper-") as folder:
        work = functools.partial(_work, settings, Path(folder))
        bury = functools.partial(forget, Path(folder))
        code = Supervisor(settings.workers, work, bury, settings.drain_s, settings.worker_hang_s).run()
    sys.exit(code)


def _work(settings: Settings, folder: Path, place: Place) -> None:
    """Serve as one of several workers, with a decision log and a socket of its own."""
    set_up_logging(settings.log_level, worker=place.number)
    shared = SharedMetrics(folder, place.number, place.restarted)
    try:
        app = create_app(_own_files(settings, place.number), shared=shared)
        listeners = _bound(settings, shared=True)
    except GatekeeperError as error:
        click.echo(f"gatekeeper: worker {place.number}: {error.message}", err=True)
        sys.exit(2)
    _Server(_config(settings, app), place).run(listeners)


def _own_files(settings: Settings, number: int) -> Settings:
    own = {
        name: worker_file(path, number)
        for name in ("audit_log", "audit_head")
        if (path := getattr(settings, name)) is not None
    }
    return settings.model_copy(update=own)


def _bound(settings: Settings, *, shared: bool) -> list[socket.socket]:
    """Return a socket for every address of the host, not listening yet, so that nobody waits at it.

    Raises ConfigurationError where an address is taken: for shared ones, by a socket that is not.
    """
    host, port = settings.host, settings.port
    listeners: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if sys.platform == "linux":
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(_UNREAD_S * 1000))
            # Every address of the host has the same port, also where the kernel chose the first one's.
            listener.bind((address[0], port, *address[2:]))
            port = listener.getsockname()[1]
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{settings.port} ({error.strerror})") from error
    return listeners


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedConnection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # where a client sits is neither used nor told
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
        if self._place is not None:
            asyncio.get_running_loop().add_reader(self._place.pulse, self._orphaned, self._place.pulse)
            self._beat(self._place)
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        if self._place is not None:
            listening()

    def _beat(self, place: Place) -> None:
        place.beat()
        asyncio.get_running_loop().call_later(_BEAT_EVERY_S, self._beat, place)

    def _orphaned(self, pulse: int) -> None:
        """Drain when the supervisor is gone: nobody would bring this worker back, or stop it."""
        asyncio.get_running_loop().remove_reader(pulse)
        self.should_exit = True
