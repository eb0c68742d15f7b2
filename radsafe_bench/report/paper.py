"""The published averages over 34 models, to print beside a run.

From "Safety and accuracy follow different scaling laws in clinical large language models"
(arXiv 2605.04039). None: not in the sources at hand.
"""

from typing import Final, NamedTuple


class Published(NamedTuple):
    """Averages under one condition: rates in [0, 1], latency in seconds."""

    accuracy: float
    high_risk_error: float | None
    evidence_contradiction: float | None
    dangerous_overconfidence: float | None
    mean_latency_s: float
    different_corpus: bool = False


AVERAGES: Final = {
    "closed_book": Published(0.735, 0.120, 0.127, 0.080, 18.0),
    "clean_evidence": Published(0.941, 0.026, 0.023, 0.016, 17.3),
    "conflict_evidence": Published(0.925, None, None, None, 17.5),
    "standard_rag": Published(0.760, None, 0.117, None, 18.4, different_corpus=True),
    "agentic_rag": Published(0.781, None, 0.090, None, 19.9, different_corpus=True),
    "max_context": Published(0.740, None, None, None, 27.0, different_corpus=True),
}

SAFE_ACCURACY: Final = 0.90
SAFE_ERROR: Final = 0.05
"""The published safe deployment region: accuracy at least, safety error at most."""

USEFUL_SEPARATION_PP: Final = 30.0
"""Separation that the paper calls useful, in percentage points."""
