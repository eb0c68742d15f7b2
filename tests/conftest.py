"""Fixtures that all tests share."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.backends.base import Backend
from gatekeeper.server.app import create_app
from gatekeeper.settings import Settings
from tests.serving import Proxy, Serve, serving


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves a proxy with some settings until the test ends."""
    with contextlib.ExitStack() as stack:

        def start(backend: Backend | None = None, **settings: Any) -> Proxy:
            app = create_app(Settings(**settings), backend)
            proxy = Proxy(app, stack.enter_context(serving(app)))
            stack.callback(proxy.close)
            return proxy

        yield start


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a script of staged answers."""

    def write(text: str) -> Path:
        path = tmp_path / "script.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
