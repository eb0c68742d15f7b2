"""A clinician's way in: records of what reviewers think, and the version that is cut from them.

Records never change a suite. `cut_version` makes a new one beside it and says what changed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import (
    LABELS,
    Ancestor,
    FromFile,
    Letter,
    Option,
    Passage,
    PassageKind,
    Question,
    Review,
    ReviewStatus,
    Suite,
    Text,
)
from radsafe_bench.suites.store import SuiteContent, to_lines, write_suite

RECORDS = "review_records.jsonl"
JUDGED = ("correct", *LABELS)
"""What a reviewer agrees or disagrees with, for each option."""

_OPTION_FIELD = re.compile(rf"option\.([A-E])\.(text|rationale|{'|'.join(LABELS)})")
_WHOLE_FIELDS = ("stem", "correct", "evidence.clean", "evidence.conflict")
_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Opinion(FromFile):
    """Whether a reviewer agrees with one label (of `JUDGED`) of one option, and why not."""

    option: Letter
    label: str
    agrees: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Edit(FromFile):
    """One field's new value.

    `field` is `stem`, `correct` (a letter), `evidence.clean`, `evidence.conflict`, or
    `option.B.text`, `option.B.rationale`, `option.B.high_risk` and the other labels (yes or no).
    Raises ValueError for another field or a value that the field cannot take.
    """

    field: Text
    value: Text
    reason: Text

    def __post_init__(self) -> None:
        match = _OPTION_FIELD.fullmatch(self.field)
        if match is None and self.field not in _WHOLE_FIELDS:
            raise ValueError(f"{self.field} is no field that can be edited")
        if match and match[2] in LABELS and self.value.lower() not in _YES_NO:
            raise ValueError(f"{self.field} must be yes or no")
        if self.field == "correct" and not re.fullmatch("[A-E]", self.value):
            raise ValueError("correct must be a letter")


@dataclass(frozen=True, slots=True)
class ReviewRecord(FromFile):
    """What one reviewer said of one question of one suite version (`digest`).

    `answer_before` is the letter chosen before labels and evidence were seen, None where none was.
    """

    reviewer: Text
    digest: Text
    question: Text
    answer_before: Letter | None
    comment: str = ""
    opinions: tuple[Opinion, ...] = ()
    edits: tuple[Edit, ...] = ()

    def agrees_fully(self, question: Question) -> bool:
        """Whether the reviewer answered as marked and agrees with every label of every option."""
        judged = {(opinion.option, opinion.label) for opinion in self.opinions if opinion.agrees}
        return self.answer_before == question.correct.letter and judged == {
            (letter, label) for letter in question.letters for label in JUDGED
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one question that differs between two versions."""

    question: str
    field: str
    before: str
    after: str


def cut_version(
    suite: Suite, records: Sequence[ReviewRecord], out: Path, *, version: str, reviewers_needed: int = 2
) -> tuple[Suite, tuple[Change, ...]]:
    """Write a new version of a suite with the records' edits, load it, and return what changed.

    A question is `reviewed` when at least `reviewers_needed` reviewers answered it as marked, agree
    with every label, and nobody edited it in this cut; an edited question is `in_review` until it has
    been read again as it now stands.

    Raises SuiteError when records belong to another version, name unknown questions or options,
    propose different values for one field, or `version` is the present one.
    """
    if version == suite.version:
        raise SuiteError(f"{suite.name} already has a version {version}; a version is never changed")
    edits = _agreed_edits(suite, records)
    by_question = defaultdict(list)
    for record in records:
        by_question[record.question].append(record)
    questions = tuple(
        _reviewed(question, by_question[question.id], edits.get(question.id, {}), version, reviewers_needed)
        for question in suite.questions
    )
    info = replace(
        suite.info,
        version=version,
        review=_overall(questions),
        previous=Ancestor(suite.version, suite.digest),
    )
    content = SuiteContent(questions, _corpus(suite.corpus, questions), suite.pair_sources, suite.readings)
    cut = write_suite(out, info, content)
    earlier = suite.path / RECORDS
    (out / RECORDS).write_bytes((earlier.read_bytes() if earlier.exists() else b"") + to_lines(records))
    return cut, tuple(_changes(suite.questions, questions))


