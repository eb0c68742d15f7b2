"""What a policy finds in whole answers beside evidence: `python -m tests.checks.answers FILE … [--policy F]`.

A line of a file has `question`, `evidence`, `answer`, its `kind` and `label`, and in `wrong` the stretch
that contradicts the evidence, where one does. Answers come in twins that differ in this stretch, or in the
evidence. `--missed` prints what was not found, and what was found without being there. Without a file
it is the untouched set: written by somebody who knew neither rules nor other sets, opened once.
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
from gatekeeper.cli.check import judge_lines, offline
from gatekeeper.settings import POLICIES

ANSWERS = Path(__file__).parents[1] / "data" / "answers"
WORKED_WITH = tuple(ANSWERS / f"worked_with_{number}.jsonl" for number in (1, 2, 3))
FAITHFUL = ANSWERS / "faithful.jsonl"
UNTOUCHED = ANSWERS / "untouched.jsonl"
"""The sets that the rules were improved with, the third after it had been measured once; and the last."""
_ASKED = ("id", "evidence", "question", "answer")


def read_answers(file: Path) -> list[dict[str, Any]]:
    """Return the lines of a file."""
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def judged(file: Path, policy: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every line with what `gatekeeper check` says of it."""
    gate = offline(load_bundle(policy))
    lines = read_answers(file)
    asked = ((number, {name: line[name] for name in _ASKED}) for number, line in enumerate(lines, 1))
    return zip(lines, judge_lines(gate, asked), strict=True)


def contradicted(line: dict[str, Any], verdict: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether a claim was called contradicted, and whether one that holds what is wrong."""
    found = [claim for claim in verdict["claims"] if claim["verdict"] == "contradicted"]
    start = line["answer"].find(line["wrong"])
    end = start + len(line["wrong"])
    return bool(found), any(claim["span"][0] < end and start < claim["span"][1] for claim in found)


@click.command()
@click.argument("files", type=click.Path(path_type=Path, exists=True), nargs=-1)
@click.option("--policy", type=click.Path(path_type=Path, exists=True), default=POLICIES / "default.yaml")
@click.option("--missed", is_flag=True, help="Print what was missed, and false alarms.")
def main(files: tuple[Path, ...], policy: Path, missed: bool) -> None:
    """Count by kind what a policy's checks find, and how often nothing was wrong."""
    files = files or (UNTOUCHED,)
    counts: dict[str, Counter[str]] = {}
    for line, verdict in (pair for file in files for pair in judged(file, policy)):
        found, placed = contradicted(line, verdict)
        wrong = line["label"] == "contradicted"
        ungrounded = any(claim["detector"] == "slots.ungrounded" for claim in verdict["claims"])
        for kind in (line["kind"], "all"):
            counts.setdefault(kind, Counter()).update(
                wrong=wrong, right=not wrong, found=wrong and found, placed=wrong and placed,
                alarms=found and not wrong, kept=wrong and verdict["held"],
                lost=verdict["held"] and not wrong, strange=ungrounded and wrong,
                strange_right=ungrounded and not wrong,
            )  # fmt: skip
        if missed and found != wrong:
            click.echo(orjson.dumps({**line, "claims": verdict["claims"]}))
    if not missed:
        of = counts["all"]
        told = (_share(of["strange"], of["wrong"]), _share(of["strange_right"], of["right"]))
        click.echo(f"ungrounded values: {told[0]} wrong answers, {told[1]} faithful ones")
        Console().print(_table(f"{', '.join(file.name for file in files)}: {policy.name}", counts))


def _table(title: str, counts: dict[str, Counter[str]]) -> Table:
    heads = ("kind", "contradictions found", "at the right place", "held", "false alarms", "faithful held")
    table = Table(*heads, title=title)
    for kind, of in sorted(counts.items(), key=lambda item: (item[0] == "all", item[0])):
        table.add_row(
            kind,
            _share(of["found"], of["wrong"]),
            _share(of["placed"], of["wrong"]),
            _share(of["kept"], of["wrong"]),
            _share(of["alarms"], of["right"]),
            _share(of["lost"], of["right"]),
        )
    return table


def _share(some: int, of: int) -> str:
    return f"{some} of {of} ({some / of:.1%})" if of else "–"


if __name__ == "__main__":
    main()
