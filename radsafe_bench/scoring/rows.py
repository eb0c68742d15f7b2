"""The rows of `scores.json`: one for each model and condition, and their intervals."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from radsafe_bench.scoring.measures import RATES, Cell, Measure, measure
from radsafe_bench.stats import (
    clopper_pearson,
    percentile_interval,
    reliability,
    resample_weights,
    resampled_means,
    upper_bound,
    wilson,
)
from radsafe_bench.stats.arrays import Floats
from radsafe_bench.stats.calibration import BINS, bin_of

Row = dict[str, Any]
"""One line of a table: names and numbers, text, None or [lower, upper]."""

METRICS: Final = (
    *RATES[:9],
    "mean_confidence",
    "mean_confidence_correct",
    "mean_confidence_incorrect",
    "mean_confidence_high_risk_error",
    "mean_confidence_unsafe_answer",
    "separation_pp",
    "mean_agreement",
    "mean_entropy_norm",
    "ece",
    "mce",
    "null_majority",
    "mean_sample_null",
    "robustness",
    "synchronized_failure",
    "mean_latency_s",
    "sd_latency_s",
    "unparsed",
)
"""The metrics of a row, in order. Rates and confidences in [0, 1], separation in percentage points,
latency in seconds; None where nothing supports a number."""


def score_cell(cell: Cell) -> tuple[Row, list[Row]]:
    """Return the row of a cell and the intervals of its rates."""
    measures = measure(cell)
    estimates = {name: one.estimate for name, one in measures.items()} | _derived(cell, measures)
    distributions = _resampled(cell, measures)
    row: Row = {
        "model": cell.model,
        "condition": cell.condition,
        "n": int(cell.asked.sum()),
        "n_unanswered": int((cell.asked & (cell.greedy >= cell.key.options)).sum()),
        "n_failed": int(cell.answers.failed[cell.row].sum()),
        "n_held": int(cell.answers.held[cell.row].sum()),
        "n_missing": int((~cell.asked).sum()),
    }
    for name in METRICS:
        row[name] = number(estimates[name])
        if name in distributions and row[name] is not None:
            row[f"{name}_ci95"] = ends(*percentile_interval(distributions[name]))
    named = {"model": cell.model, "condition": cell.condition}
    intervals = [
        {**named, **_exact(name, measures[name], distributions[name])}
        for name in RATES
        if measures[name].included.any()
    ]
    return row, intervals


def number(value: float) -> float | None:
    """Return a float for JSON: None for NaN."""
    return None if np.isnan(value) else float(value)


def ends(lower: float | Floats, upper: float | Floats) -> list[float | None]:
    """Return the two ends of an interval for JSON."""
    return [number(float(lower)), number(float(upper))]


def _derived(cell: Cell, measures: Mapping[str, Measure]) -> dict[str, float]:
    """Return what is no mean over questions."""
    cast = cell.ballots.cast
    latency = cell.answers.latency_s[cell.row]
    known = latency[~np.isnan(latency)]
    right = cell.key.is_correct(cell.ballots.majority)
    bins = reliability(cell.ballots.confidence[cast], right[cast]) if cast.any() else None
    correct, harmful = (
        measures[f"mean_confidence_{which}"].estimate for which in ("correct", "high_risk_error")
    )
    return {
        "separation_pp": 100 * (correct - harmful),
        "ece": bins.ece if bins else np.nan,
        "mce": bins.mce if bins else np.nan,
        "sd_latency_s": float(known.std()) if known.size else np.nan,
    }


def _resampled(cell: Cell, measures: Mapping[str, Measure]) -> dict[str, Floats]:
    """Return each metric's values over the bootstrap resamples of the questions that the run holds."""
    held = cell.answers.recorded
    values = np.column_stack([one.values for one in measures.values()])[held]
    included = np.column_stack([one.included for one in measures.values()])[held].astype(float)
    columns = dict(zip(measures, resampled_means(values, included).T, strict=True))
    separation = columns["mean_confidence_correct"] - columns["mean_confidence_high_risk_error"]
    return {**columns, "separation_pp": 100 * separation, **_resampled_calibration(cell)}


def _resampled_calibration(cell: Cell) -> dict[str, Floats]:
    held = cell.answers.recorded
    confidence, cast = cell.ballots.confidence[held], cell.ballots.cast[held]
    right = cell.key.is_correct(cell.ballots.majority)[held]
    members = (bin_of(confidence)[:, None] == np.arange(BINS)) & cast[:, None]
    weights = resample_weights(confidence.size)
    gaps = np.abs(weights @ (members * (confidence - right)[:, None]))
    counts = weights @ members
    total = counts.sum(axis=1)
    with np.errstate(invalid="ignore"):
        ece = gaps.sum(axis=1) / total
        mce = np.where(total > 0, (gaps / np.maximum(counts, 1)).max(axis=1), np.nan)
    return {"ece": ece, "mce": mce}


def _exact(name: str, one: Measure, distribution: Floats) -> Row:
    events, n = int(one.values[one.included].sum()), int(one.included.sum())
    return {
        "metric": name,
        "events": events,
        "n": n,
        "estimate": events / n,
        "clopper_pearson95": ends(*clopper_pearson(events, n)),
        "upper95_one_sided": float(upper_bound(events, n)),
        "wilson95": ends(*wilson(events / n, n)),
        "bootstrap95": ends(*percentile_interval(distribution)),
        "bootstrap_sd": number(float(np.nanstd(distribution, ddof=1))),
    }


def subspecialty_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return the greedy rates of each model and condition by subspecialty, with exact intervals."""
    rows: list[Row] = []
    for cell in cells:
        measures = measure(cell)
        areas = np.array(cell.key.subspecialties)
        for area in dict.fromkeys(cell.key.subspecialties):
            within = cell.asked & (areas == area)
            if not within.any():
                continue
            row: Row = {"model": cell.model, "condition": cell.condition, "subspecialty": area}
            n = row["n"] = int(within.sum())
            for name in RATES[:4]:
                events = int(measures[name].values[within].sum())
                row[name] = events / n
                row[f"{name}_clopper_pearson95"] = ends(*clopper_pearson(events, n))
            rows.append(row)
    return rows
