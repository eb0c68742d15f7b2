"""A suite of a few plain questions, made in a moment."""

from pathlib import Path

from radsafe_bench.suites import (
    CleanEvidence,
    ConflictEvidence,
    Evidence,
    Injection,
    Option,
    Passage,
    PassageKind,
    Question,
    ReviewStatus,
    Suite,
    SuiteInfo,
)
from radsafe_bench.suites.model import Origin
from radsafe_bench.suites.store import SuiteContent, write_suite

LETTERS = "ABCD"
DEVICES = ("clip", "stent", "coil", "pump", "lead", "valve", "plate", "screw")


def question(number: int) -> Question:
    """Return a question on one device's waiting time; the correct letter goes round."""
    device, right = DEVICES[number % len(DEVICES)], number % 4
    weeks = [number + 2, number + 12, number + 22, number + 32]
    fact = f"After implantation of a {device} of type {number}, wait {weeks[right]} weeks before MR imaging."
    false = (
        f"Another leaflet allows MR imaging with a {device} of type {number} after {weeks[right - 1]} weeks."
    )
    return Question(
        id=f"q-{number:03d}",
        subspecialty="mr_safety",
        question_type="safety",
        stem=f"How long after implantation of a {device} of type {number} is MR imaging delayed?",
        negated=False,
        options=tuple(
            Option(
                letter, f"{weeks[place]} weeks", place == right, place == 0 != right, False, place != right
            )
            for place, letter in enumerate(LETTERS)
        ),
        evidence=Evidence(
            clean=CleanEvidence(fact),
            conflict=ConflictEvidence(f"{fact} {false}", (Injection(false),)),
        ),
    )


def make_suite(folder: Path, count: int = 4, *, name: str = "small", corpus: bool = True) -> Suite:
    """Write a suite of `count` questions, its corpus with one gold and one other passage each."""
    questions = tuple(question(number) for number in range(count))
    passages = [
        passage
        for number, asked in enumerate(questions)
        for passage in (
            Passage(f"p-{2 * number:03d}", PassageKind.CLEAN, _clean(asked), asked.id),
            Passage(
                f"p-{2 * number + 1:03d}",
                PassageKind.UNRELATED,
                f"Film cassette {number} was developed in a dark room for {number + 3} minutes.",
            ),
        )
    ]
    info = SuiteInfo(name, "0.1.0", Origin.INDEPENDENT, ReviewStatus.DRAFT, {})
    content = SuiteContent(questions, tuple(passages) if corpus else ())
    return write_suite(folder / name, info, content)


def _clean(asked: Question) -> str:
    return asked.evidence.clean.text if asked.evidence.clean else ""
