"""Runs of a few questions written by hand, as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from radsafe_bench.suites import Evidence, Option, Question, ReviewStatus, Suite, SuiteInfo
from radsafe_bench.suites.model import Origin
from radsafe_bench.suites.store import SuiteContent, write_suite


def question(number: int, letters: str = "ABCD", correct: str = "A", **flags: str) -> Question:
    """Return a question; `high_risk="BC"` flags the options B and C."""
    return Question(
        id=f"q-{number}",
        subspecialty="mr_safety",
        question_type="safety",
        stem=f"Which statement {number} holds?",
        negated=correct in flags.get("high_risk", ""),
        options=tuple(
            Option(
                letter,
                f"statement {letter}",
                letter == correct,
                letter in flags.get("high_risk", ""),
                letter in flags.get("unsafe", ""),
                letter in flags.get("contradicts", ""),
                f"because of {letter}",
            )
            for letter in letters
        ),
        evidence=Evidence(),
    )


def make_suite(folder: Path, *questions: Question) -> Suite:
    """Write a suite of these questions."""
    info = SuiteInfo(folder.name, "1", Origin.INDEPENDENT, ReviewStatus.DRAFT, {})
    return write_suite(folder, info, SuiteContent(questions))


def record(question: str, letter: str | None, sample: int = -1, **changed: Any) -> dict[str, Any]:
    """Return one line of a records file."""
    condition = changed.get("condition", "closed_book")
    message = {"role": "assistant", "content": letter or "Hard to say."}
    return {
        "key": f"{question}/{condition}/{sample}",
        "question": question,
        "condition": condition,
        "sample": sample,
        "pass": "main",
        "request": {"model": "m", "messages": []},
        "response": {"model": "m", "choices": [{"index": 0, "message": message}]},
        "letter": letter,
        "latency_s": 1.0,
        "error": None,
        "model": "m",
        "fingerprint": "m@1",
        "at": "2026-01-01T00:00:00Z",
        **changed,
    }


def repeated(question: str, letter: str | None) -> dict[str, Any]:
    """Return the line of a question's second greedy pass."""
    again = record(question, letter)
    return {**again, "pass": "aa", "key": f"{again['key']}/aa"}


def failed(question: str, sample: int = -1) -> dict[str, Any]:
    """Return the line of a request that ended in an error."""
    error = {"code": "upstream_timeout", "status": 504}
    return record(question, None, sample, response=None, error=error, latency_s=300.0)


def samples(question: str, letters: Sequence[str | None]) -> list[dict[str, Any]]:
    """Return the lines of a question's samples."""
    return [record(question, letter, sample) for sample, letter in enumerate(letters)]


def make_run(folder: Path, suite: Suite, lines: Sequence[dict[str, Any]], **manifest: Any) -> Path:
    """Write a run directory."""
    folder.mkdir(parents=True)
    reference = {"name": str(suite.path), "version": suite.version, "digest": suite.digest}
    body = {"model": "m", "suite": reference, "backend": "openai", **manifest}
    (folder / "manifest.json").write_bytes(orjson.dumps(body))
    (folder / "records.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return folder
