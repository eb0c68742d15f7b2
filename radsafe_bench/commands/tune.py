"""`radsafe-bench tune`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from gatekeeper.bundle import load_bundle
from gatekeeper.policy.criteria import SAFETY_RATES
from radsafe_bench.commands.gate import StatusCommand
from radsafe_bench.gate.replay import load_recording
from radsafe_bench.gate.reporting.words import percent
from radsafe_bench.suites import SUITE_NAME, load_suite
from radsafe_bench.tuning import Proposal, Target, Tested, fewest_delivered, p_values, propose, tuned_policy
from radsafe_bench.tuning.proposal import place_at

NOTHING: Final = 1
_STEPS: Final = 12
"""Lines of the path that are shown."""

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


class TargetType(click.ParamType[Target]):
    """`high_risk_error=0.05`."""

    name = "RATE=SHARE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """Read a rate and its limit."""
        rate, _, share = value.partition("=")
        try:
            alpha = float(share)
        except ValueError:
            alpha = 0.0
        if rate not in SAFETY_RATES or not 0 < alpha < 1:
            self.fail(f"is one of {', '.join(SAFETY_RATES)}, then = and a share such as 0.05", param, ctx)
        return Target(rate, alpha)


@click.command(
    "tune",
    cls=StatusCommand,
    epilog="Exit status: 0 proposed, 1 nothing can be certified, 3 it cannot be done so.",
)
@click.option("--policy", type=_FILE, required=True)
@click.option("--run", "folder", type=_FOLDER, required=True, metavar="runs/NAME", help="Recorded model.")
@click.option("--suite", default=SUITE_NAME, show_default=True, help="Name or directory.")
@click.option("--calibration", type=_FILE, multiple=True, help="Calibration artefact; may be repeated.")
@click.option("--risk", "targets", type=TargetType(), multiple=True, required=True, help="May be repeated.")
@click.option("--delta", type=click.FloatRange(0, 0.5, min_open=True), default=0.05, show_default=True)
@click.option("--rule", help="Rule whose threshold is chosen, where several hold answers by p_wrong.")
@click.option("--out", type=_FILE, help="Write the new version of the policy here.")
@click.option("--version", help="Its version; the old one with -tuned unless given.")
@click.pass_context
def tune_command(
    ctx: click.Context,
    policy: Path,
    folder: Path,
    suite: str,
    calibration: tuple[Path, ...],
    targets: tuple[Target, ...],
    delta: float,
    rule: str | None,
    out: Path | None,
    version: str | None,
) -> None:
    """Propose a threshold on p_wrong by Learn-then-Test, on the calibration half of the suite.

    The claim is the gate's, on the other half.
    """
    bundle = load_bundle(policy, calibration)
    proposal = propose(bundle, load_recording(folder), load_suite(suite), targets, delta, rule)
    console = Console()
    for tested in proposal.tested:
        _show(console, tested, delta)
    for sentence in _sentences(proposal):
        click.echo(sentence)
    if proposal.threshold is None:
        ctx.exit(NOTHING)
    if out is not None:
        named = version or f"{bundle.policy.version}-tuned"
        out.write_text(tuned_policy(policy.read_text(encoding="utf-8"), proposal, named), encoding="utf-8")
        click.echo(f"{out}: version {named}; judge it with `radsafe-bench gate`")


def _show(console: Console, tested: Tested, delta: float) -> None:
    """Print the coverage-risk path of one target, and where each method stops on it."""
    path, target = tested.path, tested.target
    table = Table(
        "p_wrong ≤",
        "delivered",
        "coverage",
        "errors",
        "risk",
        "p",
        "certified",
        title=f"{tested.condition}: {target.rate} ≤ {percent(target.alpha)} at δ = {delta:g}",
    )
    p = p_values(path, target.alpha)
    for place in _places(tested):
        table.add_row(
            f"{path.thresholds[place]:.4f}",
            str(path.delivered[place]),
            percent(float(path.coverage[place])),
            str(path.events[place]),
            percent(float(path.risk[place])),
            f"{p[place]:.3f}",
            "yes" if place in tested.certified else "",
        )
    console.print(table)
    for line in _methods(tested, delta):
        click.echo(line)


def _places(tested: Tested) -> list[int]:
    """Return evenly spaced places of the path, and those where a method stops."""
    last = tested.path.thresholds.size - 1
    if last < 0:
        return []
    stops = [tested.sgr, tested.conformal, *tested.certified[-1:]]
    even = np.linspace(0, last, min(_STEPS, last + 1)).astype(int).tolist()
    return sorted({*even, *(place for place in stops if place is not None)})


def _methods(tested: Tested, delta: float) -> Iterator[str]:
    path, target = tested.path, tested.target
    most, needed = (
        int(path.delivered[-1]) if path.delivered.size else 0,
        fewest_delivered(target.alpha, delta),
    )
    yield f"  asked {path.asked}, held by other rules {tested.held}, delivered in any case {tested.unscored}"
    if tested.certified:
        yield f"  Learn-then-Test: {_at(tested, tested.certified[-1])}"
    elif most < needed:
        yield f"  Learn-then-Test: nothing; {needed} deliveries are needed at least, there are {most}"
    else:
        yield "  Learn-then-Test: nothing; the strictest testable threshold is already too risky"
    yield f"  SGR: {_at(tested, tested.sgr)}"
    yield f"  conformal risk control (expected errors per question asked): {_at(tested, tested.conformal)}"
    yield f"  even a perfect ranking would have to hold {percent(tested.abstention)} of them to reach α"


def _at(tested: Tested, place: int | None) -> str:
    if place is None:
        return "nothing"
    path = tested.path
    coverage, risk = percent(float(path.coverage[place])), percent(float(path.risk[place]))
    return f"p_wrong ≤ {path.thresholds[place]:.4f}, coverage {coverage}, observed risk {risk}"


def _sentences(proposal: Proposal) -> Iterator[str]:
    if proposal.reused:
        yield (
            f"{proposal.reused} of these questions were used to fit the calibration as well: the guarantee "
            "does not hold for such scores, only the gate's on untouched questions."
        )
    if proposal.threshold is None:
        yield "Nothing can be certified: no threshold meets every target at this δ on these questions."
        return
    yield f"Proposal: rule '{proposal.rule}' holds answers with p_wrong > {proposal.threshold!r}. It buys:"
    for tested in proposal.tested:
        place = place_at(tested.path, proposal.threshold)
        yield f"  {tested.condition}, {tested.target.rate}: {_at(tested, place)}"
