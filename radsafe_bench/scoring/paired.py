"""Conditions of one model compared question by question, and the A/A repeat as the noise beneath."""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

import numpy as np

from radsafe_bench.scoring.key import ABSENT, LetterCodes
from radsafe_bench.scoring.measures import Cell
from radsafe_bench.scoring.rows import Row, ends
from radsafe_bench.stats import holm, mcnemar_exact, tango_interval
from radsafe_bench.stats.arrays import Bools, Floats

ACCURACY = "accuracy"
HIGH_RISK = "high_risk_error"


def pair_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return every pair of conditions of each model: McNemar's test and Tango's interval.

    The difference is `right` minus `left`. `p_holm` corrects for the pairs of one model, answer kind
    and outcome.
    """
    rows: list[Row] = []
    for _, group in groupby(cells, key=lambda cell: cell.model):
        own = list(group)
        for answers in ("greedy", "majority"):
            for outcome in (ACCURACY, HIGH_RISK):
                rows += _adjusted(
                    {
                        "model": left.model,
                        "left": left.condition,
                        "right": right.condition,
                        "answers": answers,
                        "outcome": outcome,
                        **compare_outcomes(*_events(left, right, answers, outcome)),
                    }
                    for left, right in combinations(own, 2)
                    if answers == "greedy" or (left.ballots.cast & right.ballots.cast).any()
                )
    return rows


def compare_outcomes(before: Bools, after: Bools) -> Row:
    """Compare one event on the same questions, (n,): difference after minus before."""
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    n = before.size
    return {
        "n": n,
        "gained": gained,
        "lost": lost,
        "difference": (gained - lost) / n if n else None,
        "difference_ci95": ends(*tango_interval(gained, lost, n)) if n else None,
        "p_value": float(mcnemar_exact(gained, lost)),
    }


def noise_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return how often the repeated greedy pass chose another letter, and what that did to accuracy."""
    return [
        {"model": cell.model, "condition": cell.condition, "changed": changed, **compared}
        for cell in cells
        for changed, compared in _repeats(cell)
    ]


def _repeats(cell: Cell) -> Iterator[tuple[int, Row]]:
    repeat = cell.answers.repeat[cell.row]
    both = (repeat != ABSENT) & cell.asked
    if both.any():
        first, second = (cell.key.is_correct(letters)[both] for letters in (cell.greedy, repeat))
        yield int((cell.greedy != repeat)[both].sum()), compare_outcomes(first, second)


def _events(left: Cell, right: Cell, answers: str, outcome: str) -> tuple[Bools, Bools]:
    both = left.counted & right.counted
    events = []
    for cell in (left, right):
        letters = cell.greedy if answers == "greedy" else cell.risk_majority
        events.append(_event(cell, letters, outcome)[both])
    return events[0], events[1]


def _event(cell: Cell, letters: LetterCodes, outcome: str) -> Bools:
    return cell.key.is_correct(letters) if outcome == ACCURACY else cell.key.harms(letters)[0]


def _adjusted(rows: Iterator[Row]) -> list[Row]:
    """Add Holm's p-values."""
    listed = list(rows)
    adjusted: Floats = holm(np.array([row["p_value"] for row in listed]))
    return [{**row, "p_holm": float(p)} for row, p in zip(listed, adjusted, strict=True)]
