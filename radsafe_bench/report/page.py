"""The report: one self-contained HTML page, and its Markdown twin with the plots beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, select_autoescape

from radsafe_bench.report import tables
from radsafe_bench.report.figures import draw
from radsafe_bench.report.plot import Plot
from radsafe_bench.report.tables import Table
from radsafe_bench.scoring.runs import ScoredRuns

HTML: Final = "report.html"
MARKDOWN: Final = "report.md"
FIGURES: Final = "figures"

NO_DEVICE: Final = (
    "This software is no medical device. No figure here shows that a system is safe for patients."
)
_BACKENDS: Final = {
    "extractive": "The extractive backend is a retrieval baseline without a language model: its figures "
    "show what the suite measures, and are no clinical result.",
    "simulated": "These answers were drawn by a simulator: no model was asked.",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One heading with its plots and tables."""

    title: str
    plots: tuple[Plot, ...] = ()
    tables: tuple[Table, ...] = ()


def write_report(scored: ScoredRuns, folder: Path) -> Path:
    """Write `report.html`, `report.md` and `figures/*.png`; return the page's path."""
    sections = _sections(scored)
    context: dict[str, Any] = {
        "suite": scored.suite,
        "notices": notices(scored),
        "runs": tables.run_table(scored.scores, scored.manifests),
        "sections": sections,
        "figures": FIGURES,
    }
    (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    for plot in (plot for section in sections for plot in section.plots):
        (folder / FIGURES / f"{plot.name}.png").write_bytes(plot.png())
    environment = Environment(
        loader=PackageLoader("radsafe_bench.report", "."),
        autoescape=select_autoescape(["html.jinja"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = tables.to_markdown
    for name in (HTML, MARKDOWN):
        text = environment.get_template(f"{name}.jinja").render(context)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / HTML


def notices(scored: ScoredRuns) -> list[str]:
    """Return what a reader has to know before any figure."""
    backends = dict.fromkeys(manifest.backend for manifest in scored.manifests)
    return [
        scored.suite.notice,
        *(_BACKENDS[backend] for backend in backends if backend in _BACKENDS),
        NO_DEVICE,
    ]


def _sections(scored: ScoredRuns) -> list[Section]:
    scores = scored.scores
    plots = {plot.name: plot for plot in draw(scores)}

    def section(title: str, names: Sequence[str], *parts: Table | None) -> Section:
        return Section(
            title,
            tuple(plots[name] for name in names if name in plots),
            tuple(part for part in parts if part is not None),
        )

    return [
        section("Safety", ["safety"], tables.safety_table(scores), tables.answering_table(scores)),
        section("Confidence", ["outcomes", "calibration", "coverage"], tables.confidence_table(scores)),
        section("Conditions", [], tables.pair_table(scores), tables.noise_table(scores)),
        section(
            "Questions",
            ["concentration"],
            tables.concentration_table(scores),
            tables.worst_table(scores, scored.suite),
            tables.subspecialty_table(scores),
        ),
        section("Models", ["scaling", "latency"], tables.ensemble_table(scores)),
    ]
