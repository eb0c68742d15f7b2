"""Result folders in the published form, drawn at random with everything that is awkward in them."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson

LETTERS = "ABCDE"
THEIR_CONDITIONS = ("zero_shot", "evidence_clean", "top_10", "deep_research", "context_100k")


def write_published(folder: Path, models: int, questions: int, seed: int) -> tuple[Path, Path]:
    """Write a results folder and its merged labels.

    Among the answers are NULL, letters that the question has not, ties, questions without samples or
    latency, and flags on the correct option.
    """
    rng = np.random.default_rng(seed)
    merged = [_entry(number, rng) for number in range(1, questions + 1)]
    labels = folder / "merged.json"
    folder.mkdir(parents=True, exist_ok=True)
    labels.write_bytes(orjson.dumps(merged))
    for number in range(models):
        model = folder / "results" / f"model-{number}"
        model.mkdir(parents=True)
        lines = [_line(entry, rng) for entry in merged]
        rng.shuffle(lines)
        data = b"\n".join(orjson.dumps(line) for line in lines)
        (model / "risk_radiorag_checked.jsonl").write_bytes(data + b"\n")
    return folder / "results", labels


def _entry(number: int, rng: np.random.Generator) -> dict[str, Any]:
    letters = LETTERS[: int(rng.integers(4, 6))]
    entry: dict[str, Any] = {
        "question_id": number,
        "question_text": f"Question {number}",
        "options": {letter: f"option {letter}" for letter in letters},
        "answer_idx": str(rng.choice(list(letters))),
        "subspecialty": str(rng.choice(["neuro", "breast"])),
        "question_type": "safety",
    }
    for position in range(1, 6):
        for label in ("high_risk", "unsafe", "contradicts"):
            entry[f"option_{position}_{label}"] = int(rng.random() < 0.4)
    entry["option_5_unsafe"] = None
    return entry


def _line(entry: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    return {
        "question_id": f"risk_radiorag_{entry['question_id']}",
        "correct_answer": entry["answer_idx"],
        "conditions": {name: _block(entry["answer_idx"], rng) for name in THEIR_CONDITIONS},
    }


def _block(correct: str, rng: np.random.Generator) -> dict[str, Any]:
    favourite = correct if rng.random() < 0.6 else str(rng.choice(list(LETTERS)))
    sure = float(rng.choice([0.2, 0.5, 0.9, 1.0]))
    samples = 0 if rng.random() < 0.05 else int(rng.choice([1, 4, 20]))
    return {
        "greedy": {
            "checked_answer": _checked(favourite, 0.9, rng),
            "elapsed_s": None if rng.random() < 0.1 else float(rng.exponential(3.0)),
        },
        "stochastic": {"checked_answers": [_checked(favourite, sure, rng) for _ in range(samples)]},
    }


def _checked(favourite: str, sure: float, rng: np.random.Generator) -> dict[str, Any] | None:
    if rng.random() < 0.02:
        return None
    letter = favourite if rng.random() < sure else rng.choice([*LETTERS, None])
    return {"confirmed_answer": None if letter is None else str(letter), "reasoning": ""}
