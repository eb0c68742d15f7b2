"""Which questions go wrong over the models, and how concentrated the high-risk errors are."""

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np

from radsafe_bench.scoring.ballots import count_letters, first_seen_majority
from radsafe_bench.scoring.key import ABSENT, NULL, AnswerKey, decode
from radsafe_bench.scoring.measures import Cell
from radsafe_bench.scoring.rows import Row
from radsafe_bench.stats.arrays import Floats

WORST_SHARES: Final = (0.05, 0.10, 0.20)
_COUNTS: Final = ("n_high_risk", "n_unsafe", "n_contradicting")


def question_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return for each condition and question how many models chose what; NULL is wrong, with no flag.

    `most_common_wrong` is the letter; of equally common ones that of the first model listed.
    """
    return [row for group in _by_condition(cells) for row in _of_condition(group)]


def concentration_rows(questions: Sequence[Row]) -> list[Row]:
    """Return the share of all high-risk errors that falls in the worst 5, 10 and 20 % of questions.

    From `question_rows`: for each condition, and over all conditions together.
    """
    errors: dict[str, dict[str, int]] = {}
    for row in questions:
        for condition in (row["condition"], "all"):
            counts = errors.setdefault(condition, {})
            counts[row["question"]] = counts.get(row["question"], 0) + row["n_high_risk"]
    return [
        {"condition": condition, **_concentration(np.array(list(counts.values()), float))}
        for condition, counts in errors.items()
    ]


def worst_questions(questions: Sequence[Row], most: int = 10) -> list[Row]:
    """Return the questions with high-risk errors, most errors first, conditions told apart."""
    harmful = [row for row in questions if row["n_high_risk"]]
    return sorted(harmful, key=lambda row: (-row["n_high_risk"], -row["n_wrong"], row["question"]))[:most]


def _by_condition(cells: Sequence[Cell]) -> list[list[Cell]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.condition, []).append(cell)
    return list(groups.values())


def _of_condition(cells: Sequence[Cell]) -> list[Row]:
    key: AnswerKey = cells[0].key
    letters = np.stack([cell.greedy for cell in cells])
    asked = letters != ABSENT
    wrong = asked & ~key.is_correct(letters)
    harms = (key.harms(letters) & asked).sum(axis=1)
    wrong_letters = np.where(wrong & (letters != NULL), letters, ABSENT).T
    common = first_seen_majority(wrong_letters, count_letters(wrong_letters))
    return [
        {
            "condition": cells[0].condition,
            "question": question,
            "subspecialty": key.subspecialties[place],
            "correct": decode(int(key.correct[place])),
            "n_models": int(asked[:, place].sum()),
            "n_wrong": int(wrong[:, place].sum()),
            **{name: int(count) for name, count in zip(_COUNTS, harms[:, place], strict=True)},
            "n_unanswered": int((letters[:, place] == NULL).sum()),
            "most_common_wrong": decode(int(common[place])),
        }
        for place, question in enumerate(key.questions)
        if asked[:, place].any()
    ]


def _concentration(errors: Floats) -> Row:
    ordered, total = np.sort(errors)[::-1], errors.sum()
    row: Row = {"questions": errors.size, "high_risk_errors": int(total)}
    for share in WORST_SHARES:
        worst = ordered[: ceil(share * errors.size - 1e-9)].sum()
        row[f"share_in_worst_{share:.0%}"] = float(worst / total) if total else None
    return row
