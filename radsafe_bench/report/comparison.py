"""A comparison of two runs as Markdown tables."""

from radsafe_bench.report.plot import spoken
from radsafe_bench.report.tables import MISSING, Table, decimal, interval, percent
from radsafe_bench.scoring.comparison import Comparison
from radsafe_bench.suites import Suite


def outcome_table(comparison: Comparison) -> Table:
    """Return what changed by condition and outcome, and what so many questions can show."""
    rows = tuple(
        (
            spoken(row["condition"]),
            spoken(row["outcome"]),
            str(row["n"]),
            f"+{row['gained']} / −{row['lost']}",
            f"{100 * row['difference']:+.1f} {interval(row['difference_ci95'], 100)}",
            f"{100 * row['worst95']:+.1f}",
            decimal(row["p_value"]),
            decimal(row["p_holm"]),
            percent(row["smallest_margin"]),
        )
        for row in comparison.outcomes
    )
    heads = (
        "condition",
        "outcome",
        "n",
        "gained / lost",
        "difference, points",
        "bad side, 95 %",
        "McNemar p",
        "Holm p",
        "smallest margin, points",
    )
    return Table(
        f"{comparison.after} against {comparison.before}",
        heads,
        rows,
        "Greedy answers, paired by question; the difference is the second run minus the first. Tango 95 % "
        "intervals and one-sided bounds, exact two-sided McNemar tests, Holm over conditions. Smallest "
        "margin: non-inferiority is shown with 80 % power when truly equal. Not significant is not equal.",
    )


def change_table(comparison: Comparison, suite: Suite) -> Table:
    """Return every changed answer: broken ones first, then other wrong ones, then fixed ones."""
    order = ("broken", "still wrong", "fixed")
    rows = tuple(
        (
            row["change"],
            spoken(row["condition"]),
            row["question"],
            suite.question(row["question"]).stem,
            row["correct"],
            _letter(row["before"], row["flags_before"]),
            _letter(row["after"], row["flags_after"]),
        )
        for row in sorted(comparison.changes, key=lambda row: order.index(row["change"]))
    )
    heads = ("change", "condition", "question", "stem", "correct", "before", "after")
    return Table("Changed answers", heads, rows)


def _letter(letter: str | None, flags: str) -> str:
    return f"{letter or MISSING} ({spoken(flags)})" if flags else letter or MISSING
