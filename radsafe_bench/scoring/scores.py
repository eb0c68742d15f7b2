"""`scores.json` and its CSV twins."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

import gatekeeper
from radsafe_bench.rounding import rounded
from radsafe_bench.scoring.answers import Answers
from radsafe_bench.scoring.ballots import read_ballots
from radsafe_bench.scoring.confidence import confidence_rows
from radsafe_bench.scoring.ensembles import Members, ensemble_rows
from radsafe_bench.scoring.key import AnswerKey, decode
from radsafe_bench.scoring.measures import OWN, Cell, Convention
from radsafe_bench.scoring.paired import noise_rows, pair_rows
from radsafe_bench.scoring.questions import concentration_rows, question_rows
from radsafe_bench.scoring.rows import Row, ends, number, score_cell, subspecialty_rows
from radsafe_bench.scoring.scaling import scaling_rows

SCORES: Final = "scores.json"
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Scores:
    """All tables of a set of runs. `cells` are what they were computed from, model by model.

    `tables` maps `rows`, `intervals`, `confidence`, `subspecialties`, `questions`, `concentration`,
    `pairs`, `ensembles`, `scaling` and `noise` to their rows.
    """

    key: AnswerKey
    models: tuple[Answers, ...]
    cells: tuple[Cell, ...]
    tables: Mapping[str, Sequence[Row]]

    @property
    def rows(self) -> Sequence[Row]:
        """One row for each model and condition."""
        return self.tables["rows"]


def score(
    key: AnswerKey,
    models: Sequence[Answers],
    *,
    convention: Convention = OWN,
    ensembles: Sequence[Members] | None = None,
) -> Scores:
    """Score models on one suite. Names must differ; `ensembles` None means every three of the models."""
    cells = tuple(cell for one in models for cell in _cells(one, key, convention))
    scored = [score_cell(cell) for cell in cells]
    rows = [row for row, _ in scored]
    questions = question_rows(cells)
    return Scores(
        key=key,
        models=tuple(models),
        cells=cells,
        tables={
            "rows": rows,
            "intervals": [interval for _, intervals in scored for interval in intervals],
            "confidence": confidence_rows(cells),
            "subspecialties": subspecialty_rows(cells),
            "questions": questions,
            "concentration": concentration_rows(questions),
            "pairs": pair_rows(cells),
            "ensembles": ensemble_rows(cells, ensembles),
            "scaling": scaling_rows(rows, models),
            "noise": noise_rows(cells),
        },
    )


def write_scores(scores: Scores, folder: Path) -> Path:
    """Write `scores.json`, one CSV for each table and `answers.csv`; return the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SCORES
    tables = rounded(scores.tables, _DIGITS)
    body = {**header(scores), **tables}
    path.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    for name, rows in tables.items():
        write_csv(folder / f"{name}.csv", rows)
    write_csv(folder / "answers.csv", rounded(answer_rows(scores.cells), _DIGITS))
    return path


def header(scores: Scores) -> dict[str, Any]:
    """Return what stands above the tables: suite, its notice, models, software."""
    return {
        "schema_version": 1,
        "suite": scores.key.suite.model_dump(),
        "notice": scores.key.notice,
        "software": {"radsafe-gatekeeper": gatekeeper.__version__},
        "models": [
            {"model": one.model, "family": one.family, "parameters": one.parameters} for one in scores.models
        ],
    }


def answer_rows(cells: Sequence[Cell]) -> list[Row]:
    """Return one row for each answered question: letters, agreement, margin, both confidences."""
    rows: list[Row] = []
    for cell in cells:
        ballots = cell.ballots
        lower, upper = ballots.agreement_interval
        tokens = cell.answers.token_confidence[cell.row]
        for place, question in enumerate(cell.key.questions):
            if not cell.asked[place]:
                continue
            cast = bool(ballots.cast[place])
            rows.append(
                {
                    "model": cell.model,
                    "condition": cell.condition,
                    "question": question,
                    "correct": decode(int(cell.key.correct[place])),
                    "greedy": decode(int(cell.greedy[place])),
                    "majority": decode(int(ballots.majority[place])),
                    "ballots": int(ballots.total[place]),
                    "confidence": float(ballots.confidence[place]) if cast else None,
                    "agreement": float(ballots.agreement[place]) if cast else None,
                    "agreement_wilson95": ends(lower[place], upper[place]) if cast else None,
                    "margin": float(ballots.margin[place]) if cast else None,
                    "token_confidence": number(float(tokens[place])),
                }
            )
    return rows


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows with every column that any of them has; an interval becomes two columns."""
    flat = [_flat(row) for row in rows]
    columns = dict.fromkeys(name for row in flat for name in row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(flat)


def _flat(row: Row) -> Row:
    flat: Row = {}
    for name, value in row.items():
        if name == "members":
            flat[name] = " + ".join(value)
        elif isinstance(value, list):
            flat[f"{name}_lower"], flat[f"{name}_upper"] = value
        else:
            flat[name] = value
    return flat


def _cells(answers: Answers, key: AnswerKey, convention: Convention) -> list[Cell]:
    """Return a model's cells, the samples counted once for all conditions."""
    ballots = read_ballots(answers.samples, key)
    return [Cell(answers, row, key, ballots.of(row), convention) for row in range(len(answers.conditions))]
