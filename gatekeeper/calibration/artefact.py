"""The calibration artefact: a logistic model per language model, fitted elsewhere, applied here.

`P(correct) = σ(b_state + Σ w_i · f_i(x_i))`: one intercept per evidence state, one weight per signal.
Platt scaling (Platt 1999) is the case of one term, the logit of `confidence.raw`.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gatekeeper.assessment import SignalValue
from gatekeeper.errors import CalibrationError
from gatekeeper.exchange import EvidenceState
from gatekeeper.policy.signals import risk_direction

_EDGE = 1e-6
"""Probabilities are kept this far from 0 and 1 before the logit, as they were in fitting."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Term(_Strict):
    """One signal of a logistic model. `missing` is the whole term's value where it was not measured."""

    signal: str
    transform: Literal["logit", "identity"] = "identity"
    weight: float
    missing: float | None = None

    def value(self, signals: Mapping[str, SignalValue]) -> float | None:
        """Return the term's contribution in logits; None where it is missing and may not be."""
        read = self.reading(signals)
        return self.missing if read is None else self.weight * read

    def reading(self, signals: Mapping[str, SignalValue]) -> float | None:
        """Return the signal's number after the transform; None where it was not measured."""
        measured = signals.get(self.signal)
        if measured is None or isinstance(measured, str):
            return None
        return logit(measured) if self.transform == "logit" else measured


class Logistic(_Strict):
    """P(correct) from signals. A state without an intercept was not fitted and gives no probability."""

    intercepts: dict[EvidenceState, float]
    terms: tuple[Term, ...]

    def contributions(self, signals: Mapping[str, SignalValue]) -> dict[str, float] | None:
        """Return each term's contribution in logits, `intercept` among them; None if one is missing."""
        intercept = self.intercepts.get(EvidenceState(str(signals["evidence.state"])))
        parts = {term.signal: term.value(signals) for term in self.terms}
        if intercept is None:
            return None
        known = {signal: value for signal, value in parts.items() if value is not None}
        return {"intercept": intercept, **known} if len(known) == len(parts) else None

    def probability(self, signals: Mapping[str, SignalValue]) -> float | None:
        """Return P(correct) in (0, 1), or None where the model cannot say."""
        parts = self.contributions(signals)
        return None if parts is None else sigmoid(sum(parts.values()))


class Calibration(_Strict):
    """What was fitted on one model's recorded answers.

    `confidence` maps the token probabilities to P(correct); `risk`, where fitted, fuses them with the
    checks' findings, and its complement is the probability that the answer is wrong. `seen` holds the
    ids of all questions that fitting touched: the gate leaves them out of its criteria.
    """

    schema_version: Literal[1] = 1
    fingerprint: str = Field(min_length=1)
    confidence: Logistic
    risk: Logistic | None = None
    seen: tuple[str, ...] = ()
    created: datetime | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fitted_on_something(self) -> Self:
        if not self.confidence.intercepts:
            raise ValueError("confidence has no intercepts; fit it with `radsafe-bench calibrate`")
        return self

    @model_validator(mode="after")
    def _risk_rises_with_contradiction(self) -> Self:
        for term in self.risk.terms if self.risk else ():
            if term.weight * risk_direction(term.signal) > 0:
                raise ValueError(f"risk moves the wrong way with {term.signal}; fit it with `--risk` again")
        return self

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the artefact's content."""
        data = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return "sha256:" + hashlib.sha256(data).hexdigest()


class Calibrations:
    """The artefacts that a process serves with, found by model fingerprint."""

    def __init__(self, artefacts: Iterable[Calibration] = ()) -> None:
        self._by_fingerprint = {artefact.fingerprint: artefact for artefact in artefacts}

    def of(self, fingerprint: str | None) -> Calibration | None:
        """Return the artefact fitted on this very model, or None: a foreign one is never applied."""
        return self._by_fingerprint.get(fingerprint) if fingerprint else None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The models that an artefact was loaded for."""
        return tuple(self._by_fingerprint)

    def require(self, fingerprint: str) -> Calibration:
        """Return the artefact of a model; raise CalibrationError naming both fingerprints."""
        found = self.of(fingerprint)
        if found is None:
            fitted = ", ".join(self.fingerprints) or "no model"
            raise CalibrationError(
                f"the calibration was fitted on {fitted}, but the model being served is {fingerprint}: "
                "its probabilities do not carry over. Record this model and fit again with "
                "`radsafe-bench calibrate`, or start without --calibration"
            )
        return found


def load_calibration(path: Path) -> Calibration:
    """Read and validate an artefact; raise CalibrationError naming the file and what is wrong."""
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "artefact"
        raise CalibrationError(f"{path}: {where}: {first['msg']}") from error


def logit(probability: float) -> float:
    """Return ln(p / (1 − p)) of a probability kept away from 0 and 1."""
    p = min(max(probability, _EDGE), 1 - _EDGE)
    return math.log(p / (1 - p))


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^−x) without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
