"""`radsafe-bench report`."""

from pathlib import Path

import click

from radsafe_bench.commands.score import OUT, RUN
from radsafe_bench.report import write_report
from radsafe_bench.scoring import score_runs, write_scores


@click.command("report")
@click.argument("folders", nargs=-1, required=True, type=RUN, metavar="RUN…")
@click.option("--out", type=OUT, required=True, help="Folder for the page, its Markdown twin and the scores.")
@click.option("--suite", help="Name or directory; else the suite that the runs name.")
def report_command(folders: tuple[Path, ...], out: Path, suite: str | None) -> None:
    """Write a report of recorded runs: one HTML page, a Markdown twin, scores.json and CSV files."""
    scored = score_runs(folders, suite)
    write_scores(scored.scores, out)
    click.echo(write_report(scored, out))
