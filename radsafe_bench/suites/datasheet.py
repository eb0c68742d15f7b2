"""The datasheet, rendered from what a suite measures to."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import Origin, Suite
from radsafe_bench.suites.similarity import Similar
from radsafe_bench.suites.statistics import Agreement, Statistics, measure
from radsafe_bench.suites.store import DATASHEET

_TEMPLATE = Path(__file__).with_name("datasheet.md.txt")


def render_datasheet(suite: Suite) -> str:
    """Render a suite's datasheet as Markdown.

    Raises SuiteError for an imported suite: its datasheet is its authors' to write.
    """
    if suite.info.origin is Origin.IMPORTED:
        raise SuiteError(f"suite {suite.name} was imported; this project has no datasheet for it")
    figures = measure(suite)
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=suite.name,
        version=suite.version,
        digest=suite.digest,
        notice=suite.notice,
        review=suite.info.review,
        seed=suite.info.seed,
        questions=figures.questions,
        statistics=_table(("figure", "value"), statistics_rows(figures)),
        baselines=_table(("baseline", "accuracy"), baseline_rows(figures)),
        readings=_readings(figures.readings),
        review_text=_review(figures),
        sources=_table(("source", "questions"), figures.sources.items()),
    )


def write_datasheet(suite: Suite) -> Path:
    """Write DATASHEET.md beside the suite's files."""
    path = suite.path / DATASHEET
    path.write_text(render_datasheet(suite), encoding="utf-8")
    return path


def percent(share: float | None) -> str:
    """Write a share in [0, 1] as a percentage; a dash where it could not be measured."""
    return "–" if share is None else f"{share:.1%}"


def statistics_rows(figures: Statistics) -> list[tuple[str, str]]:
    """Name every figure of a suite, as datasheet and terminal print it."""
    lengths = figures.lengths
    return [
        ("questions", str(figures.questions)),
        ("subspecialties", listed(figures.subspecialties)),
        ("types", listed(figures.question_types)),
        ("splits", listed(figures.splits)),
        (
            "negated stems",
            f"{figures.negated}, {figures.flags_on_correct_of_negated} with a labelled correct option",
        ),
        ("hinge on a condition easily overlooked", listed(figures.hinges)),
        ("theme", listed(figures.focus)),
        ("options", listed(figures.option_counts)),
        *((f"correct letters, {size} options", listed(letters)) for size, letters in figures.letters.items()),
        (
            f"labels of {figures.wrong_options} wrong options, stems not negated",
            ", ".join(f"{name} {percent(share)}" for name, share in figures.labels.items()),
        ),
        ("questions where no wrong option is high-risk", str(figures.without_high_risk)),
        (
            "mean words",
            f"stem {lengths.stem:.0f}, clean evidence {_mean(lengths.clean)}, "
            f"conflict evidence {_mean(lengths.conflict)}",
        ),
        ("mean characters", f"correct option {lengths.correct_option:.0f}, wrong {lengths.wrong_option:.0f}"),
        ("false statement in conflict evidence", listed(figures.conflicts)),
        ("most similar stems", _similar(figures.similar_stems)),
        ("most similar key statements", _similar(figures.similar_facts)),
        ("retrieval corpus, passages", listed(figures.passages)),
        ("pairs", listed(figures.pairs)),
        ("false statements in pairs", listed(figures.mutations)),
    ]


def baseline_rows(figures: Statistics) -> list[tuple[str, str]]:
    """Name the accuracy of every baseline that understands nothing."""
    scores = figures.baselines
    return [
        ("chance", percent(scores.chance)),
        ("word overlap, closed-book", percent(scores.closed_book)),
        ("word overlap, clean evidence", percent(scores.clean)),
        ("longest option", percent(scores.longest)),
        ("shortest option", percent(scores.shortest)),
        ("correct option stands word for word in the evidence", percent(scores.verbatim)),
    ]


def reading_rows(agreement: Agreement) -> list[tuple[str, str]]:
    """Name the outcome of the second reading, as far as its log tells."""
    shares = (
        ("left as they stood", agreement.unchanged),
        ("blind answer equal to the marked one", agreement.answers),
        ("labels set alike before adjudication", agreement.labels),
    )
    known = [(name, percent(share)) for name, share in shares if share is not None]
    return [("readings", listed(agreement.outcomes)), *known]


def _readings(agreement: Agreement) -> str:
    if not agreement.outcomes:
        return "The second reading has not been made."
    return (
        "Every question was read a second time, independently, by a reader who first saw only question and\n"
        "evidence and asked whether the evidence implies exactly one option, how each option should be\n"
        "labelled, and whether each number is right for the named edition. `replaced` counts new questions,\n"
        "read in turn. Reasons are in `review_log.jsonl`. This reading was not made by clinicians.\n\n"
        + _table(("reading", "figure"), reading_rows(agreement))
    )


def _review(figures: Statistics) -> str:
    draft = figures.review.get("draft", 0)
    if draft == figures.questions:
        return "No clinician has reviewed the questions or their labels."
    return f"Review status of the questions: {listed(figures.review)}."


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _similar(pair: Similar | None) -> str:
    return f"{pair.first} and {pair.second}, {pair.similarity:.2f}" if pair else "–"


def listed(counts: Mapping[str, int]) -> str:
    """Write counts in one line, in their order."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _table(head: tuple[str, str], rows: Iterable[tuple[str, object]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value} |" for name, value in rows])