def _agreed_edits(suite: Suite, records: Iterable[ReviewRecord]) -> dict[str, dict[str, str]]:
    """Check that records fit the suite, and return the new values by question and field."""
    known = {question.id: question for question in suite.questions}
    problems: list[str] = []
    edits: dict[str, dict[str, str]] = defaultdict(dict)
    for record in records:
        question = known.get(record.question)
        if record.digest != suite.digest or question is None:
            problems.append(f"{record.reviewer}, {record.question}: not of this version of the suite")
            continue
        for edit in record.edits:
            if not _fits(question, edit):
                problems.append(
                    f"{question.id}: {edit.field} names an option that the question does not have"
                )
            elif edits[question.id].setdefault(edit.field, edit.value) != edit.value:
                problems.append(f"{question.id}: reviewers propose different values for {edit.field}")
    if problems:
        raise SuiteError("the records cannot be applied:", problems)
    return edits


def _fits(question: Question, edit: Edit) -> bool:
    match = _OPTION_FIELD.fullmatch(edit.field)
    letter = match[1] if match else edit.value if edit.field == "correct" else None
    return letter is None or letter in question.letters


def _reviewed(
    question: Question,
    records: Sequence[ReviewRecord],
    edits: Mapping[str, str],
    version: str,
    reviewers_needed: int,
) -> Question:
    if not records:
        return question
    edited = _with_edits(question, edits)
    agreeing = {record.reviewer for record in records if record.agrees_fully(question)}
    if edited != question:
        status = ReviewStatus.IN_REVIEW
    elif len(agreeing) >= reviewers_needed or question.review.status is ReviewStatus.REVIEWED:
        status = ReviewStatus.REVIEWED
    else:
        status = ReviewStatus.IN_REVIEW
    reviewers = sorted({*question.review.reviewers, *(record.reviewer for record in records)})
    return replace(
        edited,
        review=Review(status, tuple(reviewers)),
        version=question.version if edited == question else version,
    )


def _with_edits(question: Question, edits: Mapping[str, str]) -> Question:
    evidence = question.evidence
    if (text := edits.get("evidence.clean")) and evidence.clean:
        evidence = replace(evidence, clean=replace(evidence.clean, text=text))
    if (text := edits.get("evidence.conflict")) and evidence.conflict:
        evidence = replace(evidence, conflict=replace(evidence.conflict, text=text))
    correct = edits.get("correct", question.correct.letter)
    return replace(
        question,
        stem=edits.get("stem", question.stem),
        evidence=evidence,
        options=tuple(_with_option_edits(option, correct, edits) for option in question.options),
    )


def _with_option_edits(option: Option, correct: str, edits: Mapping[str, str]) -> Option:
    prefix = f"option.{option.letter}."
    values = {name.removeprefix(prefix): value for name, value in edits.items() if name.startswith(prefix)}
    flags = {name: _YES_NO[values[name].lower()] for name in LABELS if name in values}
    return replace(
        option,
        text=values.get("text", option.text),
        rationale=values.get("rationale", option.rationale),
        correct=option.letter == correct,
        high_risk=flags.get("high_risk", option.high_risk),
        unsafe=flags.get("unsafe", option.unsafe),
        contradicts=flags.get("contradicts", option.contradicts),
    )


def _overall(questions: Sequence[Question]) -> ReviewStatus:
    statuses = {question.review.status for question in questions}
    return statuses.pop() if len(statuses) == 1 else ReviewStatus.IN_REVIEW


def _corpus(corpus: Iterable[Passage], questions: Iterable[Question]) -> tuple[Passage, ...]:
    """Keep the clean passages of the corpus equal to the clean evidence."""
    clean = {question.id: question.evidence.clean.text for question in questions if question.evidence.clean}
    return tuple(
        replace(passage, text=clean[passage.question])
        if passage.kind is PassageKind.CLEAN and passage.question in clean
        else passage
        for passage in corpus
    )


def _changes(before: Sequence[Question], after: Sequence[Question]) -> Iterable[Change]:
    for old, new in zip(before, after, strict=True):
        then, now = _fields(old), _fields(new)
        for name, value in now.items():
            if then[name] != value:
                yield Change(new.id, name, then[name], value)


def _fields(question: Question) -> dict[str, str]:
    """Everything of a question that a version can change, as text by field name."""
    evidence = question.evidence
    fields = {
        "stem": question.stem,
        "correct": question.correct.letter,
        "evidence.clean": evidence.clean.text if evidence.clean else "",
        "evidence.conflict": evidence.conflict.text if evidence.conflict else "",
        "review": f"{question.review.status} by {', '.join(question.review.reviewers) or 'nobody'}",
    }
    for option in question.options:
        fields[f"option.{option.letter}.text"] = option.text
        fields[f"option.{option.letter}.rationale"] = option.rationale
        for label in LABELS:
            fields[f"option.{option.letter}.{label}"] = "yes" if getattr(option, label) else "no"
    return fields
