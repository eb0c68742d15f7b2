"""`gatekeeper audit verify` and `export`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

from gatekeeper.audit.export import Format, export
from gatekeeper.audit.trails import verify_all
from gatekeeper.errors import AuditError

_FILE = click.Path(path_type=Path, dir_okay=False)
_LOG = click.Path(path_type=Path)

audit_group = click.Group("audit", help="Check and export the decision log.")


@audit_group.command("verify")
@click.argument("log", type=_LOG)
@click.option("--head", help="Digest that the last line must have, kept from an earlier verification.")
@click.option(
    "--head-file",
    type=_FILE,
    help="What `serve --audit-head` was given: every log must have got as far as its head there says.",
)
@click.pass_context
def verify_command(ctx: click.Context, log: Path, head: str | None, head_file: Path | None) -> None:
    """Walk all segments of a decision log and of its workers' beside it, or of every log in a directory.

    Exit code 2 names the first line that does not fit. A chain alone cannot show that its last lines were
    cut off: keep the head elsewhere and give it here.
    """
    ends = verify_all(log, head_file)
    if head is not None and len(ends) > 1:
        raise AuditError(
            f"{log}: one head cannot fit {len(ends)} logs; name one of them, or give --head-file"
        )
    for trail, found in ends.items():
        lines = f"{found.head.lines} lines" + (f" in segment {found.segment}" if found.segment > 1 else "")
        click.echo(f"{trail}: {lines}, every one follows from the one before; head {found.head.digest}")
        if head is not None and head != found.head.digest:
            click.echo(f"{trail}: the head is not {head}: lines were cut off or added since", err=True)
            ctx.exit(1)


@audit_group.command("export")
@click.argument("log", type=_LOG)
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="Leave out what is older (UTC)."
)
@click.option("--format", "form", type=click.Choice(get_args(Format)), default="jsonl", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-", help="File; - for output.")
def export_command(log: Path, since: datetime | None, form: Format, output: Any) -> None:
    """Verify a decision log, or every log in a directory, then write its records. No text is in them."""
    for line in export(log, form, since.replace(tzinfo=UTC) if since else None):
        output.write(line)
