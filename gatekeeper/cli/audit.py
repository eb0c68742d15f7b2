"""`gatekeeper audit verify`."""

from pathlib import Path

import click

from gatekeeper.audit import verify

_FILE = click.Path(path_type=Path, dir_okay=False)

audit_group = click.Group("audit", help="Check the decision log.")


@audit_group.command("verify")
@click.argument("log", type=_FILE)
@click.option("--head", help="Digest that the last line must have, kept from an earlier verification.")
@click.pass_context
def verify_command(ctx: click.Context, log: Path, head: str | None) -> None:
    """Walk the chain of a decision log; exit code 2 names the first line that does not fit.

    A chain alone cannot show that its last lines were cut off: keep the head elsewhere and give it here.
    """
    found = verify(log)
    click.echo(f"{log}: {found.lines} lines, every one follows from the one before; head {found.digest}")
    if head is not None and head != found.digest:
        click.echo(f"{log}: the head is not {head}: lines were cut off or added since", err=True)
        ctx.exit(1)
