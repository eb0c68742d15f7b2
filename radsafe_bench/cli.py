"""`radsafe-bench`: one group whose commands are imported when they are called."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple, cast

import click

from gatekeeper import __version__
from gatekeeper.errors import GatekeeperError

HARNESS_ERROR = 3


class LazyCommand(NamedTuple):
    """Where a command lives (`module:attribute`) and its line in the help."""

    target: str
    help: str


COMMANDS: Mapping[str, LazyCommand] = {
    "calibrate": LazyCommand(
        "radsafe_bench.commands.calibrate:calibrate_command", "Fit confidence to a recorded model."
    ),
    "certify": LazyCommand(
        "radsafe_bench.commands.certify:certify_group", "Sign that a policy passed; show, verify."
    ),
    "compare": LazyCommand(
        "radsafe_bench.commands.compare:compare_command", "Two runs, question by question."
    ),
    "consult": LazyCommand(
        "radsafe_bench.commands.consult:consult_command", "Record the model calls of a policy's checks."
    ),
    "detectors": LazyCommand(
        "radsafe_bench.commands.detectors:detectors_command", "Every check beside known truth."
    ),
    "gate": LazyCommand("radsafe_bench.commands.gate:gate_command", "Judge a policy on a recorded model."),
    "report": LazyCommand("radsafe_bench.commands.report:report_command", "A page of runs, for people."),
    "run": LazyCommand(
        "radsafe_bench.commands.run:run_command", "Put a suite to a model, record all answers."
    ),
    "score": LazyCommand("radsafe_bench.commands.score:score_command", "Every metric of recorded runs."),
    "suite": LazyCommand(
        "radsafe_bench.suites.cli:suite", "Questions: validate, show, assemble, import, review."
    ),
    "train-reader": LazyCommand(
        "radsafe_bench.commands.train_reader:train_reader_command", "Train the embedded model of `nli`."
    ),
    "tune": LazyCommand("radsafe_bench.commands.tune:tune_command", "Propose a policy's threshold."),
}
"""Every command of `radsafe-bench`; a new one is one more line here."""


class CommandFailed(click.ClickException):
    """A command that could not do its work, as opposed to one that found what it looks for."""

    exit_code = HARNESS_ERROR


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it, and turns our errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].target.partition(":")
        with _install_hint():
            return cast(click.Command, getattr(import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its errors end with a message and exit status 3."""
        try:
            with _install_hint():
                return super().invoke(ctx)
        except GatekeeperError as error:
            raise CommandFailed(error.message) from None


@contextmanager
def _install_hint() -> Iterator[None]:
    """Say which extra holds a package that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "gatekeeper", "radsafe_bench"):
            raise
        extra = "hub" if missing == "huggingface_hub" else "bench"
        raise CommandFailed(
            f"{missing} is not installed: pip install 'radsafe-gatekeeper[{extra}]'"
        ) from None


@click.command(cls=LazyGroup)
@click.version_option(__version__)
def main() -> None:
    """Run the RadSaFE suite, report safety, and gate a deployment on it.

    The questions that ship here were written independently and await clinicians' review; they are not
    the official RadSaFE-200. No result here shows that a system is safe for patients.
    """
