"""`radsafe-bench score`."""

from pathlib import Path
from typing import Final

import click

from gatekeeper.errors import ConfigurationError
from radsafe_bench.scoring import PUBLISHED, Scores, read_published, score, score_runs, write_scores
from radsafe_bench.scoring.ensembles import Members

RUN: Final = click.Path(path_type=Path, file_okay=False, exists=True)
FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
OUT: Final = click.Path(path_type=Path, file_okay=False)


@click.command("score")
@click.argument("folders", nargs=-1, required=True, type=RUN, metavar="RUN…")
@click.option("--out", type=OUT, required=True, help="Folder for scores.json and its CSV twins.")
@click.option("--suite", help="Name or directory; else the suite that the runs name.")
@click.option("--format", "form", type=click.Choice(["run", "safe-scale"]), default="run", show_default=True)
@click.option("--labels", type=FILE, help="Merged JSON of the published labels, with --format safe-scale.")
@click.option(
    "--ensemble",
    "ensembles",
    multiple=True,
    metavar="A,B,C",
    help="Three models that vote; repeatable. Every three unless given.",
)
def score_command(
    folders: tuple[Path, ...],
    out: Path,
    suite: str | None,
    form: str,
    labels: Path | None,
    ensembles: tuple[str, ...],
) -> None:
    """Compute every metric of recorded runs.

    With --format safe-scale, one folder of the published code's result files is read instead.
    """
    members = [_members(names) for names in ensembles] or None
    if form == "run":
        scores = score_runs(folders, suite, members).scores
    else:
        scores = _published(folders, labels, members)
    path = write_scores(scores, out)
    click.echo(scores.key.notice, err=True)
    click.echo(f"{path}: {len(scores.models)} models, {len(scores.rows)} rows")


def _members(names: str) -> Members:
    three = tuple(name.strip() for name in names.split(","))
    if len(set(three)) != 3:
        raise click.UsageError("--ensemble takes three different models, such as A,B,C")
    return three[0], three[1], three[2]


def _published(folders: tuple[Path, ...], labels: Path | None, members: list[Members] | None) -> Scores:
    if labels is None or len(folders) != 1:
        raise ConfigurationError("--format safe-scale takes one results folder and --labels MERGED.json")
    key, models = read_published(folders[0], labels)
    return score(key, models, convention=PUBLISHED, ensembles=members)
