"""The verdict as tables in a terminal."""

from typing import Final

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from radsafe_bench.gate.criteria import Result
from radsafe_bench.gate.reporting.words import (
    COUNT_HEADINGS,
    ROW_HEADINGS,
    SENTENCE,
    basis_lines,
    count_cells,
    remarks,
    row_cells,
)
from radsafe_bench.gate.verdict import Verdict

_WIDTH: Final = 126
"""What the criteria take; logs of CI systems are wide and do not say so."""

_STYLE: Final = {
    Result.PASS: "green",
    Result.FAIL: "red",
    Result.INCONCLUSIVE: "yellow",
    Result.ERROR: "red",
}


def print_table(verdict: Verdict, console: Console) -> None:
    """Print criteria, counts, remarks and what was judged, at least _WIDTH characters wide."""
    console.width = max(console.width, _WIDTH)
    for label, text in basis_lines(verdict):
        console.print(f"{label:12} {escape(text)}", soft_wrap=True, highlight=False)
    if verdict.rows:
        rows = Table(*ROW_HEADINGS, box=box.SIMPLE_HEAD)
        for row in verdict.rows:
            rows.add_row(*map(escape, row_cells(row)), style=_STYLE[row.result])
        counts = Table(*COUNT_HEADINGS, box=box.SIMPLE_HEAD)
        for one in verdict.counts:
            counts.add_row(*count_cells(one))
        console.print(rows, counts, sep="\n")
    for remark in remarks(verdict):
        console.print(escape(remark), soft_wrap=True, highlight=False)
    problem = f" {escape(verdict.problem)}" if verdict.problem else ""
    style = _STYLE[verdict.result]
    console.print(
        f"[{style}]{verdict.result.value.upper()}[/]: {SENTENCE[verdict.result]}{problem}",
        soft_wrap=True,
        highlight=False,
    )
