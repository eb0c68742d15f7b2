"""The report: everything a reader needs on one page, and nothing that claims too much."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from radsafe_bench.cli import main
from radsafe_bench.report import tables
from radsafe_bench.report.figures import draw
from radsafe_bench.report.plot import spoken
from radsafe_bench.scoring import AnswerKey, Scores, load_runs, score
from radsafe_bench.simulate import SimulatedModel, simulate, simulated_suite, write_run
from radsafe_bench.suites import Suite
from tests.radsafe_bench.scoring.small import make_run, make_suite, question, record

CONDITIONS = {"closed_book": 0.7, "clean_evidence": 0.9, "standard_rag": 0.75}


class Page(HTMLParser):
    """What a browser would load, and the text that it would show."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [
            value or "" for name, value in attrs if name in {"src", "href", "xlink:href"} and value != ""
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Make 60 simulated questions."""
    return simulated_suite(tmp_path_factory.mktemp("suites") / "simulated", questions=60)


@pytest.fixture(scope="module")
def report(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report on three models of three sizes."""
    folder = tmp_path_factory.mktemp("report")
    models = [SimulatedModel(f"m-{size}", CONDITIONS, parameters=size * 1e9) for size in (1, 7, 70)]
    drawn = simulate(AnswerKey.of(suite), models, correlation=0.5, samples=5)
    runs = [write_run(folder / one.model.name, one, suite) for one in drawn]
    arguments = ["report", *map(str, runs), "--suite", str(suite.path), "--out", str(folder / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return folder / "out"


@pytest.fixture(scope="module")
def page(report: Path) -> Page:
    """Read the page."""
    return Page((report / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def markdown(report: Path) -> str:
    """Read the Markdown twin."""
    return (report / "report.md").read_text(encoding="utf-8")


def test_the_page_loads_nothing(page: Page) -> None:
    """One file: no script, and every reference stays inside the page."""
    assert {"script", "link", "iframe", "img"}.isdisjoint(page.tags)
    assert [target for target in page.loaded if not target.startswith("#")] == []


def test_what_was_asked_stands_on_top(page: Page, markdown: str, suite: Suite) -> None:
    """Suite, version, digest, review status and notices come before any figure."""
    for text in (page.text, markdown):
        top = text[: text.index("m-1")]
        for words in (
            suite.name,
            suite.digest,
            "review status draft",
            suite.notice,
            "no medical device",
            "simulator",
        ):
            assert words in top


def test_published_averages_stand_beside_and_are_never_filled_in(markdown: str) -> None:
    """RAG rows are marked as another corpus; what the paper does not give stays a dash."""
    rows = [line for line in markdown.splitlines() if "| published average" in line]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells == [
        ["closed book", tables.PAPER, "200", "73.5", "12.0", "–", "12.7", "8.0", "18.0"],
        ["clean evidence", tables.PAPER, "200", "94.1", "2.6", "–", "2.3", "1.6", "17.3"],
        ["standard RAG", f"{tables.PAPER} (different corpus)", "200", "76.0", "–", "–", "11.7", "–", "18.4"],
    ]


def test_both_twins_hold_the_same_numbers(page: Page, report: Path, markdown: str) -> None:
    """A rate of scores.json is on the page and in the Markdown."""
    row = orjson.loads((report / "scores.json").read_bytes())["rows"][0]
    shown = f"{100 * row['accuracy']:.1f}"
    assert shown in page.text
    assert shown in markdown


def test_every_plot_is_drawn_and_described(report: Path, markdown: str) -> None:
    """Each plot is in the page as SVG, beside the Markdown as PNG, and said in words for the blind."""
    html = (report / "report.html").read_text(encoding="utf-8")
    names = re.findall(r"!\[[^\]]{20,}\]\(figures/(\w+)\.png\)", markdown)
    expected = {"safety", "outcomes", "calibration", "coverage", "scaling", "concentration", "latency"}
    assert set(names) == expected
    assert html.count("<svg") == html.count('role="img" aria-label="') == len(expected)
    for name in names:
        assert (report / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_reports_are_reproducible(suite: Suite) -> None:
    """The same runs give the same plots, byte for byte."""
    key = AnswerKey.of(suite)
    scores = score(key, [simulate(key, [SimulatedModel("m", CONDITIONS)], samples=5)[0].answers])
    first, second = ([plot.svg() for plot in draw(scores)] for _ in range(2))
    assert first == second


def scores_of(tmp_path: Path, *lines: dict[str, object], stem: str = "") -> tuple[Scores, Suite, Path]:
    """Score one run of one question."""
    asked = question(1, high_risk="B", contradicts="B")
    suite = make_suite(tmp_path / "suite", replace(asked, stem=stem or asked.stem))
    told = {"retrieval": {"retriever": "bm25", "recall": {"1": 0.25}}, "why_not": {"agentic_rag": "no plan"}}
    run = make_run(tmp_path / "run", suite, lines, backend="extractive", **told)
    loaded = load_runs([run])
    return score(loaded.key, loaded.models), suite, run


def test_worst_questions_say_what_was_chosen_and_why_it_is_dangerous(tmp_path: Path) -> None:
    """The chosen option, its flags with their rationale, and the correct option stand side by side."""
    scores, suite, _ = scores_of(tmp_path, record("q-1", "B"))
    (row,) = tables.worst_table(scores, suite).rows
    assert row[2:] == ("1 of 1", "B. statement B", "high-risk, contradicts; because of B", "A. statement A")


def test_a_baseline_is_called_one(tmp_path: Path) -> None:
    """A run of the extractive backend says that it is no clinical result, and that labels await review."""
    _, _, run = scores_of(tmp_path, record("q-1", "A"))
    result = CliRunner().invoke(main, ["report", str(run), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "retrieval baseline without a language model" in text
    assert "no clinical result" in text
    assert "await clinicians' review" in text
    assert "bm25: @1 25.0" in text
    assert "agentic RAG: no plan" in text


def test_text_of_questions_is_never_markup(tmp_path: Path) -> None:
    """A stem that looks like HTML or Markdown is shown as it is written."""
    stem = "<script>alert(1)</script> | **A** [x](http://y)"
    _, _, run = scores_of(tmp_path, record("q-1", "B"), stem=stem)
    CliRunner().invoke(main, ["report", str(run), "--out", str(tmp_path / "out")])
    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert stem in page.text
    row = next(line for line in (tmp_path / "out" / "report.md").read_text().splitlines() if "alert" in line)
    assert r"\<script\>alert(1)\</script\> \| \*\*A\*\* \[x\](http://y)" in row


def test_a_greedy_run_without_probabilities_has_a_report(tmp_path: Path) -> None:
    """Where samples and token probabilities are missing, dashes and no plots stand in their place."""
    scores, _, _ = scores_of(tmp_path, record("q-1", "A"))
    assert {plot.name for plot in draw(scores)} == {"safety", "latency"}
    assert tables.safety_table(scores).rows[0][-2] == "–"
    assert tables.confidence_table(scores).rows == ()
    assert tables.ensemble_table(scores) is None
    assert tables.noise_table(scores) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("high_risk_error", "high-risk error"),
        ("standard_rag_top_5", "standard RAG top 5"),
        ("haemorrhage", "haemorrhage"),
    ],
)
def test_names_as_words(name: str, text: str) -> None:
    """Names are spelt out, and only the word RAG is an abbreviation."""
    assert spoken(name) == text
