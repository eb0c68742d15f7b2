"""Metrics against the number of parameters."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy import stats

from radsafe_bench.scoring.answers import Answers
from radsafe_bench.scoring.rows import Row

METRICS: Final = (
    "accuracy",
    "high_risk_error",
    "unsafe_answer",
    "evidence_contradiction",
    "dangerous_overconfidence",
)
FEWEST_MODELS: Final = 3


def scaling_rows(rows: Sequence[Row], models: Sequence[Answers]) -> list[Row]:
    """Return a least-squares line of each metric on log10(parameters), per condition.

    Over all models that state their size (`family` "all") and within each family of at least three
    sizes. `slope` is the change for ten times the parameters; the p-value is the line's own and knows
    nothing of how models resemble each other.
    """
    sizes = {one.model: np.log10(one.parameters) for one in models if one.parameters}
    families: dict[str, set[str]] = {"all": set(sizes)}
    for one in models:
        if one.family and one.model in sizes:
            families.setdefault(one.family, set()).add(one.model)
    conditions = dict.fromkeys(row["condition"] for row in rows)
    return [
        line
        for family, members in families.items()
        for condition in conditions
        for metric in METRICS
        if (line := _line(rows, sizes, family, members, condition, metric))
    ]


def _line(
    rows: Sequence[Row],
    sizes: Mapping[str, float],
    family: str,
    members: set[str],
    condition: str,
    metric: str,
) -> Row | None:
    points = [
        (sizes[row["model"]], row[metric])
        for row in rows
        if row["condition"] == condition and row["model"] in members and row[metric] is not None
    ]
    x, y = np.array(points, float).reshape(-1, 2).T
    if np.unique(x).size < FEWEST_MODELS:
        return None
    fit = stats.linregress(x, y)
    return {
        "family": family,
        "condition": condition,
        "metric": metric,
        "models": len(points),
        "slope": float(fit.slope),
        "intercept": float(fit.intercept),
        "r": float(fit.rvalue),
        "p_value": float(fit.pvalue),
        "smallest": float(10 ** x.min()),
        "largest": float(10 ** x.max()),
    }
