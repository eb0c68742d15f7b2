"""Air-gapped: importing the packages reaches for no network."""

import subprocess
import sys

import pytest

GUARD = """
import socket

def refuse(*_, **__):
    raise SystemExit("a socket was opened on import")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
import {module}
"""


@pytest.mark.parametrize(
    "module",
    [
        "gatekeeper.server.app",
        "gatekeeper.cli.serve",
        "gatekeeper.cli.check",
        "radsafe_bench.cli",
        "radsafe_bench.commands.run",
        "radsafe_bench.commands.gate",
    ],
)
def test_import_opens_no_socket(module: str) -> None:
    """A machine without a network loads every part at once."""
    done = subprocess.run(
        [sys.executable, "-c", GUARD.format(module=module)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
