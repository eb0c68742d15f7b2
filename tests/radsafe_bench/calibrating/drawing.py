"""Observations of answers whose truth is known, drawn as tokens and checks would measure them."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import expit, ndtri

from gatekeeper.assessment import SignalValue
from radsafe_bench.calibrating import Observations

TOKEN_AUROC = 0.70
TRUE_POSITIVES, FALSE_POSITIVES = 0.8, 0.1


def observed(
    signals: Sequence[Mapping[str, SignalValue]], correct: np.ndarray, answers_each: int = 1
) -> Observations:
    """Return answers with these signals beside supplied evidence, so many to each question."""
    n = len(signals)
    return Observations(
        signals=tuple({"evidence.state": "supplied", **one} for one in signals),
        question=np.arange(n) // answers_each,
        state=np.full(n, "supplied"),
        correct=correct,
        high_risk=~correct,
        names=tuple(f"q{place}" for place in range(n)),
    )


def tokens_and_verdict(accuracy: float, n: int, seed: int = 0) -> Observations:
    """Return answers with token confidence of AUROC 0.70 and an independent verdict of TPR 0.8, FPR 0.1."""
    rng = np.random.default_rng(seed)
    correct = rng.random(n) < accuracy
    shift = np.sqrt(2) * ndtri(TOKEN_AUROC)
    confidence = expit(rng.normal(shift * correct, 1.0))
    flagged = rng.random(n) < np.where(correct, FALSE_POSITIVES, TRUE_POSITIVES)
    return observed(
        [
            {"confidence.raw": float(p), "nli.p_contradicted": 0.9 if said else 0.05}
            for p, said in zip(confidence, flagged, strict=True)
        ],
        correct,
    )
