"""`radsafe-bench calibrate`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from gatekeeper.bundle import load_bundle
from gatekeeper.settings import POLICIES
from radsafe_bench.calibrating import Feature, Fit, RiskFit, Wanted, calibrate
from radsafe_bench.calibrating.plot import reliability_plot
from radsafe_bench.commands.gate import Misused, StatusCommand
from radsafe_bench.gate.replay import load_recording
from radsafe_bench.suites import SUITE_NAME, load_suite

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)

_RULED_OUT = 0.05
"""Level at which an ECE rules calibration out."""

_SHOWN = {
    "n": "answers",
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
    "auroc_ci95": "  95 % interval",
    "aurc": "AURC",
    "separation_pp": "separation, points",
    "separation_pp_ci95": "  95 % interval",
}


@click.command("calibrate", cls=StatusCommand)
@click.argument("runs", nargs=-1, required=True, type=_FOLDER)
@click.option("--out", type=_FILE, required=True, metavar="calibration.json", help="The artefact.")
@click.option("--suite", default=SUITE_NAME, show_default=True, help="Name or directory.")
@click.option("--plot", type=_FILE, help="Reliability plot, .svg or .png.")
@click.option("--risk", is_flag=True, help="Fit a fused risk over the checks' signals as well.")
@click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="SIGNAL[:logit|identity]",
    help="A signal to fuse; may be repeated. The usual ones unless given.",
)
@click.option(
    "--policy",
    type=_FILE,
    default=POLICIES / "default.yaml",
    help="Names the checks to fuse and the topics of the drift reference; the default policy unless given.",
)
@click.option("--reference/--no-reference", default=True, help="Store what live drift is measured from.")
def calibrate_command(
    runs: tuple[Path, ...],
    out: Path,
    suite: str,
    plot: Path | None,
    risk: bool,
    features: tuple[str, ...],
    policy: Path,
    reference: bool,
) -> None:
    """Fit a model's confidence on its recorded answers to the calibration split, with --risk its risk too.

    What is shown is cross-fitted: every answer is judged by a fit that did not see its question.
    """
    if plot is not None and plot.suffix not in {".svg", ".png"}:
        raise Misused("--plot is a .svg or a .png")
    if features and not risk:
        raise Misused("--feature goes with --risk")
    fit = calibrate(
        [load_recording(folder) for folder in runs],
        load_suite(suite),
        datetime.now(UTC),
        load_bundle(policy),
        Wanted(risk, tuple(map(Feature.named, features)), reference),
    )
    pretty = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    out.write_bytes(orjson.dumps(fit.calibration.model_dump(mode="json"), option=pretty))
    _say(fit, out)
    if plot is not None:
        _draw(fit, plot)


def _say(fit: Fit, out: Path) -> None:
    answers, questions = len(fit.observations), len(fit.calibration.seen)
    click.echo(
        f"{answers} answers to {questions} questions; {fit.unmeasured} answers without token probabilities"
    )
    stages = {"tokens": fit.before, "calibrated": fit.after}
    if fit.risk:
        stages["fused risk"] = fit.risk.described
    table = Table("on unseen questions", *stages)
    for name, label in _SHOWN.items():
        table.add_row(label, *(_shown(stage[name]) for stage in stages.values()))
    Console().print(table)
    model = fit.calibration.confidence
    slope = model.terms[0].weight
    click.echo(f"logit P(correct) = b + {slope:.3f} · logit(confidence), by state of the evidence:")
    for state, intercept in model.intercepts.items():
        click.echo(f"  {state.value:12} b = {intercept:+.3f}")
    if slope <= 0:
        click.echo("The token probabilities tell nothing of correctness: the slope is not positive.")
    for line in _risk_lines(fit.risk) if fit.risk else ():
        click.echo(line)
    click.echo(f"{out}: for {fit.calibration.fingerprint}, {fit.calibration.digest}")


def _risk_lines(risk: RiskFit) -> Iterator[str]:
    """Say what the fused risk is made of, and what is not in it and why."""
    model = risk.fused.model
    yield f"fused risk: logit P(correct) = b + the terms below; ridge C = {risk.fused.strength:g}"
    for state, intercept in model.intercepts.items():
        yield f"  {state.value:12} b = {intercept:+.3f}"
    for term in model.terms:
        what = f"logit({term.signal})" if term.transform == "logit" else term.signal
        absent = "no risk" if term.missing is None else f"{term.missing:+.3f}"
        yield f"  {term.weight:+.3f} · {what}; not measured: {absent}"
    if risk.described["ece_null_p"] < _RULED_OUT:
        yield "  On unseen questions these probabilities are not calibrated: see ECE against what is perfect."
    for signal in risk.fused.dropped:
        yield f"  dropped: {signal}, whose weight would have had the wrong sign; the rest was fitted again"
    for signal, why in risk.features.left_out.items():
        yield f"  left out: {signal} {why}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "–" if None in value else f"{value[0]:.3f} to {value[1]:.3f}"
    if isinstance(value, int):
        return str(value)
    return "–" if value is None else f"{value:.3f}"


def _draw(fit: Fit, path: Path) -> None:
    plot = reliability_plot(fit)
    if path.suffix == ".svg":
        path.write_text(plot.svg(), encoding="utf-8")
    else:
        path.write_bytes(plot.png())
    click.echo(f"{path}: reliability plot")
