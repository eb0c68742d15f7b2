"""What all plots share: readable in print and by colour-blind readers, so colour never speaks alone."""

from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from radsafe_bench.scoring.scores import Scores

STYLE: Final = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "radsafe",
    "figure.constrained_layout.use": True,
}
_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
"""Okabe and Ito's palette."""

_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
_DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot with its words; `alt` says what it shows to those who do not see it."""

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure

    def svg(self) -> str:
        """Return the plot as an SVG element."""
        with mpl.rc_context(STYLE):
            buffer = StringIO()
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        text = buffer.getvalue()
        return text[text.index("<svg") :]

    def png(self) -> bytes:
        """Return the plot as a PNG file."""
        with mpl.rc_context(STYLE):
            buffer = BytesIO()
            self.figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
        return buffer.getvalue()


class Look:
    """Colour, marker and line of each condition."""

    def __init__(self, scores: Scores) -> None:
        self.conditions = tuple(dict.fromkeys(row["condition"] for row in scores.rows))

    def __call__(self, condition: str, *, line: bool = False) -> dict[str, Any]:
        """Return what matplotlib draws a condition with, as markers or as a line."""
        place = self.conditions.index(condition) % len(_COLOURS)
        style: dict[str, Any] = {"color": _COLOURS[place], "label": spoken(condition)}
        return {**style, "linestyle": _DASHES[place]} if line else {**style, "marker": _MARKERS[place]}


def spoken(name: str) -> str:
    """Return the name of a condition or metric as text."""
    words = name.replace("high_risk", "high-risk").split("_")
    return " ".join("RAG" if word == "rag" else word for word in words)
