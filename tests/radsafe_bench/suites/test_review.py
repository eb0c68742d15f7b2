from dataclasses import replace
from pathlib import Path

import pytest

from radsafe_bench.suites import PassageKind, Question, ReviewStatus, Suite, SuiteError
from radsafe_bench.suites.review import (
    JUDGED,
    RECORDS,
    Change,
    Edit,
    Opinion,
    ReviewRecord,
    cut_version,
)
from radsafe_bench.suites.store import read_lines


def agreeing(suite: Suite, question: Question, reviewer: str) -> ReviewRecord:
    """Answered as marked, and agrees with every label of every option."""
    return ReviewRecord(
        reviewer=reviewer,
        digest=suite.digest,
        question=question.id,
        answer_before=question.correct.letter,
        opinions=tuple(Opinion(letter, label, True) for letter in question.letters for label in JUDGED),
    )


def editing(suite: Suite, question: Question, field: str, value: str, reviewer: str = "r1") -> ReviewRecord:
    return ReviewRecord(reviewer, suite.digest, question.id, None, edits=(Edit(field, value, "because"),))


def test_the_frozen_suite_stays_as_it_is(small: Suite, tmp_path: Path) -> None:
    """A new version is a new directory that names the one it was cut from."""
    before = (small.path / "questions.jsonl").read_bytes()
    record = editing(small, small.questions[0], "stem", "A clearer stem?")

    cut, changes = cut_version(small, [record], tmp_path / "cut", version="0.2.0")

    assert (small.path / "questions.jsonl").read_bytes() == before
    assert cut.version == "0.2.0"
    assert cut.info.previous is not None
    assert (cut.info.previous.version, cut.info.previous.digest) == ("0.1.0", small.digest)
    assert changes == (
        Change("rsg-001", "stem", small.questions[0].stem, "A clearer stem?"),
        Change("rsg-001", "review", "draft by nobody", "in_review by r1"),
    )
    assert cut.questions[0].version == "0.2.0"
    assert cut.questions[1:] == small.questions[1:]
    assert read_lines(tmp_path / "cut" / RECORDS, ReviewRecord) == (record,)


def test_every_field_can_be_edited(small: Suite, tmp_path: Path) -> None:
    """Texts, labels, the correct letter and both evidence texts follow the reviewer's edits."""
    question = small.questions[0]
    other = question.wrong[0].letter
    flipped = "no" if question.option(other).unsafe else "yes"
    edits = {
        "correct": other,
        "evidence.clean": "New evidence.",
        "evidence.conflict": "New conflict.",
        f"option.{other}.text": "New text",
        f"option.{other}.rationale": "New rationale",
        f"option.{other}.unsafe": flipped,
    }
    record = ReviewRecord(
        "r1",
        small.digest,
        question.id,
        None,
        edits=tuple(Edit(field, value, "because") for field, value in edits.items()),
    )

    cut, changes = cut_version(small, [record], tmp_path / "cut", version="0.2.0")

    assert {change.field: change.after for change in changes if change.field != "review"} == edits
    edited = cut.questions[0]
    assert edited.correct.letter == other
    assert edited.option(other).text == "New text"
    assert edited.option(other).unsafe == (flipped == "yes")
    gold = [item for item in cut.corpus if item.question == question.id and item.kind is PassageKind.CLEAN]
    assert [passage.text for passage in gold] == ["New evidence."]


def test_two_agreeing_reviewers_make_a_question_reviewed(small: Suite, tmp_path: Path) -> None:
    """One reviewer is a beginning; two who answered as marked and agree with every label settle it."""
    both, one, edited = small.questions[:3]
    records = [
        agreeing(small, both, "r1"),
        agreeing(small, both, "r2"),
        agreeing(small, one, "r1"),
        agreeing(small, edited, "r1"),
        agreeing(small, edited, "r2"),
        editing(small, edited, "stem", "Another stem?", "r3"),
    ]

    cut, _ = cut_version(small, records, tmp_path / "cut", version="0.2.0")

    assert [question.review.status for question in cut.questions[:4]] == [
        ReviewStatus.REVIEWED,
        ReviewStatus.IN_REVIEW,
        ReviewStatus.IN_REVIEW,
        ReviewStatus.DRAFT,
    ]
    assert cut.questions[2].review.reviewers == ("r1", "r2", "r3")
    assert cut.info.review is ReviewStatus.IN_REVIEW
    assert "Of 40 questions 3 have been read by at least one reviewer and 1 are reviewed" in cut.notice


