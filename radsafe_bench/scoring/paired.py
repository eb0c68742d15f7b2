"""Conditions of one model compared question by question, and the A/A repeat as the noise beneath."""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby
from typing import Final

import numpy as np

from radsafe_bench.scoring.key import ABSENT, LetterCodes
from radsafe_bench.scoring.measures import Cell
from radsafe_bench.scoring.rows import Row, ends
from radsafe_bench.stats import holm, mcnemar_exact, tango_interval
from radsafe_bench.stats.arrays import Bools

ACCURACY: Final = "accuracy"
HIGH_RISK: Final = "high_risk_error"
GREEDY: Final = "greedy"
MAJORITY: Final = "majority"

Contrast = tuple[Row, Bools, Bools]
"""What is compared, and one event on the same questions before and after, (n,)."""


def pair_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return every pair of conditions of each model: McNemar's test and Tango's interval.

    The difference is `right` minus `left`. `p_holm` corrects for the pairs of one model, answer kind
    and outcome.
    """
    families = [
        [_contrast(left, right, answers, outcome) for left, right in combinations(able, 2)]
        for _, group in groupby(cells, key=lambda cell: cell.model)
        for answers, able in _able(list(group)).items()
        for outcome in (ACCURACY, HIGH_RISK)
    ]
    rows = iter(compare([contrast for family in families for contrast in family]))
    return [row for family in families for row in with_holm([next(rows) for _ in family])]


def compare(contrasts: Sequence[Contrast]) -> list[Row]:
    """Return counts, difference (after minus before), Tango's 95 % interval and McNemar's p-value."""
    if not contrasts:
        return []
    gained = np.array([(after & ~before).sum() for _, before, after in contrasts])
    lost = np.array([(before & ~after).sum() for _, before, after in contrasts])
    n = np.array([before.size for _, before, _ in contrasts])
    lower, upper = tango_interval(gained, lost, np.maximum(n, 1))
    p_value = mcnemar_exact(gained, lost)
    return [
        {
            **named,
            "n": int(n[place]),
            "gained": int(gained[place]),
            "lost": int(lost[place]),
            "difference": float((gained - lost)[place] / n[place]) if n[place] else None,
            "difference_ci95": ends(lower[place], upper[place]) if n[place] else None,
            "p_value": float(p_value[place]),
        }
        for place, (named, _, _) in enumerate(contrasts)
    ]


def with_holm(rows: Sequence[Row]) -> list[Row]:
    """Add p-values corrected for the number of rows."""
    adjusted = holm([row["p_value"] for row in rows])
    return [{**row, "p_holm": float(p)} for row, p in zip(rows, adjusted, strict=True)]


def noise_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return how often the repeated greedy pass chose another letter, and what that did to accuracy."""
    return compare([contrast for cell in cells for contrast in _repeat(cell)])


def event(cell: Cell, letters: LetterCodes, outcome: str) -> Bools:
    """Say where the letters are correct, or a high-risk error."""
    return cell.key.is_correct(letters) if outcome == ACCURACY else cell.key.harms(letters)[0]


def _able(cells: Sequence[Cell]) -> dict[str, Sequence[Cell]]:
    """Return the cells that have each kind of answer."""
    return {GREEDY: cells, MAJORITY: [cell for cell in cells if cell.ballots.cast.any()]}


def _contrast(left: Cell, right: Cell, answers: str, outcome: str) -> Contrast:
    both = left.counted & right.counted
    before, after = (
        event(cell, cell.greedy if answers == GREEDY else cell.risk_majority, outcome)[both]
        for cell in (left, right)
    )
    named = {"model": left.model, "left": left.condition, "right": right.condition}
    return {**named, "answers": answers, "outcome": outcome}, before, after


def _repeat(cell: Cell) -> Iterator[Contrast]:
    repeat = cell.answers.repeat[cell.row]
    both = (repeat != ABSENT) & cell.asked
    if both.any():
        first, second = (cell.key.is_correct(letters)[both] for letters in (cell.greedy, repeat))
        changed = int((cell.greedy != repeat)[both].sum())
        yield {"model": cell.model, "condition": cell.condition, "changed": changed}, first, second
