"""Reloading on SIGHUP and when the policy file changes."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

from watchfiles import awatch


async def watch(policy: Path, reload: Callable[[], None]) -> None:
    """Call `reload` on every SIGHUP and every change of the policy file, until cancelled.

    The directory is watched, not the file: editors and Kubernetes replace files instead of writing them.
    """
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ValueError, RuntimeError):  # only the main thread may; others watch the file
        loop.add_signal_handler(signal.SIGHUP, reload)
    stop = asyncio.Event()
    try:
        async for _ in awatch(policy.parent, stop_event=stop, recursive=False):
            reload()
    finally:
        stop.set()
