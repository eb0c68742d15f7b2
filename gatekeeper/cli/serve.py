"""`gatekeeper serve`."""

import os
from pathlib import Path
from typing import Any, get_args

import click

from gatekeeper.monitoring.logs import set_up_logging
from gatekeeper.server.process import reserve, serve
from gatekeeper.settings import LOOPBACK, BackendName, Settings, ignored, load_settings

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("serve")
@click.option("--config", type=_FILE, help="YAML file of settings.")
@click.option(
    "--upstream",
    multiple=True,
    help="Base URL of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1. May be repeated, each "
    "with a weight (URL=3) and its own fingerprint (URL=3#Q8).",
)
@click.option("--upstream-model", help="Model name to ask the server for, in place of the client's.")
@click.option("--fingerprint", help="What the served weights are, declared; binds calibration to them.")
@click.option("--gguf", type=_FILE, help="Model file to run in this process, with llama.cpp.")
@click.option("--n-gpu-layers", type=int, help="Layers of it on the GPU; all unless given.")
@click.option("--n-ctx", type=int, help="Its context in tokens, prompt and answer; 8192 unless given.")
@click.option("--n-threads", type=int, help="Its threads; half the cores unless given.")
@click.option("--litellm", help="Model behind an API of another kind, such as anthropic/claude-sonnet-4-5.")
@click.option("--litellm-api-base", help="Address of that API, where it is not the provider's usual one.")
@click.option("--backend", type=click.Choice(get_args(BackendName)))
@click.option("--script", type=_FILE, help="Answers of the scripted backend (tests and demos only).")
@click.option("--judge-upstream", help="Base URL of a second model, which judges (URL or URL=1#FINGERPRINT).")
@click.option("--judge-model", help="Model name to ask it for; its first unless given.")
@click.option("--policy", type=_FILE, help="Policy file; policies/default.yaml unless given.")
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated.")
@click.option("--allow-uncalibrated", is_flag=True, default=None, help="Serve models without calibration.")
@click.option("--api-keys", type=_FILE, help="File of hashed API keys (`gatekeeper key new`).")
@click.option("--audit-log", type=_FILE, help="Append-only decision log.")
@click.option("--audit-head", type=_FILE, help="Second place for the log's head, to detect a cut tail.")
@click.option(
    "--review-db", help="Review queue and live risk: sqlite:///FILE or postgresql://USER@HOST/NAME."
)
@click.option("--review-key-file", type=_FILE, help="Key to keep texts for reviewers with, encrypted.")
@click.option("--reviewer-keys", type=_FILE, help="File of hashed keys of reviewers (`gatekeeper key new`).")
@click.option("--review-webhook", help="URL to tell when a decision changes: its id and status.")
@click.option("--audit-sample-rate", type=float, help="Share of delivered answers to draw for adjudication.")
@click.option("--require-certificate", is_flag=True, default=None, help="Serve certified policies only.")
@click.option("--trusted-keys", type=_FILE, help="Keys that certificates may be signed with.")
@click.option("--certificate", type=_FILE, multiple=True, help="Certificate of the policy; may be repeated.")
@click.option("--break-glass-by", help="Who decides to serve without a certificate, for a time.")
@click.option("--break-glass-reason", help="Why.")
@click.option("--break-glass-until", metavar="TIME", help="Until when, such as 2030-01-31T18:00:00Z.")
@click.option("--host", help="Address to listen on; 127.0.0.1 unless given.")
@click.option("--port", type=int, help="Port to listen on, 0 for any free one; 8080 unless given.")
@click.option("--workers", type=int, help="Processes that share the port; 1 unless given.")
def serve_command(config: Path | None, **given: Any) -> None:
    """Stand between an application and a model server, and judge every answer.

    Settings are taken from, strongest first: these options, the environment (GATEKEEPER_PORT=…), the
    config file, defaults.
    """
    # Click gives an option that may be repeated as an empty tuple where it is not given.
    settings = load_settings(config, {name: None if value == () else value for name, value in given.items()})
    set_up_logging(settings.log_level)
    settings, held = reserve(settings)
    _say(settings)
    serve(settings, held)


def _say(settings: Settings) -> None:
    backends = {
        "openai": f"OpenAI-compatible: {', '.join(settings.upstream)}",
        "llama_cpp": f"{settings.gguf}, run in this process",
        "litellm": f"{settings.litellm}, through litellm",
        "extractive": "the embedded extractive baseline (retrieval over the supplied evidence, no language "
        "model); name a server with --upstream",
        "scripted": f"STAGED answers from {settings.script}: for tests and demos, never for use",
    }
    click.echo(f"gatekeeper: answers come from {backends[settings.backend]}", err=True)
    if settings.judge_upstream:
        click.echo(f"gatekeeper: answers are judged by {settings.judge_upstream}", err=True)
    click.echo(f"gatekeeper: policy {settings.policy}", err=True)
    click.echo(f"gatekeeper: base URL for applications http://{settings.host}:{settings.port}/v1", err=True)
    if settings.api_keys is None and settings.host not in LOOPBACK:
        click.echo("gatekeeper: whoever can connect is served; to ask for keys, give --api-keys", err=True)
    if settings.review_db is None:
        click.echo(
            "gatekeeper: held answers enter no queue; to have them reviewed, give --review-db", err=True
        )
    for warning in ignored(os.environ):
        click.echo(f"gatekeeper: {warning}", err=True)
