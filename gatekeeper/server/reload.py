"""Reloading on SIGHUP and when the policy file changes."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchfiles import awatch

from gatekeeper.monitoring.logs import logger

_AGAIN_S: Final = 5.0
"""Pause before a directory that could not be watched is tried again, seconds."""


async def watch(policy: Path, reload: Callable[[], None]) -> None:
    """Call `reload` on every SIGHUP and every change of the policy file, until cancelled.

    The directory is watched, not the file: editors and Kubernetes replace files instead of writing them.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ValueError, RuntimeError):  # only the main thread may; others watch the file
        loop.add_signal_handler(signal.SIGHUP, reload)
    stop = asyncio.Event()
    try:
        while True:
            try:
                async for _ in awatch(policy.parent, stop_event=stop, recursive=False):
                    reload()
            except (OSError, RuntimeError) as error:
                logger.error("the policy's directory cannot be watched", exc_info=error)
            await asyncio.sleep(_AGAIN_S)
    finally:
        stop.set()
