"""The report's tables as text: what each cell says, the same in HTML and Markdown."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from radsafe_bench.records import Manifest
from radsafe_bench.report.paper import AVERAGES
from radsafe_bench.report.plot import spoken
from radsafe_bench.scoring.confidence import POOLED, TOKENS
from radsafe_bench.scoring.questions import WORST_SHARES, worst_questions
from radsafe_bench.scoring.rows import Row
from radsafe_bench.scoring.scores import Scores
from radsafe_bench.suites import Suite

MISSING: Final = "–"
PAPER: Final = "published average, 34 models"

_RATES: Final = (
    "accuracy",
    "high_risk_error",
    "unsafe_answer",
    "evidence_contradiction",
    "dangerous_overconfidence",
)


class Table(NamedTuple):
    """Column heads and rows of text; `note` says how to read it."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def to_markdown(table: Table) -> str:
    """Return a table as Markdown under its title."""
    lines = [f"### {table.title}", ""]
    if table.rows:
        rows = (table.heads, ("---",) * len(table.heads), *table.rows)
        lines += [f"| {' | '.join(map(_escaped, row))} |" for row in rows]
    else:
        lines.append("None.")
    return "\n".join([*lines, "", table.note]).rstrip() if table.note else "\n".join(lines)


def _escaped(text: str) -> str:
    """Escape what would end a table cell or start markup."""
    return " ".join("".join(f"\\{sign}" if sign in "\\|*_<>[]`" else sign for sign in text).split())


def percent(value: float | None, digits: int = 1) -> str:
    """Return a rate in [0, 1] as per cent."""
    return MISSING if value is None else f"{100 * value:.{digits}f}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Return a number."""
    return MISSING if value is None else f"{value:.{digits}f}"


def interval(ends: Sequence[float | None] | None, scale: float = 1.0, digits: int = 1) -> str:
    """Return an interval in brackets, empty where it has no ends."""
    if ends is None or ends[0] is None or ends[1] is None:
        return ""
    return f"[{scale * ends[0]:.{digits}f}, {scale * ends[1]:.{digits}f}]"


def run_table(scores: Scores, manifests: Sequence[Manifest]) -> Table:
    """Return whose answers these are, how well retrieval found what it should, and what was not asked."""
    rows = tuple(
        (
            one.model,
            manifest.backend or MISSING,
            manifest.fingerprint or MISSING,
            str(one.samples.shape[-1]),
            _recall(manifest),
            "; ".join(f"{spoken(name)}: {why}" for name, why in manifest.why_not.items()) or MISSING,
        )
        for one, manifest in zip(scores.models, manifests, strict=True)
    )
    heads = ("model", "backend", "fingerprint", "samples", "retrieval: gold recall@k, %", "not applicable")
    return Table("Runs", heads, rows)


def _recall(manifest: Manifest) -> str:
    found = manifest.retrieval
    if found is None or not found.recall:
        return MISSING
    return f"{found.retriever}: " + ", ".join(f"@{k} {percent(share)}" for k, share in found.recall.items())


def safety_table(scores: Scores) -> Table:
    """Return the safety rates of every model and condition, the published averages beneath each condition."""
    exact = {
        (one["model"], one["condition"], one["metric"]): one["clopper_pearson95"]
        for one in scores.tables["intervals"]
    }
    rows: list[tuple[str, ...]] = []
    for condition in dict.fromkeys(row["condition"] for row in scores.rows):
        for row in scores.rows:
            if row["condition"] == condition:
                cells = (_rate(row, name, exact) for name in _RATES)
                rows.append((spoken(condition), row["model"], str(row["n"]), *cells, _seconds(row)))
        rows += _published(condition)
    heads = ("condition", "model", "n", *(f"{spoken(name)}, %" for name in _RATES), "latency, s")
    return Table(
        "Safety",
        heads,
        tuple(rows),
        "Greedy answers; dangerous overconfidence from the samples. Rates are per question asked, with exact "
        "(Clopper-Pearson) 95 % intervals. Published averages are of other questions and models; – is not in "
        "the sources at hand.",
    )


def _rate(row: Row, name: str, exact: dict[Any, Any]) -> str:
    ends = interval(exact.get((row["model"], row["condition"], name)), 100)
    return f"{percent(row[name])} {ends}".strip()


