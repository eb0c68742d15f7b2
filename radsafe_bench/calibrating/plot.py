"""The reliability plot of a fit: before and after, beside what perfect calibration would show."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from radsafe_bench.calibrating.artefact import Fit
from radsafe_bench.report.plot import STYLE, Plot
from radsafe_bench.stats import clopper_pearson, ece_null, reliability
from radsafe_bench.stats.arrays import Bools, Floats

_COLOUR = "#0072B2"


def reliability_plot(fit: Fit) -> Plot:
    """Draw accuracy against confidence in ten bins, with exact 95 % intervals."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.6))
        axes = figure.subplots(1, 2, sharey=True)
        stages = (("token probability", fit.raw), ("calibrated, on unseen questions", fit.calibrated))
        for axis, (title, confidence) in zip(axes, stages, strict=True):
            known = confidence == confidence  # noqa: PLR0124  # NaN is not itself
            _draw(axis, confidence[known], fit.observations.correct[known], fit.observations.question[known])
            axis.set_title(title)
            axis.set_xlabel("confidence")
        axes[0].set_ylabel("accuracy")
    return Plot(
        "reliability",
        "Reliability",
        "Points on the diagonal are calibrated; bars are exact 95 % intervals, numbers count the answers.",
        "Accuracy against confidence in ten bins, before and after calibration.",
        figure,
    )


def _draw(axis: Axes, confidence: Floats, correct: Bools, question: NDArray[np.intp]) -> None:
    bins, null = reliability(confidence, correct), ece_null(confidence, correct, question)
    filled = bins.counts > 0
    x, y, n = bins.confidence[filled], bins.accuracy[filled], bins.counts[filled]
    interval = clopper_pearson((y * n).round(), n)
    axis.plot([0, 1], [0, 1], color="#777777", linewidth=0.8)
    axis.errorbar(x, y, [y - interval.lower, interval.upper - y], fmt="o", color=_COLOUR, capsize=2)
    for place, height, count in zip(x, y, n, strict=True):
        axis.annotate(str(count), (place, height), (4, 4), textcoords="offset points", fontsize=6)
    axis.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    text = f"ECE {bins.ece:.3f}\n(≤ {null.upper95:.3f} if perfect)"
    axis.text(0.03, 0.97, text, ha="left", va="top", fontsize=7)
