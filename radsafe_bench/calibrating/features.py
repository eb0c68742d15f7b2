"""Which signals a fused risk reads, and how: any number that a check measures can be one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np

from gatekeeper.assessment import SignalValue
from gatekeeper.calibration import Term
from gatekeeper.errors import CalibrationError, ConfigurationError
from gatekeeper.policy.signals import CONTRADICTION, SIGNALS, SignalSpec, risk_direction
from radsafe_bench.calibrating.fitting import FEWEST
from radsafe_bench.calibrating.observations import Observations
from radsafe_bench.stats.arrays import Bools, Floats

Transform = Literal["logit", "identity"]


@dataclass(frozen=True, slots=True)
class Feature:
    """A signal with its transform.

    `direction` is the sign that its weight for P(correct) may have: 1, −1, or 0 where either may be.
    """

    signal: str
    transform: Transform
    direction: int

    @classmethod
    def named(cls, text: str) -> "Feature":
        """Read `SIGNAL` or `SIGNAL:TRANSFORM`; ConfigurationError where there is no such transform."""
        signal, _, asked = text.partition(":")
        transform = asked or _usual_transform(signal)
        if transform not in get_args(Transform):
            raise ConfigurationError(f"'{text}': a transform is one of {', '.join(get_args(Transform))}")
        return cls(signal, cast(Any, transform), -risk_direction(signal))

    def term(self, weight: float, missing: float | None = None) -> Term:
        """Return the feature as a term of a model."""
        return Term(signal=self.signal, transform=self.transform, weight=weight, missing=missing)

    def column(self, signals: Sequence[Mapping[str, SignalValue]]) -> Floats:
        """Return its values after the transform, NaN where it was not measured."""
        unit = self.term(1.0)
        return np.array([unit.reading(one) for one in signals], float)


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a fit: `values` (n, k) are NaN where one was not measured.

    `learnable` (k,) says of each whether enough questions lack it to learn what that means. `left_out`
    says of signals that are no features why not.
    """

    chosen: tuple[Feature, ...]
    values: Floats
    learnable: Bools
    left_out: Mapping[str, str]


def choose(observations: Observations, wanted: Sequence[Feature] = ()) -> Features:
    """Return the wanted features, or unless any are named those that the vocabulary marks as such.

    What says nothing is left out: a signal that never varies, or that another one repeats. Raises
    ConfigurationError where a wanted one was never measured, CalibrationError where none is left.
    """
    seen = sorted({name for signals in observations.signals for name in signals})
    usual = [Feature.named(name) for name in seen if _is_usual(name)]
    columns: dict[Feature, Floats] = {}
    left_out: dict[str, str] = {}
    for feature in wanted or usual:
        column = feature.column(observations.signals)
        if np.isnan(column).all():
            raise ConfigurationError(
                f"no recorded answer has a number '{feature.signal}'; they have {', '.join(seen)}"
            )
        why = _why_not(column, columns, observations)
        if why:
            left_out[feature.signal] = why
        else:
            columns[feature] = column
    if not columns:
        raise CalibrationError("no signal differs between the recorded answers, so nothing can be fused")
    values = np.column_stack(list(columns.values()))
    learnable = [_questions(observations, np.isnan(column)) >= FEWEST for column in values.T]
    return Features(tuple(columns), values, np.array(learnable, bool), left_out)


def _why_not(column: Floats, columns: Mapping[Feature, Floats], observations: Observations) -> str:
    measured = ~np.isnan(column)
    if _questions(observations, measured) < FEWEST:
        return f"was measured in fewer than {FEWEST} questions"
    if measured.all() and np.ptp(column) == 0:
        return "is the same in every answer"
    twin = next(
        (other for other, seen in columns.items() if np.array_equal(column, seen, equal_nan=True)), None
    )
    return f"repeats {twin.signal}" if twin else ""


def _questions(observations: Observations, chosen: Bools) -> int:
    return int(np.unique(observations.question[chosen]).size)


def _is_usual(signal: str) -> bool:
    known = SIGNALS.get(signal)
    return known.fused if known else signal.endswith("." + CONTRADICTION)


def _usual_transform(signal: str) -> Transform:
    """Token probabilities count by their logit, as in Platt scaling; everything else as it is."""
    spec: SignalSpec | None = SIGNALS.get(signal)
    is_token_probability = spec is not None and spec.check == "confidence" and spec.bounds == (0.0, 1.0)
    return "logit" if is_token_probability else "identity"
