"""Plots of accuracy, safety, scaling, concentration and latency."""

from collections.abc import Mapping
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from radsafe_bench.report.paper import AVERAGES, SAFE_ACCURACY, SAFE_ERROR
from radsafe_bench.report.plot import Look, Plot, spoken
from radsafe_bench.scoring.scores import Scores
from radsafe_bench.stats.arrays import Floats

_ERRORS: Final = {
    "high_risk_error": "high-risk error",
    "unsafe_answer": "unsafe answer",
    "evidence_contradiction": "evidence contradiction",
    "dangerous_overconfidence": "dangerous overconfidence",
}


def safety(scores: Scores) -> Plot:
    """Plot accuracy against each safety rate, with the published safe region and averages."""
    shown = [name for name in _ERRORS if any(row[name] is not None for row in scores.rows)]
    rows = (len(shown) + 1) // 2
    figure = Figure(figsize=(7.2, 2.2 * rows + 0.6))
    axes = figure.subplots(rows, 2, sharex=True, squeeze=False).ravel()
    look = Look(scores)
    highest = max(row[name] or 0.0 for row in scores.rows for name in shown)
    lowest = min(*(row["accuracy"] for row in scores.rows), SAFE_ACCURACY)
    for axis, name in zip(axes, shown, strict=False):
        _safety_points(axis, scores, look, name)
        axis.set(ylim=(-1, max(15.0, 110 * highest)), ylabel=f"{_ERRORS[name]}, %")
        axis.set_xlim(10 * int(10 * lowest), 101)
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    figure.supxlabel("accuracy, %", fontsize=8)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3)
    return Plot(
        "safety",
        "Accuracy and safety",
        "Each filled point is one model under one condition, each hollow one the published average of 34 "
        "models on other questions and, for RAG, another corpus. The grey box is the region that the "
        f"published study calls safe to deploy: accuracy of at least {SAFE_ACCURACY:.0%} and a safety error "
        f"of at most {SAFE_ERROR:.0%}. Being inside it certifies nothing.",
        "Scatter plots of each safety error rate against accuracy, by condition.",
        figure,
    )


def _safety_points(axis: Any, scores: Scores, look: Look, name: str) -> None:
    box = mpl.patches.Rectangle(
        (100 * SAFE_ACCURACY, 0), 10, 100 * SAFE_ERROR, facecolor="#eeeeee", edgecolor="#777777"
    )
    axis.add_patch(box)
    for condition in look.conditions:
        style = look(condition)
        points = [row for row in scores.rows if row["condition"] == condition and row[name] is not None]
        x, y = ([100 * row[metric] for row in points] for metric in ("accuracy", name))
        axis.scatter(x, y, s=24, alpha=0.85, linewidths=0, **style)
        average = AVERAGES.get(condition)
        rate = getattr(average, name, None)
        if average is not None and rate is not None:
            hollow = {"facecolors": "none", "edgecolors": style["color"], "marker": style["marker"]}
            axis.scatter([100 * average.accuracy], [100 * rate], s=24, linewidths=0.8, **hollow)


def scaling(scores: Scores) -> Plot | None:
    """Plot accuracy and safety against parameters, where at least three sizes are known."""
    sizes = {one.model: one.parameters for one in scores.models if one.parameters}
    if len(set(sizes.values())) < 3:
        return None
    look = Look(scores)
    shown = {"accuracy": "accuracy", **_ERRORS}
    figure = Figure(figsize=(7.2, 4.4))
    axes = figure.subplots(2, 3, sharex=True).ravel()
    for axis, (metric, label) in zip(axes, shown.items(), strict=False):
        for condition in look.conditions:
            rows = [
                row
                for row in scores.rows
                if row["condition"] == condition and row["model"] in sizes and row[metric] is not None
            ]
            x = np.array([sizes[row["model"]] for row in rows], float)
            y = np.array([100 * row[metric] for row in rows])
            axis.scatter(x, y, s=14, **look(condition))
            _trend(axis, x, y, look(condition, line=True))
        axis.set(xscale="log", ylabel=f"{label}, %", xlabel="parameters")
    axes[-1].axis("off")
    handles, names = axes[0].get_legend_handles_labels()
    axes[-1].legend(handles[: len(look.conditions)], names[: len(look.conditions)], loc="center")
    return Plot(
        "scaling",
        "Scaling",
        "Lines are least squares on the logarithm of the parameters. Safety need not follow accuracy.",
        "Accuracy and safety error rates against the number of parameters, by condition.",
        figure,
    )


def _trend(axis: Any, x: Floats, y: Floats, look: Mapping[str, Any]) -> None:
    if np.unique(x).size > 1:
        slope, intercept = np.polyfit(np.log10(x), y, 1)
        ends = np.array([x.min(), x.max()])
        axis.plot(ends, intercept + slope * np.log10(ends), linewidth=0.9, **{**look, "label": None})


def concentration(scores: Scores) -> Plot | None:
    """Plot which share of the high-risk errors the worst questions hold, over several models."""
    if len(scores.models) < 2:
        return None
    look = Look(scores)
    figure = Figure(figsize=(4.6, 3.2))
    axis = figure.subplots()
    drawn = False
    for condition in look.conditions:
        errors = [row["n_high_risk"] for row in scores.tables["questions"] if row["condition"] == condition]
        if sum(errors):
            share = 100 * np.cumsum(np.sort(errors)[::-1]) / sum(errors)
            x = 100 * np.arange(len(errors) + 1) / len(errors)
            axis.plot(x, np.concatenate([[0], share]), **look(condition, line=True))
            drawn = True
    if not drawn:
        return None
    axis.plot([0, 100], [0, 100], color="#777777", linewidth=0.8)
    axis.set(xlabel="questions, worst first, %", ylabel="share of all high-risk errors, %")
    axis.legend(loc="lower right")
    return Plot(
        "concentration",
        "Concentration of high-risk errors",
        "The further a line bends away from the diagonal, the fewer questions hold the errors of all models.",
        "Cumulative share of high-risk errors over questions, worst first, by condition.",
        figure,
    )


def latency(scores: Scores) -> Plot | None:
    """Plot the greedy call's latency by condition."""
    look = Look(scores)
    values = {condition: _latencies(scores, condition) for condition in look.conditions}
    if not any(array.size for array in values.values()):
        return None
    figure = Figure(figsize=(7.2, 2.4))
    axis = figure.subplots()
    boxes = axis.boxplot(
        list(values.values()),
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        medianprops={"color": "black"},
        tick_labels=[spoken(condition) for condition in values],
    )
    for box in boxes["boxes"]:
        box.set_facecolor("#dddddd")
    axis.set(ylabel="seconds", yscale="log")
    return Plot(
        "latency",
        "Latency of the greedy call",
        "Boxes: quartiles and median, whiskers 5th to 95th percentile, over questions and models.",
        "Box plots of latency in seconds by condition.",
        figure,
    )


def _latencies(scores: Scores, condition: str) -> Floats:
    found = [cell.answers.latency_s[cell.row] for cell in scores.cells if cell.condition == condition]
    values = np.concatenate(found)
    return np.asarray(values[~np.isnan(values)])
