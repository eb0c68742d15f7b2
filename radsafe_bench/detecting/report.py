"""What was measured, as JSON and as tables for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from radsafe_bench.detecting.figures import Detected, KindRates, Rates
from radsafe_bench.detecting.items import Section
from radsafe_bench.stats import Estimate


@dataclass(frozen=True, slots=True)
class SectionResult:
    """One section: how many items of how many questions were examined, of how many there are, and by whom.

    `silent` are the checks that could not judge a single item. `out_of_fold` holds, for the detectors
    that a calibration fitted, its own figures on questions that each fit did not see.
    """

    section: Section
    total: int
    examined: int
    questions: int
    detected: tuple[Detected, ...]
    silent: tuple[str, ...]
    out_of_fold: Mapping[str, Mapping[str, float]]

    @property
    def complete(self) -> bool:
        """Whether every item was examined."""
        return self.examined == self.total


def to_json(result: SectionResult) -> dict[str, Any]:
    """Return a section; rates are `{value, ci95}`, null where nothing can be said."""
    return {
        "section": result.section.value,
        "items": result.total,
        "examined": result.examined,
        "questions": result.questions,
        "complete": result.complete,
        "silent": list(result.silent),
        "out_of_fold": dict(result.out_of_fold),
        "detectors": [_detected(one) for one in result.detected],
    }


def _detected(one: Detected) -> dict[str, Any]:
    return {
        "name": one.name,
        **_rates(one.rates),
        "left_out_as_seen": one.seen,
        "by_kind": [_kind(kind) for kind in one.kinds],
        "by_condition": [{"condition": name, **_rates(rates)} for name, rates in one.conditions.items()],
        "time_ms": asdict(one.time),
        "separation": one.separation,
        "failures": [asdict(failure) for failure in one.failures],
    }


def _rates(rates: Rates) -> dict[str, Any]:
    return {
        "n": rates.n,
        "positives": rates.positives,
        "unavailable": rates.unavailable,
        "tpr": _estimate(rates.tpr),
        "fpr": _estimate(rates.fpr),
        "balanced_accuracy": _estimate(rates.balanced),
        "auroc": _estimate(rates.auroc),
    }


def _kind(one: KindRates) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "positive": one.positive,
        "n": one.n,
        "flagged": _estimate(one.flagged),
        "balanced_accuracy": _estimate(one.balanced),
        "auroc": _estimate(one.auroc),
    }


def _estimate(found: Estimate) -> dict[str, Any] | None:
    if np.isnan(found.value):
        return None
    return {"value": found.value, "ci95": None if np.isnan(found.lower) else [found.lower, found.upper]}


_TITLES = {
    Section.PAIRS: "pairs: flagged where the evidence contradicts the claim",
    Section.OPTIONS: "options: flagged where choosing it is wrong and contradicts the evidence",
    Section.ANSWERS: "answers: flagged where the model's answer is wrong",
}


def tables(result: SectionResult) -> Iterator[Table]:
    """Yield the tables of a section: rates, kinds, conditions, separation."""
    yield _rates_table(result)
    yield _kinds_table(result.detected)
    if any(one.conditions for one in result.detected):
        yield _conditions_table(result.detected)
    if any(one.separation for one in result.detected):
        yield _separation_table(result.detected)


def _rates_table(result: SectionResult) -> Table:
    table = Table(
        "detector", "n", "TPR, %", "FPR, %", "balanced, %", "AUROC", "unavailable", "ms p50 / p95",
        "ms per claim", "of CPU", title=_TITLES[result.section],
    )  # fmt: skip
    for one in result.detected:
        rates, time = one.rates, one.time
        table.add_row(
            one.name,
            f"{rates.positives} / {rates.n}",
            *(_percent(rate) for rate in (rates.tpr, rates.fpr, rates.balanced)),
            _plain(rates.auroc),
            str(rates.unavailable),
            f"{_ms(time.p50)} / {_ms(time.p95)}",
            _ms(time.per_claim),
            _ms(time.cpu_per_claim),
        )
    return table


def _kinds_table(detected: Sequence[Detected]) -> Table:
    """Show the share flagged of every kind, and balanced accuracy of those that should be."""
    table = Table("kind", "n", *(one.name for one in detected), title="flagged, % (balanced accuracy)")
    for kind in dict.fromkeys(kind.kind for one in detected for kind in one.kinds):
        rows = [next((own for own in one.kinds if own.kind == kind), None) for one in detected]
        known = next(row for row in rows if row)
        table.add_row(f"{kind} !" if known.positive else kind, str(known.n), *map(_kind_cell, rows))
    table.caption = "! should be flagged"
    return table


def _kind_cell(row: KindRates | None) -> str:
    if row is None:
        return "–"
    return _percent(row.flagged) + (f" ({100 * row.balanced.value:.1f})" if row.positive else "")


def _conditions_table(detected: Sequence[Detected]) -> Table:
    table = Table("condition", "detector", "n", "TPR, %", "FPR, %", "balanced, %", "AUROC")
    for condition in dict.fromkeys(name for one in detected for name in one.conditions):
        for one in detected:
            if rates := one.conditions.get(condition):
                table.add_row(
                    condition,
                    one.name,
                    f"{rates.positives} / {rates.n}",
                    *(_percent(rate) for rate in (rates.tpr, rates.fpr, rates.balanced)),
                    _plain(rates.auroc),
                )
    return table


def _separation_table(detected: Sequence[Detected]) -> Table:
    """Show right answers against high-risk errors; of probabilities only those that are calibrated."""
    table = Table("detector", "separation, points", "ECE", "if perfect ≤", "Brier", title="separation")
    for one in detected:
        found = one.separation
        if found is None or found["separation_pp"] is None or np.isnan(found["separation_pp"]):
            continue
        lower, upper = found["separation_pp_ci95"]
        rest = [found.get(name) for name in ("ece", "ece_null_upper95", "brier")]
        table.add_row(
            one.name,
            f"{found['separation_pp']:.1f} ({lower:.1f} to {upper:.1f})",
            *("–" if value is None else f"{value:.3f}" for value in rest),
        )
    table.caption = (
        "of a verdict: TPR on high-risk errors − FPR on right answers; of a probability: P(correct)"
    )
    return table


def failure_lines(detected: Detected) -> Iterator[str]:
    """Say how a detector fails, commonest first, with the examples that were asked for."""
    for failure in detected.failures:
        decided = f" by {failure.decider}" if failure.decider else ""
        yield f"{detected.name}: {failure.count} × {failure.kind}, said {failure.said}{decided}"
        for example in failure.examples:
            yield f"    {example['id']}: {example['claim']}"
            if example["evidence"]:
                yield f"      beside: {example['evidence']}"


def _percent(found: Estimate) -> str:
    if np.isnan(found.value):
        return "–"
    ends = "" if np.isnan(found.lower) else f" [{100 * found.lower:.1f} {100 * found.upper:.1f}]"
    return f"{100 * found.value:.1f}{ends}"


def _ms(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _plain(found: Estimate) -> str:
    if np.isnan(found.value):
        return "–"
    ends = "" if np.isnan(found.lower) else f" [{found.lower:.3f} {found.upper:.3f}]"
    return f"{found.value:.3f}{ends}"
