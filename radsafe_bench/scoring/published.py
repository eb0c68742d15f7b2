"""Result files in the form of the published code, read into the same arrays as our own runs.

`DIR/<model>/risk_radiorag_checked.jsonl` holds one question a line:
`conditions.<name>.greedy.{checked_answer.confirmed_answer, elapsed_s}` and
`conditions.<name>.stochastic.checked_answers[].confirmed_answer`; the labels are one merged JSON file.
Score them with the PUBLISHED convention. Questions are put in the order of their ids as text, as that
code does before it resamples.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from gatekeeper.errors import ConfigurationError
from radsafe_bench.records import SuiteReference
from radsafe_bench.scoring.answers import Answers, empty_answers, in_order
from radsafe_bench.scoring.key import NULL, AnswerKey, code, encode
from radsafe_bench.suites.model import IMPORTED_NOTICE, LABELS, LETTERS

RESULTS: Final = "risk_radiorag_checked.jsonl"

CONDITION_NAMES: Final = {
    "zero_shot": "closed_book",
    "evidence_clean": "clean_evidence",
    "evidence_conflict": "conflict_evidence",
    "top_10": "standard_rag",
    "top_1": "standard_rag_top_1",
    "top_5": "standard_rag_top_5",
    "deep_research": "agentic_rag",
    "context_max": "max_context",
    "context_32k": "max_context_32k",
    "context_100k": "max_context_100k",
}
"""Their condition names and ours; any other name is kept."""

Json = Mapping[str, Any]


def read_published(folder: Path, labels: Path) -> tuple[AnswerKey, list[Answers]]:
    """Read the labels and every model of a results folder, in order of name.

    Raises ConfigurationError where a file is missing or malformed, where labels are missing for a
    question, or where two models were scored against different correct answers.
    """
    files = {path.parent.name: _lines(path) for path in sorted(folder.glob(f"*/{RESULTS}"))}
    if not files:
        raise ConfigurationError(f"{folder}: holds no <model>/{RESULTS}")
    correct = _correct_letters(files)
    key = _key(labels, correct)
    return key, [_answers(model, lines, key) for model, lines in files.items()]


def _lines(path: Path) -> list[Json]:
    try:
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        return [{**line, "question_id": str(line["question_id"])} for line in lines]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as published results") from error


def _correct_letters(files: Mapping[str, Sequence[Json]]) -> dict[str, str]:
    """Return the correct letter of each question, questions in order of their ids as text."""
    correct: dict[str, str] = {}
    for model, lines in files.items():
        for line in lines:
            stated = str(line.get("correct_answer"))
            if stated not in LETTERS or correct.setdefault(line["question_id"], stated) != stated:
                question = line["question_id"]
                raise ConfigurationError(
                    f"{model}: question {question} states no correct answer, or not that of other models"
                )
    return dict(sorted(correct.items()))


def _key(path: Path, correct: Mapping[str, str]) -> AnswerKey:
    try:
        data = path.read_bytes()
        merged = {int(entry["question_id"]): entry for entry in orjson.loads(data)}
        entries = [merged[_number(question)] for question in correct]
        flags = _flags(entries)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: no merged JSON with labels for every question") from error
    digest = f"sha256:{sha256(data).hexdigest()}"
    return AnswerKey(
        suite=SuiteReference(name=path.stem, version="published", digest=digest),
        notice=IMPORTED_NOTICE,
        questions=tuple(correct),
        subspecialties=tuple(str(entry.get("subspecialty") or "") for entry in entries),
        correct=encode(correct.values()),
        options=np.array([_options(entry) for entry in entries], np.int8),
        flags=flags,
    )


def _number(question: str) -> int:
    """Read the number at the end of `risk_radiorag_17`."""
    return int(question.rsplit("_", 1)[-1])


def _options(entry: Json) -> int:
    return sum(letter in entry["options"] for letter in LETTERS)


def _flags(entries: Sequence[Json]) -> np.ndarray:
    """Read `option_1_high_risk` … `option_5_contradicts`; an option that is not there has no flag."""
    flags = np.zeros((len(LABELS), len(entries), NULL + 1), bool)
    for place, entry in enumerate(entries):
        for number, letter in enumerate(LETTERS, start=1):
            for label, name in enumerate(LABELS):
                flag = int(entry.get(f"option_{number}_{name}") or 0)
                flags[label, place, number - 1] = bool(flag) and letter in entry["options"]
    return flags


def _answers(model: str, lines: Sequence[Json], key: AnswerKey) -> Answers:
    blocks = {
        (CONDITION_NAMES.get(name, name), line["question_id"]): block or {}
        for line in lines
        for name, block in (line.get("conditions") or {}).items()
    }
    samples = {cell: _ballots(block) for cell, block in blocks.items()}
    conditions = in_order(condition for condition, _ in blocks)
    most = max(map(len, samples.values()), default=0)
    answers = empty_answers(model, conditions, len(key.questions), most)
    places = {question: place for place, question in enumerate(key.questions)}
    answers.recorded[[places[line["question_id"]] for line in lines]] = True
    for (condition, question), block in blocks.items():
        cell = (conditions.index(condition), places[question])
        greedy = block.get("greedy") or {}
        answers.greedy[cell] = code(_confirmed(greedy.get("checked_answer")))
        ballots = samples[condition, question]
        answers.samples[cell][: len(ballots)] = ballots
        elapsed = greedy.get("elapsed_s")
        if isinstance(elapsed, int | float):
            answers.latency_s[cell] = elapsed
    return answers


def _ballots(block: Json) -> list[int]:
    checked: Iterable[Any] = (block.get("stochastic") or {}).get("checked_answers") or ()
    return [code(_confirmed(one)) for one in checked]


def _confirmed(checked: object) -> str | None:
    letter = checked.get("confirmed_answer") if isinstance(checked, Mapping) else None
    return letter if isinstance(letter, str) and len(letter) == 1 else None
