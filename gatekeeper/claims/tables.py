"""Rows of Markdown tables, read together with the heads of their columns."""

import re
from typing import Final

_RULE: Final = re.compile(r"\|?[ \t]*:?-{2,}[-|: \t]*")
_MAX_ROWS: Final = 1_000


def table_rows(text: str) -> dict[int, str]:
    """Return what each row of a table says, by the offset where the row begins.

    "| ≥ 45 | none |" under "| eGFR | Prophylaxis |" says "eGFR ≥ 45, Prophylaxis none".
    """
    if "|" not in text:
        return {}
    rows: dict[int, str] = {}
    heads: list[str] = []
    above: list[str] = []
    offset = 0
    for line in text.splitlines(keepends=True)[:_MAX_ROWS]:
        cells = _cells(line)
        if not cells:
            heads, above = [], []
        elif above and _RULE.fullmatch(line.strip()):
            heads = above
        else:
            above = cells
            if heads:
                pairs = zip(heads + [""] * len(cells), cells, strict=False)
                rows[offset + len(line) - len(line.lstrip())] = ", ".join(
                    f"{head} {cell}".strip() for head, cell in pairs
                )
        offset += len(line)
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")] if "|" in line else []
