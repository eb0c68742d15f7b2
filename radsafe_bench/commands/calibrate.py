"""`radsafe-bench calibrate`."""

from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.table import Table

from radsafe_bench.calibrating import Fit, calibrate
from radsafe_bench.calibrating.plot import reliability_plot
from radsafe_bench.commands.gate import StatusCommand
from radsafe_bench.gate.replay import load_recording
from radsafe_bench.suites import SUITE_NAME, load_suite

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)

_SHOWN = {
    "ece": "ECE, ten bins",
    "ece_null_mean": "  if perfect: mean",
    "ece_null_upper95": "  if perfect: 95th percentile",
    "ece_null_p": "  if perfect: p-value",
    "smooth_ece": "smooth ECE",
    "brier": "Brier score",
    "brier_reliability": "  reliability",
    "brier_resolution": "  resolution",
    "brier_uncertainty": "  uncertainty",
    "auroc": "AUROC",
    "aurc": "AURC",
    "separation_pp": "separation, points",
}


@click.command("calibrate", cls=StatusCommand)
@click.argument("runs", nargs=-1, required=True, type=_FOLDER)
@click.option("--out", type=_FILE, required=True, metavar="calibration.json", help="The artefact.")
@click.option("--suite", default=SUITE_NAME, show_default=True, help="Name or directory.")
@click.option("--plot", type=_FILE, help="Reliability plot, .svg or .png.")
def calibrate_command(runs: tuple[Path, ...], out: Path, suite: str, plot: Path | None) -> None:
    """Fit a model's confidence on its recorded answers to the calibration split.

    What is shown is cross-fitted: every answer is judged by a fit that did not see its question.
    """
    if plot is not None and plot.suffix not in {".svg", ".png"}:
        raise click.UsageError("--plot is a .svg or a .png")
    fit = calibrate([load_recording(folder) for folder in runs], load_suite(suite), datetime.now(UTC))
    pretty = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    out.write_bytes(orjson.dumps(fit.calibration.model_dump(mode="json"), option=pretty))
    _say(fit, out)
    if plot is not None:
        _draw(fit, plot)


def _say(fit: Fit, out: Path) -> None:
    seen, left_out = fit.calibration.seen, fit.observations.unmeasured
    click.echo(
        f"{len(fit.observations)} answers to {len(seen)} questions; {left_out} without token probabilities"
    )
    table = Table("on unseen questions", "tokens", "calibrated")
    for name, label in _SHOWN.items():
        table.add_row(label, *(_number(stage[name]) for stage in (fit.before, fit.after)))
    Console().print(table)
    model = fit.calibration.confidence
    slope = model.terms[0].weight
    click.echo(f"logit P(correct) = b + {slope:.3f} · logit(confidence), by state of the evidence:")
    for state, intercept in model.intercepts.items():
        click.echo(f"  {state.value:12} b = {intercept:+.3f}")
    if slope <= 0:
        click.echo("The token probabilities tell nothing of correctness: the slope is not positive.")
    click.echo(f"{out}: for {fit.calibration.fingerprint}, {fit.calibration.digest}")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _draw(fit: Fit, path: Path) -> None:
    plot = reliability_plot(fit)
    if path.suffix == ".svg":
        path.write_text(plot.svg(), encoding="utf-8")
    else:
        path.write_bytes(plot.png())
    click.echo(f"{path}: reliability plot")
