"""What a policy finds in whole answers beside evidence: `python -m tests.checks.answers FILE [--policy F]`.

A line of the file has `question`, `evidence`, `answer`, its `kind` and `label`, and in `wrong` the stretch
that contradicts the evidence, where one does. Answers come in twins that differ in this stretch, or in the
evidence. `--missed` prints what was not found, and what was found without being there.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.table import Table

from gatekeeper.bundle import load_bundle
from gatekeeper.cli.check import _NoBackend, judge_lines
from gatekeeper.gate import Gate
from gatekeeper.settings import POLICIES

_ASKED = ("id", "evidence", "question", "answer")


def judged(file: Path, policy: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every line with what `gatekeeper check` says of it."""
    gate = Gate(_NoBackend(), load_bundle(policy))  # type: ignore[arg-type]  # never asked
    lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    asked = ((number, {name: line[name] for name in _ASKED}) for number, line in enumerate(lines, 1))
    return zip(lines, judge_lines(gate, asked), strict=True)


def contradicted(line: dict[str, Any], verdict: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether a claim was called contradicted, and whether one that holds what is wrong."""
    found = [claim for claim in verdict["claims"] if claim["verdict"] == "contradicted"]
    start = line["answer"].find(line["wrong"])
    end = start + len(line["wrong"])
    return bool(found), any(claim["span"][0] < end and start < claim["span"][1] for claim in found)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--policy", type=click.Path(path_type=Path, exists=True), default=POLICIES / "default.yaml")
@click.option("--missed", is_flag=True, help="Print what was missed, and false alarms.")
def main(file: Path, policy: Path, missed: bool) -> None:
    """Count by kind what a policy's checks find, and at how many places nothing was wrong."""
    counts: dict[str, Counter[str]] = {}
    for line, verdict in judged(file, policy):
        found, placed = contradicted(line, verdict)
        wrong = line["label"] == "contradicted"
        for kind in (line["kind"], "all"):
            counts.setdefault(kind, Counter()).update(
                {"wrong": wrong, "right": not wrong, "found": wrong and found, "placed": wrong and placed,
                 "alarms": found and not wrong}
            )  # fmt: skip
        if missed and found != wrong:
            click.echo(orjson.dumps({**line, "claims": verdict["claims"]}))
    if not missed:
        Console().print(_table(f"{file.name}, {policy.name}", counts))


def _table(title: str, counts: dict[str, Counter[str]]) -> Table:
    table = Table("kind", "contradictions found", "at the right place", "false alarms", title=title)
    for kind, of in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        table.add_row(
            kind,
            f"{of['found']} of {of['wrong']} ({of['found'] / of['wrong']:.0%})",
            str(of["placed"]),
            f"{of['alarms']} of {of['right']} ({of['alarms'] / of['right']:.1%})",
        )
    return table


if __name__ == "__main__":
    main()
