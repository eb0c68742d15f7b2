"""Export of a suite: one JSON document, or the official file's columns as CSV."""

import csv
import io
from typing import Any

import orjson

from radsafe_bench.suites.model import LABELS, LETTERS, Question, Suite

_OPTION_COLUMNS = [f"option_{number}_{label}" for number in range(1, len(LETTERS) + 1) for label in LABELS]
CSV_COLUMNS = (
    "question_id",
    "question_text",
    "options",
    "answer_idx",
    "subspecialty",
    "question_type",
    "evidence_clean",
    "evidence_conflict",
    "deep_research_report",
    *_OPTION_COLUMNS,
    "suite",
    "notice",
)


def to_json(suite: Suite) -> bytes:
    """Write the questions with the suite's name, version, digest and notice, as one JSON document."""
    document = {
        "suite": {
            "name": suite.name,
            "version": suite.version,
            "digest": suite.digest,
            "review": suite.info.review,
            "notice": suite.notice,
        },
        "questions": suite.questions,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def to_csv(suite: Suite) -> str:
    """Write the questions in the columns of the official file, with the suite and its notice on each row."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, CSV_COLUMNS)
    writer.writeheader()
    name = f"{suite.name} {suite.version} {suite.digest}"
    writer.writerows(
        {**_official(question), "suite": name, "notice": suite.notice} for question in suite.questions
    )
    return out.getvalue()


def _official(question: Question) -> dict[str, Any]:
    clean, conflict = question.evidence.clean, question.evidence.conflict
    return {
        "question_id": question.id,
        "question_text": question.stem,
        "options": orjson.dumps({option.letter: option.text for option in question.options}).decode(),
        "answer_idx": question.correct.letter,
        "subspecialty": question.subspecialty,
        "question_type": question.question_type,
        "evidence_clean": clean.text if clean else "",
        "evidence_conflict": conflict.text if conflict else "",
        "deep_research_report": question.evidence.report,
        **{
            f"option_{number}_{label}": int(getattr(option, label))
            for number, option in enumerate(question.options, start=1)
            for label in LABELS
        },
    }