def test_all_questions_reviewed_make_a_reviewed_suite(small: Suite, tmp_path: Path) -> None:
    """The suite's status follows from its questions'."""
    records = [agreeing(small, question, name) for question in small.questions for name in ("r1", "r2")]

    cut, _ = cut_version(small, records, tmp_path / "cut", version="1.0.0")

    assert cut.info.review is ReviewStatus.REVIEWED


@pytest.mark.parametrize("missing", ["answer", "opinion", "agreement"])
def test_less_than_full_agreement_does_not_settle_a_question(
    small: Suite, tmp_path: Path, missing: str
) -> None:
    """A wrong blind answer, a label left blank or one disagreement keeps a question in review."""
    question = small.questions[0]
    full = agreeing(small, question, "r2")
    partial = {
        "answer": replace(full, answer_before=question.wrong[0].letter),
        "opinion": replace(full, opinions=full.opinions[1:]),
        "agreement": replace(full, opinions=(replace(full.opinions[0], agrees=False), *full.opinions[1:])),
    }[missing]

    cut, _ = cut_version(small, [agreeing(small, question, "r1"), partial], tmp_path / "cut", version="0.2.0")

    assert cut.questions[0].review.status is ReviewStatus.IN_REVIEW


def test_records_that_cannot_be_applied_are_all_named(small: Suite, tmp_path: Path) -> None:
    """Reviewers who contradict each other, or reviewed something else, are sorted out by people."""
    question = next(item for item in small.questions if len(item.options) == 4)
    records = [
        editing(small, question, "stem", "One?", "r1"),
        editing(small, question, "stem", "Two?", "r2"),
        editing(small, question, "option.E.text", "there is no E", "r1"),
        editing(small, question, "correct", "E", "r1"),
        replace(editing(small, question, "stem", "One?", "r3"), digest="sha256:other"),
    ]

    with pytest.raises(SuiteError) as caught:
        cut_version(small, records, tmp_path / "cut", version="0.2.0")

    assert caught.value.problems == (
        f"{question.id}: reviewers propose different values for stem",
        f"{question.id}: option.E.text names an option that the question does not have",
        f"{question.id}: correct names an option that the question does not have",
        f"r3, {question.id}: not of this version of the suite",
    )
    assert not (tmp_path / "cut").exists()


def test_a_version_is_never_changed(small: Suite, tmp_path: Path) -> None:
    """The same version name cannot stand for two contents."""
    with pytest.raises(SuiteError, match=r"already has a version 0.1.0"):
        cut_version(small, [], tmp_path / "cut", version="0.1.0")


def test_records_of_earlier_versions_are_kept(small: Suite, tmp_path: Path) -> None:
    """Every record that led to a version can be read beside it."""
    first, _ = cut_version(
        small, [editing(small, small.questions[0], "stem", "One?")], tmp_path / "first", version="0.2.0"
    )
    second, _ = cut_version(
        first, [editing(first, first.questions[0], "stem", "Two?")], tmp_path / "second", version="0.3.0"
    )

    assert [record.edits[0].value for record in read_lines(second.path / RECORDS, ReviewRecord)] == [
        "One?",
        "Two?",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("split", "calibration"), ("option.A.unsafe", "perhaps"), ("correct", "a"), ("id", "x")],
)
def test_only_known_fields_and_values_can_be_edited(field: str, value: str) -> None:
    """A review cannot change what reviewers do not judge."""
    with pytest.raises(ValueError, match=field):
        Edit(field, value, "because")