def _seconds(row: Row) -> str:
    mean, spread = row["mean_latency_s"], row["sd_latency_s"]
    return MISSING if mean is None else f"{_significant(mean)} ± {_significant(spread)}"


def _significant(value: float) -> str:
    """Return a number with two significant digits and no exponent."""
    return np.format_float_positional(value, precision=2, fractional=False, trim="-")


def _published(condition: str) -> list[tuple[str, ...]]:
    average = AVERAGES.get(condition)
    if average is None:
        return []
    label = f"{PAPER} (different corpus)" if average.different_corpus else PAPER
    rates = (percent(getattr(average, name, None)) for name in _RATES)
    return [(spoken(condition), label, "200", *rates, f"{average.mean_latency_s:.1f}")]


def answering_table(scores: Scores) -> Table:
    """Return how many answers there were, and the self-consistency regime."""
    rows = tuple(
        (
            spoken(row["condition"]),
            row["model"],
            percent(row["unparsed"]),
            *(str(row[name]) for name in ("n_failed", "n_held", "n_missing")),
            percent(row["accuracy_majority"]),
            percent(row["high_risk_error_majority"]),
            percent(row["robustness"]),
            percent(row["synchronized_failure"]),
            percent(row["null_majority"]),
        )
        for row in scores.rows
    )
    heads = (
        "condition",
        "model",
        "unparsed, %",
        "failed",
        "held",
        "not asked",
        "majority accuracy, %",
        "majority high-risk error, %",
        "robustness, %",
        "synchronized failure, %",
        "majority without letter, %",
    )
    return Table(
        "Answers and self-consistency",
        heads,
        rows,
        "Unparsed: no letter in a greedy answer. Failed requests count as wrong. Robustness: share of valid "
        "samples that are correct. Synchronized failure: every valid sample the same wrong letter.",
    )


def confidence_table(scores: Scores) -> Table:
    """Return both kinds of confidence side by side."""
    rows = tuple(
        (
            "all conditions" if row["condition"] == POOLED else spoken(row["condition"]),
            row["model"],
            "token probability" if row["signal"] == TOKENS else "samples",
            str(row["n"]),
            f"{decimal(row['ece'])} (≤ {decimal(row['ece_null_upper95'])})",
            decimal(row["smooth_ece"]),
            decimal(row["brier"]),
            f"{decimal(row['auroc'], 2)} {interval(row['auroc_ci95'], digits=2)}".strip(),
            f"{decimal(row['separation_pp'], 1)} {interval(row['separation_pp_ci95'])}".strip(),
            decimal(row["aurc"]),
            f"{percent(row['risk_at_80%'])} / {percent(row['high_risk_at_80%'])}",
        )
        for row in scores.tables["confidence"]
    )
    heads = (
        "condition",
        "model",
        "confidence",
        "n",
        "ECE (null 95 %)",
        "smooth ECE",
        "Brier",
        "AUROC",
        "separation, points",
        "AURC",
        "wrong / high-risk at 80 % coverage, %",
    )
    return Table(
        "Confidence",
        heads,
        rows,
        "Samples: 1 − normalised entropy, against the majority. Token probability: of the chosen letter "
        "among the letters, not calibrated, against the greedy answer. An ECE within its null could come "
        "from perfect calibration. Intervals are 95 %, clustered by question. Separation means what it says "
        "only for calibrated probabilities.",
    )


def pair_table(scores: Scores) -> Table:
    """Return each condition against the first one of its model, greedy answers."""
    first = {cell.model: cell.condition for cell in reversed(scores.cells)}
    rows = tuple(
        (
            row["model"],
            f"{spoken(row['right'])} against {spoken(row['left'])}",
            spoken(row["outcome"]),
            f"+{row['gained']} / −{row['lost']}",
            f"{100 * row['difference']:+.1f} {interval(row['difference_ci95'], 100)}",
            decimal(row["p_value"]),
            decimal(row["p_holm"]),
        )
        for row in scores.tables["pairs"]
        if row["answers"] == "greedy" and row["left"] == first[row["model"]] and row["n"]
    )
    heads = ("model", "conditions", "outcome", "gained / lost", "difference, points", "McNemar p", "Holm p")
    return Table(
        "Conditions compared",
        heads,
        rows,
        "Paired by question; Tango 95 % intervals, exact two-sided McNemar tests, Holm over all pairs of "
        "conditions of a model. A test that is not significant does not show that two conditions are equal.",
    )


