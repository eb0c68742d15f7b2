"""Starts a proxy per backend, asks it through the official `openai` client, and shows every decision."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from openai import OpenAI
from rich.console import Console
from rich.table import Table

from gatekeeper.demo.scenes import EMBEDDED, STAGED, Scene

_START_LIMIT_S = 20.0
_COLOURS = {"release": "green", "annotate": "yellow", "escalate": "red", "abstain": "red", "block": "red"}


def main() -> None:
    """Run both halves of the demonstration."""
    console = Console(width=max(100, Console().width))
    _half(console, "Embedded extractive baseline: retrieval, no language model", [], EMBEDDED)
    script = ["--script", str(Path(__file__).parent / "staged.yaml")]
    _half(console, "Staged answers: written by hand, no model gave them", script, STAGED)
    console.print("No medical device. Thresholds are starting points; see README.md.", style="dim")


def _half(console: Console, title: str, options: Sequence[str], scenes: Sequence[Scene]) -> None:
    table = Table(title=title, show_lines=True)
    for column in ("shows", "answer as delivered", "action", "rules", "evidence that decided"):
        table.add_column(column, overflow="fold", no_wrap=column == "rules")
    with _proxy(options) as base:
        client = OpenAI(base_url=f"{base}/v1", api_key="unused")
        for scene in scenes:
            table.add_row(*_ask(client, scene))
        console.print(table)
        console.print(_decisions(base), highlight=False)


@contextlib.contextmanager
def _proxy(options: Sequence[str]) -> Iterator[str]:
    """Serve on a free loopback port for the length of the block, and yield the base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gatekeeper", "serve", "--port", str(port), *options]
    base = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603  # our own command
    try:
        _wait(base, server)
        yield base
    finally:
        server.terminate()
        server.communicate(timeout=_START_LIMIT_S)


def _wait(base: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"the proxy did not start:\n{server.communicate()[1]}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{base}/readyz", timeout=1).close()  # noqa: S310  # loopback
            return
        time.sleep(0.05)
    raise SystemExit("the proxy was not ready in time; is the machine overloaded?")


def _ask(client: OpenAI, scene: Scene) -> tuple[str, ...]:
    completion = client.chat.completions.create(
        model="demo",
        messages=[{"role": "user", "content": scene.question}],
        extra_body={"evidence": list(scene.evidence)} if scene.evidence else {},
    )
    judged: dict[str, Any] = (completion.model_extra or {})["gatekeeper"]
    action = judged["action"]
    rules = "\n".join(reason["rule"] for reason in judged["reasons"]) or "–"
    content = completion.choices[0].message.content or ""
    coloured = f"[{_COLOURS[action]}]{action}[/]"
    return scene.shows, content, coloured, rules, "\n".join(_quotes(judged, scene)) or "–"


def _quotes(judged: dict[str, Any], scene: Scene) -> Iterator[str]:
    """Yield the deciding stretches of evidence; the client has the texts, the response only their spans."""
    claims = judged["assessment"]["claims"]
    conflicts = [where for conflict in judged["evidence"]["conflicts"] for where in conflict["between"]]
    decided = [claim["evidence"] for claim in claims if claim["evidence"] and not conflicts]
    detectors = {claim["detector"] for claim in claims if claim["verdict"] == "contradicted"}
    for where in conflicts or decided[:1]:
        number = int(where["document"].rpartition("-")[2]) - 1
        start, end = where["span"]
        yield f"“{scene.evidence[number][start:end]}”"
    yield from (f"({detector})" for detector in sorted(detectors) if not conflicts)


def _decisions(base: str) -> str:
    with urllib.request.urlopen(f"{base}/metrics", timeout=5) as response:  # noqa: S310  # loopback
        lines = response.read().decode().splitlines()
    counted = [line for line in lines if line.startswith("gatekeeper_decisions_total{")]
    return "\n".join(line for line in counted if not line.endswith(" 0.0"))


if __name__ == "__main__":
    main()
