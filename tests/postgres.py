"""A throw-away PostgreSQL on a unix socket, run by a user that is not root."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_DEBIAN = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
"""Where Debian keeps the server's programs, off everybody's PATH."""
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), *_DEBIAN))
BINARIES = tuple(shutil.which(name, path=_PATH) for name in ("initdb", "postgres"))


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Run a fresh server for the length of the block, and yield the URL of its database."""
    initdb, server = (str(binary) for binary in BINARIES)
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as root:
        data, log = Path(root) / "data", Path(root) / "log"
        data.mkdir(mode=0o700)
        user = _give_to_someone_else(Path(root), data)
        subprocess.run(
            [initdb, "-D", str(data), "-U", "gate", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
            user=user,
        )
        quick = ("-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={root}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [server, "-D", str(data), *quick], stdout=output, stderr=output, cwd="/", user=user
            )
        try:
            _wait_for(Path(root) / ".s.PGSQL.5432", process, log)
            yield f"postgresql://gate@/postgres?host={root}"
        finally:
            process.send_signal(signal.SIGINT)  # "fast": it does not wait for connections
            process.wait(timeout=20)


def _give_to_someone_else(*paths: Path) -> str | None:
    """PostgreSQL refuses to run as root; whoever else runs the tests runs it as himself."""
    if os.getuid() != 0:
        return None
    user = pwd.getpwnam("nobody")
    for path in paths:
        os.chown(path, user.pw_uid, user.pw_gid)
    return user.pw_name


def _wait_for(socket: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while not (socket.exists() and b"ready to accept" in log.read_bytes()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.05)
