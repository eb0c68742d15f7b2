"""What `slots` finds on the constructed pairs, by kind: `python -m tests.checks.slots`.

The first half was written beside the rules and tuned on. The second was written by somebody who knew
neither, and read once, when the rules were done: its figures are the ones to believe.
"""

from collections import Counter

from rich.console import Console
from rich.table import Table

from gatekeeper.assessment import Verdict
from tests.checks.slots.pairs import DATA, Pair, read_pairs


def main() -> None:
    """Print both halves."""
    for half in ("first", "second"):
        Console().print(_table(f"{half} half", read_pairs(DATA / f"slots_{half}_half.jsonl")))


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
