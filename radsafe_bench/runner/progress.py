"""Progress on the terminal: how many answers, how fast, how long still."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from radsafe_bench.runner.execution import Execution


class _Rate(ProgressColumn):
    """Answers per second."""

    def render(self, task: Task) -> Text:
        """Return the current rate."""
        return Text(f"{task.speed:,.1f}/s" if task.speed else "")


@contextmanager
def shown(execution: Execution, total: int, done: int) -> Iterator[None]:
    """Show a session's progress on standard error while the block runs; nothing if it is no terminal.

    `done` of `total` answers were there before.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (
        TextColumn("answers"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("answers", total=total, completed=done, state="")

        def recorded() -> None:
            progress.update(task, advance=1, state=_state(execution))

        execution.on_record = recorded
        yield


def _state(execution: Execution) -> str:
    pacing = execution.target.pacing
    state = f"{int(pacing.limit)} at once"
    if pacing.refusals:
        state += f", {pacing.refusals} refused"
    if execution.tally.errors:
        state += f", {len(execution.tally.errors)} errors"
    return state + (", stopping" if pacing.stop.is_set() else "")
