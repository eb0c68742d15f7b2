"""The verdict as Markdown, fit for a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

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

_MARKUP: Final = re.compile(r"[\\`*|<>\[\]]")
_MARK: Final = {
    Result.PASS: "✅ pass",
    Result.FAIL: "❌ fail",
    Result.INCONCLUSIVE: "❔ inconclusive",
    Result.ERROR: "⚠️ error",
}


def to_markdown(verdict: Verdict) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(verdict)) + "\n"


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"## RadSaFE gate: {_MARK[verdict.result]}"
    yield ""
    yield SENTENCE[verdict.result] + (f" {_escaped(verdict.problem)}" if verdict.problem else "")
    yield ""
    if verdict.rows:
        yield from _table(ROW_HEADINGS, map(row_cells, verdict.rows))
        yield from _table(COUNT_HEADINGS, map(count_cells, verdict.counts))
    yield from (f"- {_escaped(remark)}" for remark in remarks(verdict))
    yield ""
    if verdict.basis is not None:
        yield "<details><summary>What was judged</summary>"
        yield ""
        yield from (f"- {label}: {_escaped(text)}" for label, text in basis_lines(verdict))
        yield ""
        yield "</details>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(headings)
    yield _row(["---"] * len(headings))
    yield from (_row(row) for row in rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _escaped(text: str) -> str:
    """Keep names and messages from being read as tables, markup, HTML or mentions."""
    return _MARKUP.sub(r"\\\g<0>", text).replace("@", "@\u200b")
