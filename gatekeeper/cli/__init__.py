"""The `gatekeeper` command. Exit codes: 0 done, 1 something was held or refused, 2 it cannot be done so."""

import importlib

import click

import gatekeeper
from gatekeeper.build import build_of
from gatekeeper.errors import GatekeeperError

_COMMANDS = {
    "serve": "gatekeeper.cli.serve:serve_command",
    "check": "gatekeeper.cli.check:check_command",
    "probe": "gatekeeper.cli.probe:probe_command",
    "policy": "gatekeeper.cli.policy:policy_group",
    "review": "gatekeeper.cli.review:review_group",
    "audit": "gatekeeper.cli.audit:audit_group",
    "key": "gatekeeper.cli.key:key_group",
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is asked for, and prints errors as one line."""

    def __init__(self, name: str, commands: dict[str, str], **rest: object) -> None:
        super().__init__(name, **rest)  # type: ignore[arg-type]  # handed on as they came
        self._where = commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(self._where)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        where = self._where.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error of the tree becomes one line on standard error and exit code 2."""
        try:
            return super().invoke(ctx)
        except GatekeeperError as error:
            click.echo(f"{self.name}: {error.message}", err=True)
            ctx.exit(2)


main = LazyGroup(
    "gatekeeper",
    _COMMANDS,
    help="Safety-gating middleware for deployed clinical language models. No medical device.",
)


def _tell_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"gatekeeper, version {gatekeeper.__version__} ({build_of()})")
        context.exit()


main = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version, and whether the hot path is compiled or pure Python.",
)(main)