def concentration_table(scores: Scores) -> Table:
    """Return how much of the high-risk errors the worst questions hold."""
    rows = tuple(
        (
            "all conditions" if row["condition"] == "all" else spoken(row["condition"]),
            str(row["high_risk_errors"]),
            *(percent(row[f"share_in_worst_{share:.0%}"]) for share in WORST_SHARES),
        )
        for row in scores.tables["concentration"]
    )
    heads = ("condition", "high-risk errors", *(f"in worst {share:.0%}, %" for share in WORST_SHARES))
    return Table("Concentration of high-risk errors", heads, rows, "Greedy answers of all models.")


def worst_table(scores: Scores, suite: Suite) -> Table:
    """Return the questions with most high-risk errors: what was chosen, and why that is dangerous."""
    rows = []
    for row in worst_questions(scores.tables["questions"]):
        question = suite.question(row["question"])
        chosen = question.option(row["most_common_wrong"])
        rows.append(
            (
                f"{row['question']} ({row['subspecialty']}), {spoken(row['condition'])}",
                question.stem,
                f"{row['n_high_risk']} of {row['n_models']}",
                f"{chosen.letter}. {chosen.text}",
                "; ".join([", ".join(map(spoken, chosen.labels)), chosen.rationale]).strip("; ") or MISSING,
                f"{question.correct.letter}. {question.correct.text}",
            )
        )
    heads = (
        "question",
        "stem",
        "models with a high-risk error",
        "most common wrong option",
        "why it is flagged",
        "correct option",
    )
    return Table("Worst questions", heads, tuple(rows), "Labels and rationales as the suite states them.")


def subspecialty_table(scores: Scores) -> Table:
    """Return accuracy and high-risk errors by subspecialty, models pooled."""
    totals: dict[tuple[str, str], list[float]] = {}
    for row in scores.tables["subspecialties"]:
        total = totals.setdefault((row["subspecialty"], row["condition"]), [0, 0, 0])
        for place, value in enumerate((1, row["accuracy"], row["high_risk_error"])):
            total[place] += value * row["n"]
    conditions = tuple(dict.fromkeys(row["condition"] for row in scores.rows))
    areas = dict.fromkeys(area for area, _ in totals)
    rows = tuple(
        (
            spoken(area) or MISSING,
            *(
                f"{percent(right / n, 0)} / {percent(harm / n, 0)}" if n else MISSING
                for n, right, harm in (totals.get((area, condition), [0, 0, 0]) for condition in conditions)
            ),
        )
        for area in areas
    )
    return Table(
        "Subspecialties",
        ("subspecialty", *map(spoken, conditions)),
        rows,
        "Accuracy / high-risk error in per cent, models pooled. Few questions each: intervals are in "
        "subspecialties.csv.",
    )


def ensemble_table(scores: Scores, most: int = 5) -> Table | None:
    """Return the ensembles with fewest high-risk errors; None below three models."""
    ranked = sorted(scores.tables["ensembles"], key=lambda row: (row["high_risk_error"], -row["accuracy"]))
    best = [
        row
        for condition in dict.fromkeys(row["condition"] for row in scores.rows)
        for row in [row for row in ranked if row["condition"] == condition][:most]
    ]
    if not best:
        return None
    names = ("accuracy", "best_member_accuracy", "high_risk_error", "synchronized_failure", "abstained")
    return Table(
        "Ensembles of three",
        ("condition", "members", *(f"{spoken(name)}, %" for name in names)),
        tuple(
            (spoken(row["condition"]), " + ".join(row["members"]), *(percent(row[name]) for name in names))
            for row in best
        ),
        f"At most {most} a condition, fewest high-risk errors first; chosen after the fact, so flattering.",
    )


def noise_table(scores: Scores) -> Table | None:
    """Return what repeating the greedy pass changed; None where it was not repeated."""
    rows = tuple(
        (
            row["model"],
            spoken(row["condition"]),
            str(row["n"]),
            str(row["changed"]),
            percent(row["difference"]),
        )
        for row in scores.tables["noise"]
    )
    heads = ("model", "condition", "n", "letters changed", "accuracy difference, points")
    return Table("Noise of the greedy pass", heads, rows, "The same requests put twice.") if rows else None
