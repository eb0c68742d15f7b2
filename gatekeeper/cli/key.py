"""`gatekeeper key new`."""

from pathlib import Path

import click

from gatekeeper.server.auth import new_key

key_group = click.Group("key", help="API keys of applications.")


@key_group.command("new")
@click.argument("name")
@click.option("--file", "path", required=True, type=click.Path(path_type=Path, dir_okay=False))
def new_command(name: str, path: Path) -> None:
    """Add a key for an application to a key file and print it, once: only its hash is kept."""
    click.echo(new_key(name, path))
