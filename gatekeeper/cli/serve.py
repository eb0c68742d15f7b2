"""`gatekeeper serve`."""

from pathlib import Path
from typing import Any

import click

from gatekeeper.monitoring.logs import set_up_logging
from gatekeeper.server.app import serve
from gatekeeper.settings import Settings, load_settings

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("serve")
@click.option("--config", type=_FILE, help="YAML file of settings.")
@click.option("--upstream", help="Base URL of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1.")
@click.option("--upstream-model", help="Model name to ask the server for, in place of the client's.")
@click.option("--fingerprint", help="What the served weights are, declared; binds calibration to them.")
@click.option("--backend", type=click.Choice(["openai", "extractive", "scripted"]))
@click.option("--script", type=_FILE, help="Answers of the scripted backend (tests and demos only).")
@click.option("--policy", type=_FILE, help="Policy file; policies/default.yaml unless given.")
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated.")
@click.option("--allow-uncalibrated", is_flag=True, default=None, help="Serve models without calibration.")
@click.option("--api-keys", type=_FILE, help="File of hashed API keys (`gatekeeper key new`).")
@click.option("--audit-log", type=_FILE, help="Append-only decision log.")
@click.option("--host", help="Address to listen on; 127.0.0.1 unless given.")
@click.option("--port", type=int, help="Port to listen on; 8080 unless given.")
def serve_command(config: Path | None, **given: Any) -> None:
    """Stand between an application and a model server, and judge every answer.

    Settings are taken from, strongest first: these options, the environment (GATEKEEPER_PORT=…), the
    config file, defaults.
    """
    given["calibration"] = given["calibration"] or None
    settings = load_settings(config, given)
    set_up_logging(settings.log_level)
    _say(settings)
    serve(settings)


def _say(settings: Settings) -> None:
    backends = {
        "openai": f"the OpenAI-compatible server at {settings.upstream}",
        "extractive": "the embedded extractive baseline (retrieval over the supplied evidence, no language "
        "model); name a server with --upstream",
        "scripted": f"STAGED answers from {settings.script}: for tests and demos, never for use",
    }
    click.echo(f"gatekeeper: answers come from {backends[settings.backend]}", err=True)
    click.echo(f"gatekeeper: policy {settings.policy}", err=True)
    click.echo(f"gatekeeper: listening on http://{settings.host}:{settings.port}/v1", err=True)
