"""Reloading on SIGHUP and when the policy file changes."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from watchfiles import awatch

from gatekeeper.monitoring.logs import logger

_AGAIN_S: Final = 5.0
"""Pause before a directory that could not be watched is tried again, seconds."""


async def watch(policy: Path, reload: Callable[[], None], others: Sequence[Path] = ()) -> None:
    """Call `reload` on every SIGHUP and every change of the policy file, until cancelled.

    The directory is watched, not the file: editors and Kubernetes replace files instead of writing them.
    `others` are files that are read with it, and noticed where they lie beside it. What else changes there,
    such as a log that says that the policy was refused, is passed over.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ValueError, RuntimeError):  # only the main thread may; others watch the file
        loop.add_signal_handler(signal.SIGHUP, reload)
    stop = asyncio.Event()
    seen = None  # the first change anywhere reloads, as files may have changed before they were watched
    try:
        while True:
            try:
                async for _ in awatch(policy.parent, stop_event=stop, recursive=False):
                    if (found := [_state(path) for path in (policy, *others)]) != seen:
                        seen = found
                        reload()
            except (OSError, RuntimeError) as error:
                logger.error("the policy's directory cannot be watched", exc_info=error)
            await asyncio.sleep(_AGAIN_S)
    finally:
        stop.set()


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file was written or replaced, or a link to it changed; None without one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
