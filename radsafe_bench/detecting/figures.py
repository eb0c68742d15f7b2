"""How well a detector tells what should be flagged from what should not; questions are what is resampled."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from radsafe_bench.detecting.detectors import Detector, Said
from radsafe_bench.detecting.examining import Examined
from radsafe_bench.scoring.confidence import Signal, describe
from radsafe_bench.stats import (
    Estimate,
    auroc_resampled,
    clopper_pearson,
    percentile_interval,
    resample_weights,
    separation,
)
from radsafe_bench.stats.arrays import Bools, Floats

_NONE: Final = Estimate(np.nan, np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates in [0, 1] with 95 % intervals, NaN where there is nothing to count.

    `tpr`: flagged among those that should be, `fpr`: among the rest, `balanced`: (tpr + 1 − fpr) / 2.
    `auroc` needs scores.
    """

    n: int
    positives: int
    unavailable: int
    tpr: Estimate
    fpr: Estimate
    balanced: Estimate
    auroc: Estimate


@dataclass(frozen=True, slots=True)
class KindRates:
    """Items of one kind and the share flagged; kinds that should be, also beside all that should not."""

    kind: str
    positive: bool
    n: int
    flagged: Estimate
    balanced: Estimate
    auroc: Estimate


@dataclass(frozen=True, slots=True)
class Time:
    """Milliseconds per item (median and 95th percentile), and per claim: by the clock, and of CPU."""

    p50: float
    p95: float
    per_claim: float
    cpu_per_claim: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A way to fail and how often: the kind of item, what was said of it, and what decided."""

    kind: str
    said: str
    decider: str
    count: int
    examples: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Detected:
    """Everything that is said of one detector on one section.

    `separation`, of answers alone: for a fitted probability every statistic of P(correct), for a verdict
    the points between right answers and high-risk errors. `seen` counts the items that were left out
    because the calibration was fitted on their questions.
    """

    name: str
    rates: Rates
    kinds: tuple[KindRates, ...]
    conditions: Mapping[str, Rates]
    time: Time
    separation: Mapping[str, Any] | None
    seen: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """Items as arrays of one length; `score` is NaN where there is none."""

    flagged: Bools
    available: Bools
    score: Floats
    positive: Bools
    question: NDArray[np.intp]

    def where(self, chosen: Bools) -> "_Table":
        return _Table(*(getattr(self, name)[chosen] for name in self.__slots__))


def measure(
    detector: Detector,
    examined: Sequence[Examined],
    seen: AbstractSet[str] = frozenset(),
    examples: int = 0,
    *,
    answers: bool = False,
) -> Detected:
    """Measure a detector. `seen` are the questions that a fitted one must not be judged on.

    With `examples`, failures are listed by how common they are, each with so many examples.
    """
    kept = [one for one in examined if not (detector.fitted and one.item.question in seen)]
    said = [detector.says(one) for one in kept]
    table = _table(kept, said)
    kinds = list(dict.fromkeys(one.item.kind for one in kept))
    kind = np.array([one.item.kind for one in kept], np.str_)
    condition = np.array([one.item.condition for one in kept], np.str_)
    names = [name for name in dict.fromkeys(condition.tolist()) if name]
    return Detected(
        name=detector.name,
        rates=_rates(table),
        kinds=tuple(_kind(name, table, kind == name) for name in kinds),
        conditions={name: _rates(table.where(condition == name)) for name in names},
        time=_time(detector, kept),
        separation=_separation(detector, kept, said, table) if answers and kept else None,
        seen=len(examined) - len(kept),
        failures=_failures(detector, kept, said, examples) if examples else (),
    )


def _table(examined: Sequence[Examined], said: Sequence[Said]) -> _Table:
    names = {name: place for place, name in enumerate(dict.fromkeys(one.item.question for one in examined))}
    return _Table(
        flagged=np.array([one.flagged for one in said], bool),
        available=np.array([one.available for one in said], bool),
        score=np.array([one.score for one in said], float),
        positive=np.array([one.item.positive for one in examined], bool),
        question=np.array([names[one.item.question] for one in examined], np.intp),
    )


def _rates(table: _Table) -> Rates:
    tpr, found = _share(table, table.positive)
    fpr, alarmed = _share(table, ~table.positive)
    return Rates(
        n=table.positive.size,
        positives=int(table.positive.sum()),
        unavailable=int((~table.available).sum()),
        tpr=tpr,
        fpr=fpr,
        balanced=_balanced(tpr, fpr, found, alarmed),
        auroc=_auroc(table),
    )


def _kind(name: str, table: _Table, members: Bools) -> KindRates:
    """Set a kind that should be flagged beside everything that should not."""
    flagged, found = _share(table, members)
    n, positive = int(members.sum()), bool(table.positive[members].any())
    if not positive:
        return KindRates(name, positive, n, flagged, _NONE, _NONE)
    fpr, alarmed = _share(table, ~table.positive)
    balanced = _balanced(flagged, fpr, found, alarmed)
    return KindRates(name, positive, n, flagged, balanced, _auroc(table.where(members | ~table.positive)))


def _share(table: _Table, members: Bools) -> tuple[Estimate, Floats]:
    """Return the share of members that are flagged, and its value in each resample of the questions.

    Where none or all are, resampling knows no uncertainty: the exact interval for as many questions
    as there are then, as if each were one item.
    """
    if not members.any():
        return _NONE, np.array([np.nan])
    questions = int(table.question.max()) + 1
    count = np.bincount(table.question[members], minlength=questions)
    hits = np.bincount(table.question[members & table.flagged], minlength=questions)
    weights = resample_weights(questions)
    with np.errstate(invalid="ignore"):
        drawn = np.asarray((weights @ hits) / (weights @ count))
    value, asked = float(hits.sum() / count.sum()), int((count > 0).sum())
    interval = clopper_pearson(value * asked, asked) if value in {0.0, 1.0} else percentile_interval(drawn)
    return Estimate(value, float(interval.lower), float(interval.upper)), drawn


def _balanced(tpr: Estimate, fpr: Estimate, found: Floats, alarmed: Floats) -> Estimate:
    """Return balanced accuracy; where one rate is 0 or 1, its own bounds make the interval."""
    value = (tpr.value + 1 - fpr.value) / 2
    if {tpr.value, fpr.value} & {0.0, 1.0} or np.isnan(value):
        return Estimate(value, (tpr.lower + 1 - fpr.upper) / 2, (tpr.upper + 1 - fpr.lower) / 2)
    lower, upper = percentile_interval((found + 1 - alarmed) / 2)
    return Estimate(value, float(lower), float(upper))


def _auroc(table: _Table) -> Estimate:
    scored = table.where(~np.isnan(table.score))
    if not scored.positive.size or np.unique(scored.score).size < 2:
        return _NONE
    return auroc_resampled(scored.score, scored.positive, scored.question)


def _time(detector: Detector, examined: Sequence[Examined]) -> Time:
    spent = np.array([[_seconds(detector, one), _cpu(detector, one)] for one in examined], float).reshape(
        -1, 2
    )
    if not len(spent):
        return Time(np.nan, np.nan, np.nan, np.nan)
    p50, p95 = np.percentile(1000 * spent[:, 0], [50, 95])
    claims = max(1, sum(one.claims for one in examined))
    clock, cpu = 1000 * spent.sum(axis=0) / claims
    return Time(float(p50), float(p95), float(clock), float(cpu))


def _seconds(detector: Detector, one: Examined) -> float:
    return sum(one.reads[name].seconds for name in detector.checks if name in one.reads)


def _cpu(detector: Detector, one: Examined) -> float:
    return sum(one.reads[name].cpu for name in detector.checks if name in one.reads)


def _separation(
    detector: Detector, examined: Sequence[Examined], said: Sequence[Said], table: _Table
) -> Mapping[str, Any] | None:
    """Return what may be said of separation: a probability's own only where it is calibrated."""
    correct = np.array([one.item.correct for one in examined], bool)
    high_risk = np.array([one.item.high_risk for one in examined], bool)
    if not detector.fitted:
        found = separation(~table.flagged, correct, high_risk, table.question)
        return {"separation_pp": found.value, "separation_pp_ci95": [found.lower, found.upper]}
    known = np.array([one.calibrated for one in said], bool)
    if not known.any():
        return None
    return describe(Signal(1 - table.score[known], correct[known], high_risk[known], table.question[known]))


def _failures(
    detector: Detector, examined: Sequence[Examined], said: Sequence[Said], examples: int
) -> tuple[Failure, ...]:
    """Return the ways in which items were missed or flagged wrongly, commonest first."""
    failed = [
        (one, _way(detector, one, what))
        for one, what in zip(examined, said, strict=True)
        if what.flagged != one.item.positive
    ]
    return tuple(
        Failure(*way, count, tuple(_example(detector, one) for one, own in failed if own == way)[:examples])
        for way, count in Counter(way for _, way in failed).most_common()
    )


def _way(detector: Detector, one: Examined, said: Said) -> tuple[str, str, str]:
    reads = [one.reads[name] for name in detector.checks if name in one.reads]
    verdicts = [read.verdict.value for read in reads if read.verdict]
    what = "+".join(verdicts) if said.available else "unavailable"
    deciders = [read.decider for read in reads if read.decider]
    return one.item.kind, what, "+".join(deciders)


def _example(detector: Detector, one: Examined) -> Mapping[str, str]:
    cited = next((one.reads[name].cited for name in detector.checks if one.reads[name].cited), "")
    return {"id": one.item.id, "claim": one.item.text, "evidence": cited}
