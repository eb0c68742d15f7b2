"""`radsafe-bench consult`."""

import asyncio
from pathlib import Path
from typing import Any

import click

from gatekeeper.auxiliary import Consulted
from gatekeeper.backends.base import Backend
from gatekeeper.backends.extractive import ExtractiveBackend
from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.upstream import JUDGE_HEADER, UpstreamClient
from gatekeeper.bundle import load_bundle
from gatekeeper.errors import ConfigurationError, UpstreamError
from gatekeeper.gate import Bundle
from radsafe_bench.commands.run import parse_extra
from radsafe_bench.gate.auxiliary import asks_a_model
from radsafe_bench.gate.consulting import Consultation, consult
from radsafe_bench.gate.replay import load_recording
from radsafe_bench.records import Run
from radsafe_bench.targets import case_of

MISSING = 1
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("consult", epilog="Exit status: 0 complete, 1 calls are missing, 3 it cannot be done so.")
@click.option("--policy", type=_FILE, required=True, help="Policy whose checks ask a model.")
@click.option("--run", "folder", type=_FOLDER, required=True, metavar="runs/NAME", help="Recorded model.")
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated.")
@click.option("--target", metavar="URL", help="The server of the recorded model; not a gatekeeper.")
@click.option("--model", help="Its model, where it serves several.")
@click.option("--fingerprint", help="What was declared when the run was recorded.")
@click.option("--api-key", envvar="RADSAFE_BENCH_API_KEY", help="Key for the server.", show_envvar=True)
@click.option("--judge-target", metavar="URL", help="The server of a second model, which judges.")
@click.option("--judge-model", help="Its model, where it serves several.")
@click.option("--judge-fingerprint", help="What its model's name does not say.")
@click.option("--judge-api-key", envvar="RADSAFE_BENCH_JUDGE_API_KEY", help="Its key.", show_envvar=True)
@click.option("--extra-body", metavar="JSON", help="As `auxiliary_body` when serving; chat_template_kwargs.")
@click.option("--conditions", default="", help="Comma-separated; all that the run holds unless given.")
@click.option("--concurrency", type=click.IntRange(1, 512), default=8, show_default=True, help="At most.")
@click.pass_context
def consult_command(ctx: click.Context, /, **given: Any) -> None:
    """Record the model calls that a policy's checks make, so that the policy replays without a model.

    Give the same command again at any time: only calls that are not recorded yet are made.
    """
    bundle = load_bundle(given["policy"], given["calibration"])
    if not asks_a_model(bundle):
        raise ConfigurationError(f"{given['policy']}: no check of this policy asks a model")
    run = load_recording(given["folder"])
    result = asyncio.run(_consult(run, bundle, given))
    click.echo(f"{given['folder']}: {result.new} calls recorded, {result.missing} missing")
    if result.missing:
        click.echo("Give the same command again to ask what failed.")
    ctx.exit(MISSING if result.missing else 0)


async def _consult(run: Run, bundle: Bundle, given: dict[str, Any]) -> Consultation:
    served = _server(given, "") or _embedded(run)
    judge = _server(given, "judge_")
    backends = [served, judge] if judge else [served]
    try:
        names = [await _introduced(backend) for backend in backends]
        return await consult(
            run,
            bundle,
            Consulted(served, judge, given["concurrency"], parse_extra(given["extra_body"])),
            judge=names[-1],
            conditions=[name.strip() for name in given["conditions"].split(",") if name.strip()],
            at_once=given["concurrency"],
        )
    finally:
        for backend in backends:
            await backend.close()


async def _introduced(backend: Backend) -> str | None:
    """Start a backend and return its fingerprint; raise ConfigurationError where it does not answer."""
    await backend.start()
    hello = {"messages": [{"role": "user", "content": "Are you there?"}], "max_tokens": 1}
    try:
        return (await backend.complete(case_of(hello))).fingerprint
    except UpstreamError as error:
        raise ConfigurationError(
            f"{error.message} Give the address of a model server that runs; a gatekeeper is none."
        ) from error


def _server(given: dict[str, Any], role: str) -> Backend | None:
    url = given[f"{role}target"]
    if url is None:
        return None
    # A gate would answer with its own decisions: it refuses whatever carries this header.
    client = UpstreamClient(url, api_key=given[f"{role}api_key"], headers={JUDGE_HEADER: "1"})
    return OpenAIBackend(client, model=given[f"{role}model"], fingerprint=given[f"{role}fingerprint"])


def _embedded(run: Run) -> Backend:
    if run.manifest.backend != ExtractiveBackend.name:
        raise ConfigurationError(f"{run.path} was recorded from a server: give its address with --target")
    return ExtractiveBackend()
