"""`radsafe-bench run`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from gatekeeper.backends.extractive import ExtractiveBackend
from gatekeeper.errors import ConfigurationError
from gatekeeper.wire.request import MAX_TOP_LOGPROBS
from radsafe_bench.conditions import select
from radsafe_bench.retrieval import RETRIEVERS
from radsafe_bench.runner import (
    ANSWER_TOKENS,
    REASONING_TOKENS,
    Pacing,
    Run,
    RunOptions,
    RunResult,
    Sampling,
)
from radsafe_bench.suites import SUITE_NAME, Question, Split, Suite, load_suite
from radsafe_bench.targets import EmbeddedTarget, EndpointTarget, Target

STAND_IN_WINDOW = 32_768
"""Tokens, for the extractive baseline, which reads any length."""

ERRORS_REMAIN = 1
INTERRUPTED = 130

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(
    "run", epilog="Exit status: 0 complete, 1 answers are missing, 3 it cannot be done so, 130 stopped."
)
@click.option("--target", metavar="URL", help="An OpenAI-compatible server, or a gatekeeper before one.")
@click.option("--model", help="Served model to ask; the server's first unless given.")
@click.option("--api-key", envvar="RADSAFE_BENCH_API_KEY", help="Key for the server.", show_envvar=True)
@click.option("--fingerprint", help="What the model's name does not say: quantisation, chat template.")
@click.option("--backend", type=click.Choice(["extractive"]), help="A backend of this process instead.")
@click.option("--suite", "suite_name", default=SUITE_NAME, show_default=True, help="Name or directory.")
@click.option(
    "--split", type=click.Choice([split.value for split in Split]), help="Only this half of the suite."
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first N questions.")
@click.option(
    "--conditions",
    default="all",
    show_default=True,
    help="Comma-separated; `all` are the six of the protocol, `controls` vary what is retrieved.",
)
@click.option("--samples", type=click.IntRange(0, 1000), default=20, show_default=True)
@click.option("--temperature", type=click.FloatRange(0, 2), default=0.7, show_default=True)
@click.option("--max-tokens", type=click.IntRange(1), help=f"Per answer; {ANSWER_TOKENS} unless given.")
@click.option("--reasoning", is_flag=True, help=f"Let the model reason: {REASONING_TOKENS} tokens an answer.")
@click.option("--top-logprobs", type=click.IntRange(0, MAX_TOP_LOGPROBS), default=MAX_TOP_LOGPROBS)
@click.option("--extra-body", metavar="JSON", help="Merged into every request, such as chat_template_kwargs.")
@click.option("--corpus", type=_FOLDER, multiple=True, help="Folder of .txt and .md to search as well.")
@click.option("--retriever", type=click.Choice(list(RETRIEVERS)), default="bm25", show_default=True)
@click.option("--encoder", type=_FOLDER, help="Model folder of the dense retriever.")
@click.option("--context-window", type=click.IntRange(1), help="Tokens, where the server does not say.")
@click.option("--concurrency", type=click.IntRange(1, 512), default=16, show_default=True, help="At most.")
@click.option("--tries", type=click.IntRange(1, 100), default=8, show_default=True, help="Per call.")
@click.option("--timeout", type=click.FloatRange(0.1), default=300.0, show_default=True, help="Seconds.")
@click.option("--aa", is_flag=True, help="Ask the greedy pass twice, to measure the server's noise.")
@click.option("--keep-errors", is_flag=True, help="Do not ask again what ended in an error before.")
@click.option("--family", help="Model family, for scaling curves.")
@click.option("--parameters", type=click.FloatRange(0, min_open=True), help="Number of weights.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="runs/NAME")
@click.pass_context
def run_command(ctx: click.Context, /, **given: Any) -> None:
    """Put a suite to a model and record every answer.

    Interrupt it at any moment and give the same command again: only what is missing is asked.
    """
    suite = load_suite(given["suite_name"])
    click.echo(suite.notice, err=True)
    pacing = Pacing(given["concurrency"], tries=given["tries"])
    run = Run(_options(given), suite, _questions(suite, given), _target(given), pacing)
    try:
        result = asyncio.run(run.execute())
    except (asyncio.CancelledError, KeyboardInterrupt):
        result = None
    if result:
        _say(result, given["out"])
    if result is None or result.interrupted:
        click.echo("Stopped. Give the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    ctx.exit(ERRORS_REMAIN if result.errors or result.missing else 0)


def _target(given: dict[str, Any]) -> Target:
    if (given["target"] is None) == (given["backend"] is None):
        raise click.UsageError("give either --target URL or --backend extractive")
    if given["backend"]:
        return EmbeddedTarget(ExtractiveBackend(), STAND_IN_WINDOW)
    return EndpointTarget(
        given["target"],
        model=given["model"],
        api_key=given["api_key"],
        fingerprint=given["fingerprint"],
        timeout_s=given["timeout"],
    )


def _questions(suite: Suite, given: dict[str, Any]) -> Sequence[Question]:
    questions = suite.split(Split(given["split"])) if given["split"] else suite.questions
    if not questions:
        raise ConfigurationError(f"suite {suite.name} has no questions of split {given['split']}")
    return questions[: given["limit"]]


def _options(given: dict[str, Any]) -> RunOptions:
    tokens = REASONING_TOKENS if given["reasoning"] else ANSWER_TOKENS
    sampling = Sampling(
        samples=given["samples"],
        temperature=given["temperature"],
        max_tokens=given["max_tokens"] or tokens,
        reasoning=given["reasoning"],
        top_logprobs=given["top_logprobs"],
        extra=parse_extra(given["extra_body"]),
    )
    return RunOptions(
        out=given["out"],
        conditions=select(name.strip() for name in given["conditions"].split(",")),
        sampling=sampling,
        corpus=given["corpus"],
        retriever=given["retriever"],
        encoder=given["encoder"],
        context_window=given["context_window"],
        repeat=given["aa"],
        keep_errors=given["keep_errors"],
        family=given["family"],
        parameters=given["parameters"],
    )


def parse_extra(text: str | None) -> dict[str, Any]:
    """Read `--extra-body`; what the run itself sets may not be overwritten there."""
    try:
        extra = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        extra = None
    if not isinstance(extra, dict):
        raise click.UsageError("--extra-body is a JSON object")
    own = {"model", "messages", "evidence", "n", "stream", "seed", "temperature", "logprobs", "top_logprobs"}
    if taken := sorted(own & extra.keys()):
        raise click.UsageError(f"--extra-body may not set {', '.join(taken)}")
    return extra


def _say(result: RunResult, out: Path) -> None:
    """Say how far the run is."""
    click.echo(
        f"{out}: {result.answered} answers, {result.new} of them new; {result.errors} errors, "
        f"{result.missing} still missing"
    )
    for condition, reason in result.not_applicable.items():
        click.echo(f"not applicable: {condition}: {reason}")
    if result.errors:
        click.echo("Give the same command again to ask what ended in an error.")
