"""Drift: how far what comes in now is from what thresholds and calibration were made on."""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Final

import orjson

from gatekeeper.assessment import Judgement
from gatekeeper.calibration.artefact import Calibration
from gatekeeper.errors import ConfigurationError

Distribution = Mapping[str, float]
"""Counts or shares by cell."""

FEATURES: Final = ("confidence", "evidence_state", "answer_length", "topic")
_LENGTHS: Final = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
PREFIX: Final = "reference."
"""How the metrics of a calibration are named that make a reference: `reference.<feature>.<cell>`."""
_SMALLEST: Final = 1e-4


def cells_of(judgement: Judgement, topics: Sequence[str]) -> dict[str, str]:
    """Return the cell of each feature that an answer falls into; the cells are few and fixed.

    Confidence is the raw one, in tenths, since it needs no calibration. The topic is the first of the
    policy's topics that the question speaks of.
    """
    assessment = judgement.assessment
    raw, signals = assessment.confidence.raw, assessment.signals
    length = len(judgement.answer.content)
    return {
        "confidence": "unknown" if raw is None else f"0.{min(9, int(raw * 10))}",
        "evidence_state": str(signals["evidence.state"]),
        "answer_length": str(next((limit for limit in _LENGTHS if length < limit), "longer")),
        "topic": next((topic for topic in topics if signals.get(f"triage.{topic}") == 1.0), "none"),
    }


def stability_index(reference: Distribution, current: Distribution) -> float:
    """Return the population stability index Σ (c − r) · ln(c / r) over shares of cells.

    Below 0.1 is commonly read as stable, above 0.25 as shifted (Siddiqi 2006, Credit Risk Scorecards).
    Shares are kept at or above 0.0001, so that a cell seen on one side only stays finite.
    """
    total = 0.0
    sums = sum(reference.values()), sum(current.values())
    for cell in reference.keys() | current.keys():
        r, c = (
            max(side.get(cell, 0.0) / size, _SMALLEST)
            for side, size in zip((reference, current), sums, strict=True)
        )
        total += (c - r) * log(c / r)
    return total


def read_reference(path: Path) -> dict[str, dict[str, float]]:
    """Read a reference from a JSON file, `{feature: {cell: count or share}}`; raise ConfigurationError."""
    try:
        data = orjson.loads(path.read_bytes())
        found = {
            str(feature): {str(cell): float(n) for cell, n in cells.items()}
            for feature, cells in data.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"{path}: is no drift reference; see docs/review.md") from error
    if set(found) - set(FEATURES) or any(min(cells.values(), default=0) < 0 for cells in found.values()):
        raise ConfigurationError(f"{path}: the features are {', '.join(FEATURES)}, with counts of at least 0")
    return found


def reference_in(calibration: Calibration) -> dict[str, dict[str, float]]:
    """Return the reference that a calibration carries, as metrics named `reference.<feature>.<cell>`."""
    found: dict[str, dict[str, float]] = {}
    for name, value in calibration.metrics.items():
        feature, _, cell = name.removeprefix(PREFIX).partition(".")
        if name.startswith(PREFIX) and feature in FEATURES:
            found.setdefault(feature, {})[cell] = value
    return found
