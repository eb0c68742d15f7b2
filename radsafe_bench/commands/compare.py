"""`radsafe-bench compare`."""

from pathlib import Path

import click
import orjson

from radsafe_bench.commands.score import OUT, RUN
from radsafe_bench.report.comparison import change_table, outcome_table
from radsafe_bench.report.page import NO_DEVICE
from radsafe_bench.report.tables import to_markdown
from radsafe_bench.scoring import load_runs
from radsafe_bench.scoring.comparison import compare_runs


@click.command("compare")
@click.argument("before", type=RUN, metavar="A")
@click.argument("after", type=RUN, metavar="B")
@click.option("--suite", help="Name or directory; else the suite that the runs name.")
@click.option("--out", type=OUT, help="Folder for comparison.json and comparison.md.")
def compare_command(before: Path, after: Path, suite: str | None, out: Path | None) -> None:
    """Compare run B with run A, condition by condition and question by question."""
    loaded = load_runs([before, after], suite)
    comparison = compare_runs(loaded.models[0], loaded.models[1], loaded.key)
    asked = f"Suite {loaded.suite.name} {loaded.suite.version}, {loaded.suite.digest}"
    parts = [
        *(f"> {line}\n" for line in (asked, loaded.suite.notice, NO_DEVICE)),
        to_markdown(outcome_table(comparison)),
        to_markdown(change_table(comparison, loaded.suite)),
    ]
    text = "\n\n".join(parts)
    click.echo(text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "comparison.md").write_text(text + "\n", encoding="utf-8")
        body = {"suite": loaded.key.suite.model_dump(), **comparison._asdict()}
        (out / "comparison.json").write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))
