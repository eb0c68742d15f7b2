"""How far a model's confidence can be trusted: the samples' and the token probabilities' side by side.

The samples' confidence (1 − normalised entropy) is judged against the correctness of the majority, the
token probability against that of the greedy answer. The published study had no token probabilities.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from radsafe_bench.scoring.measures import Cell
from radsafe_bench.scoring.rows import Row, ends, number
from radsafe_bench.stats import (
    Estimate,
    auroc,
    brier,
    coverage_risk,
    ece_null,
    reliability,
    separation,
    smooth_ece,
)
from radsafe_bench.stats.arrays import Bools, Floats, Integers

SAMPLES = "samples"
TOKENS = "token_probability"
POOLED = "all"
_COVERAGES = (0.5, 0.8, 0.9)


class Signal(NamedTuple):
    """Confidences of answers, whether each is right or a high-risk error, and the question's number."""

    confidence: Floats
    correct: Bools
    high_risk: Bools
    question: Integers


def signals(cell: Cell) -> dict[str, Signal]:
    """Return both confidences of a cell, each over the answers that have it."""
    tokens = cell.answers.token_confidence[cell.row]
    found = {
        SAMPLES: _signal(cell, cell.ballots.confidence, cell.ballots.majority, cell.ballots.cast),
        TOKENS: _signal(cell, tokens, cell.greedy, cell.asked & ~np.isnan(tokens)),
    }
    return {name: signal for name, signal in found.items() if signal.confidence.size}


def confidence_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return one row for each model, condition and signal, and one over all conditions of a model.

    In the pooled row intervals resample or cluster by question.
    """
    rows = [
        {"model": cell.model, "condition": cell.condition, "signal": name, **describe(signal)}
        for cell in cells
        for name, signal in signals(cell).items()
    ]
    rows += [
        {"model": model, "condition": POOLED, "signal": name, **describe(signal)}
        for model, name, signal in _pooled(cells)
    ]
    return rows


def describe(signal: Signal) -> Row:
    """Return every statistic of a signal."""
    confidence, correct, high_risk, question = signal
    null = ece_null(confidence, correct, question)
    parts = brier(confidence, correct)
    errors = coverage_risk(confidence, ~correct)
    dangers = coverage_risk(confidence, high_risk)
    relevant = correct | high_risk
    return {
        "n": int(confidence.size),
        "questions": int(np.unique(question).size),
        "accuracy": float(correct.mean()),
        "mean_confidence": float(confidence.mean()),
        "ece": reliability(confidence, correct).ece,
        "ece_null_mean": null.mean,
        "ece_null_upper95": null.upper95,
        "ece_null_p": null.p_value,
        "smooth_ece": smooth_ece(confidence, correct),
        "brier": parts.score,
        "brier_reliability": parts.reliability,
        "brier_resolution": parts.resolution,
        "brier_uncertainty": parts.uncertainty,
        "brier_within_bins": parts.within_bins,
        **_named("auroc", auroc(confidence, correct, question)),
        **_named(
            "auroc_high_risk",
            auroc(confidence[relevant], correct[relevant], question[relevant]),
        ),
        **_named("separation_pp", separation(confidence, correct, high_risk, question)),
        "aurc": errors.aurc,
        "aurc_high_risk": dangers.aurc,
        **{f"risk_at_{share:.0%}": errors.risk_at(share) for share in _COVERAGES},
        **{f"high_risk_at_{share:.0%}": dangers.risk_at(share) for share in _COVERAGES},
    }


def _signal(cell: Cell, confidence: Floats, letters: np.ndarray, chosen: Bools) -> Signal:
    correct, harms = cell.key.is_correct(letters), cell.key.harms(letters)[0]
    return Signal(confidence[chosen], correct[chosen], harms[chosen], np.flatnonzero(chosen))


def _pooled(cells: Sequence[Cell]) -> Iterator[tuple[str, str, Signal]]:
    """Yield the signals of each model that has several conditions, all conditions together."""
    by_model: dict[tuple[str, str], list[Signal]] = {}
    for cell in cells:
        for name, signal in signals(cell).items():
            by_model.setdefault((cell.model, name), []).append(signal)
    for (model, name), parts in by_model.items():
        if len(parts) > 1:
            yield model, name, Signal(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _named(name: str, estimate: Estimate) -> Row:
    return {name: number(estimate.value), f"{name}_ci95": ends(estimate.lower, estimate.upper)}
