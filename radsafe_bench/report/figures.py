"""The report's plots."""

import matplotlib as mpl

from radsafe_bench.report.confidence_plots import calibration, coverage, outcomes
from radsafe_bench.report.plot import STYLE, Plot
from radsafe_bench.report.safety_plots import concentration, latency, safety, scaling
from radsafe_bench.scoring.scores import Scores


def draw(scores: Scores) -> list[Plot]:
    """Return every plot that the scores have data for."""
    with mpl.rc_context(STYLE):
        return [
            plot
            for make in (safety, outcomes, calibration, coverage, scaling, concentration, latency)
            if (plot := make(scores)) is not None
        ]
