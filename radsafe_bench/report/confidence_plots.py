"""Plots of confidence: by outcome, against accuracy, and as coverage against risk."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from radsafe_bench.report.plot import Look, Plot, spoken
from radsafe_bench.scoring.confidence import SAMPLES, TOKENS, Signal, signals
from radsafe_bench.scoring.scores import Scores
from radsafe_bench.stats import coverage_risk, ece_null, reliability

_SIGNAL_NAMES: Final = {TOKENS: "token probability", SAMPLES: "agreement of samples"}
_OUTCOMES: Final = (
    ("correct", "#56B4E9", ""),
    ("other error", "#F0E442", "..."),
    ("high-risk error", "#D55E00", "///"),
)


def outcomes(scores: Scores) -> Plot | None:
    """Plot confidence by outcome: correct, other error, high-risk error."""
    pooled = _pooled(scores)
    if not pooled:
        return None
    look = Look(scores)
    figure = Figure(figsize=(7.2, 2.3 * len(pooled) + 0.5))
    axes = figure.subplots(len(pooled), 1, sharex=True, squeeze=False).ravel()
    for axis, (name, by_condition) in zip(axes, pooled.items(), strict=True):
        for place, condition in enumerate(look.conditions):
            if condition in by_condition:
                _boxes(axis, place, by_condition[condition])
        axis.set_xticks(range(len(look.conditions)), [spoken(name) for name in look.conditions])
        axis.set(ylim=(-0.02, 1.18), ylabel=_SIGNAL_NAMES[name], yticks=np.arange(0, 1.1, 0.2))
        axis.grid(visible=False, axis="x")
    patches = [
        mpl.patches.Patch(facecolor=colour, edgecolor="black", hatch=hatch, label=label)
        for label, colour, hatch in _OUTCOMES
    ]
    figure.legend(handles=patches, loc="outside upper center", ncols=3)
    return Plot(
        "outcomes",
        "Confidence by outcome",
        "Boxes: quartiles and median, whiskers 5th to 95th percentile. The number above each group is the "
        "separation: mean confidence over correct answers minus mean over high-risk errors, in points. "
        f"{_pooling(scores)}",
        "Box plots of confidence for correct answers, other errors and high-risk errors, by condition.",
        figure,
    )


def _boxes(axis: Any, place: int, signal: Signal) -> None:
    groups = (signal.correct, ~signal.correct & ~signal.high_risk, signal.high_risk)
    for offset, members, (_, colour, hatch) in zip((-0.25, 0, 0.25), groups, _OUTCOMES, strict=True):
        if not members.any():
            continue
        drawn = axis.boxplot(
            signal.confidence[members],
            positions=[place + offset],
            widths=0.2,
            whis=(5, 95),
            showfliers=False,
            patch_artist=True,
            manage_ticks=False,
            medianprops={"color": "black"},
        )
        drawn["boxes"][0].set(facecolor=colour, hatch=hatch)
    if signal.correct.any() and signal.high_risk.any():
        gap = signal.confidence[signal.correct].mean() - signal.confidence[signal.high_risk].mean()
        axis.text(place, 1.07, f"{100 * gap:+.0f}", ha="center", fontweight="bold")


def calibration(scores: Scores) -> Plot | None:
    """Plot accuracy against confidence in ten bins, by condition and signal."""
    pooled = _pooled(scores)
    if not pooled:
        return None
    look = Look(scores)
    figure = Figure(figsize=(7.2, 1.55 * len(pooled) + 0.4))
    axes = figure.subplots(len(pooled), len(look.conditions), sharex=True, sharey=True, squeeze=False)
    for row, (name, by_condition) in zip(axes, pooled.items(), strict=True):
        row[0].set_ylabel(f"accuracy, by\n{_SIGNAL_NAMES[name]}")
        for axis, condition in zip(row, look.conditions, strict=True):
            axis.plot([0, 1], [0, 1], color="#777777", linewidth=0.8)
            axis.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), aspect="equal")
            if condition in by_condition:
                _bins(axis, by_condition[condition], look(condition))
    for axis, condition in zip(axes[0], look.conditions, strict=True):
        axis.set_title(spoken(condition))
    figure.supxlabel("confidence", fontsize=8)
    return Plot(
        "calibration",
        "Reliability",
        "Points on the diagonal are calibrated; area grows with the number of answers. ECE stands beside "
        "what 95 of 100 perfectly calibrated predictors with these confidences would stay below. "
        f"{_pooling(scores)}",
        "Reliability diagrams: accuracy against confidence in ten bins, by condition and kind of confidence.",
        figure,
    )


def _bins(axis: Any, signal: Signal, look: Mapping[str, Any]) -> None:
    bins = reliability(signal.confidence, signal.correct)
    null = ece_null(signal.confidence, signal.correct, signal.question)
    size = 4 + 120 * bins.counts / bins.counts.sum()
    axis.scatter(bins.confidence, bins.accuracy, s=size, clip_on=False, **{**look, "label": None})
    axis.text(0.97, 0.03, f"ECE {bins.ece:.2f}\n(≤ {null.upper95:.2f})", ha="right", va="bottom", fontsize=6)


def coverage(scores: Scores) -> Plot | None:
    """Plot the risk of delivered answers against how many are delivered."""
    pooled = _pooled(scores)
    if not pooled:
        return None
    look = Look(scores)
    figure = Figure(figsize=(7.2, 4.6))
    axes = figure.subplots(2, len(pooled), sharex=True, sharey="row", squeeze=False)
    for column, (name, by_condition) in enumerate(pooled.items()):
        axes[0][column].set_title(f"by {_SIGNAL_NAMES[name]}")
        axes[1][column].set_xlabel("delivered answers, %")
        for condition, signal in by_condition.items():
            for axis, loss in zip(axes[:, column], (~signal.correct, signal.high_risk), strict=True):
                curve = coverage_risk(signal.confidence, loss)
                axis.plot(100 * curve.coverage, 100 * curve.risk, **look(condition, line=True))
    axes[0][0].set_ylabel("wrong, % of delivered")
    axes[1][0].set_ylabel("high-risk error, % of delivered")
    handles, names = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3)
    return Plot(
        "coverage",
        "Coverage and risk",
        "What is left among delivered answers when the least confident are held back, from right to left. "
        f"{_pooling(scores)}",
        "Lines of error rate and high-risk error rate among delivered answers against coverage.",
        figure,
    )


def _pooled(scores: Scores) -> dict[str, dict[str, Signal]]:
    """Return the signals of all models together, by kind and condition; token probability first."""
    parts: dict[str, dict[str, list[Signal]]] = {TOKENS: {}, SAMPLES: {}}
    for cell in scores.cells:
        for name, signal in signals(cell).items():
            parts[name].setdefault(cell.condition, []).append(signal)
    return {
        name: {condition: _joined(list(group)) for condition, group in by_condition.items()}
        for name, by_condition in parts.items()
        if by_condition
    }


def _joined(parts: Sequence[Signal]) -> Signal:
    return Signal(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _pooling(scores: Scores) -> str:
    return f"Answers of all {len(scores.models)} models are pooled." if len(scores.models) > 1 else ""
