"""What `slots` finds on the constructed pairs, by kind: `python -m tests.checks.slots`.

The first half was written beside the rules. The second was written by somebody who knew neither, and was
read once when the rules were first done; it and the passages have been used to improve them since. None of
the three is held out any more.
"""

from collections import Counter

from rich.console import Console
from rich.table import Table

from gatekeeper.assessment import Verdict
from tests.checks.slots.pairs import DATA, Pair, read_pairs


def main() -> None:
    """Print both halves, and the reworded claims about passages of several sentences."""
    for title, name in (
        ("first half", "slots_first_half"),
        ("second half", "slots_second_half"),
        ("passages", "reading_dev"),
    ):
        Console().print(_table(title, read_pairs(DATA / f"{name}.jsonl")))


def _table(title: str, pairs: list[Pair]) -> Table:
    found: dict[str, Counter[str]] = {}
    for pair in pairs:
        contradicted = pair.compare().verdict is Verdict.CONTRADICTED
        if pair.label is Verdict.CONTRADICTED:
            _count(found, pair.kind, "found" if contradicted else "missed")
        else:
            _count(found, "all kinds", "false alarms" if contradicted else "left alone")
    table = Table("kind", "contradictions found", "false alarms", title=title)
    for kind, counts in sorted(found.items()):
        if kind != "all kinds":
            table.add_row(kind, f"{counts['found']} of {counts['found'] + counts['missed']}", "")
    total = sum((counts for kind, counts in found.items() if kind != "all kinds"), Counter[str]())
    calm = found["all kinds"]
    asked, quiet = total["found"] + total["missed"], calm["false alarms"] + calm["left alone"]
    table.add_row(
        "all kinds",
        f"{total['found']} of {asked} ({total['found'] / asked:.1%})",
        f"{calm['false alarms']} of {quiet} ({calm['false alarms'] / quiet:.1%})",
    )
    return table


def _count(found: dict[str, Counter[str]], kind: str, what: str) -> None:
    found.setdefault(kind, Counter())[what] += 1


if __name__ == "__main__":
    main()
