"""`gatekeeper probe`."""

import asyncio

import click
from rich.console import Console
from rich.table import Table

from gatekeeper.backends.probe import probe


@click.command("probe")
@click.argument("url")
@click.option("--model", help="Model to ask; the server's first unless given.")
@click.option("--api-key", envvar="GATEKEEPER_UPSTREAM_API_KEY", help="Key for the server.")
def probe_command(url: str, model: str | None, api_key: str | None) -> None:
    """Ask a live OpenAI-compatible server what it can do that the gate needs."""
    found = asyncio.run(probe(url, api_key, model))
    table = Table("capability", "value", title=f"{url}")
    table.add_row("models", ", ".join(found.models) or "none listed")
    table.add_row("token probabilities", "yes" if found.logprobs else "no")
    table.add_row("alternatives per token", str(found.top_logprobs))
    table.add_row("token probabilities with tools", "yes" if found.logprobs_with_tools else "no")
    table.add_row("token probabilities in streams", "yes" if found.logprobs_with_stream else "no")
    for note in found.notes:
        table.add_row("note", note)
    Console().print(table)
