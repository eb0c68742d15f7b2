from collections import Counter
from pathlib import Path

import pytest

from radsafe_bench.suites import ReadingOutcome, ReviewStatus, Split, Suite, SuiteError
from radsafe_bench.suites.assemble import assemble
from radsafe_bench.suites.model import PassageKind
from tests.radsafe_bench.suites.conftest import Workshop, authored, write_lines


def test_two_hundred_questions_are_split_and_lettered_evenly(full: Suite) -> None:
    """80 calibrate and 120 certify; within 4 and 5 options every letter is right equally often."""
    assert [question.id for question in full.questions] == [f"rsg-{n:03d}" for n in range(1, 201)]
    assert len(full.split(Split.CALIBRATION)) == 80
    assert len(full.split(Split.CERTIFICATION)) == 120
    letters = Counter((len(item.options), item.correct.letter) for item in full.questions)
    assert {letters[4, letter] for letter in "ABCD"} == {20}
    assert {letters[5, letter] for letter in "ABCDE"} == {24}


def test_a_question_keeps_what_its_author_wrote(full: Suite) -> None:
    """Lettering moves options and changes nothing in them."""
    assert full.info.authored_as is not None
    for question in full.questions:
        source = authored(int(full.info.authored_as[question.id].removeprefix("made-")))
        options = {option["text"]: option for option in source["options"]}
        assert {option.text for option in question.options} == set(options)
        for option in question.options:
            assert option.correct == options[option.text]["correct"]
            assert option.labels == tuple(
                label for label in ("high_risk", "unsafe", "contradicts") if options[option.text][label]
            )
        assert question.stem == source["stem"]
        assert question.review.status is ReviewStatus.DRAFT


def test_the_same_seed_assembles_the_same_suite(workshop: Workshop) -> None:
    """A suite can be assembled again from its batches, in whatever order they come."""
    batch = [authored(number) for number in range(20)]

    first = workshop.assemble(batch, name="first")
    again = workshop.assemble(batch[::-1], name="again")
    other = workshop.assemble(batch, name="other", seed=8)

    assert first.info.digests["questions.jsonl"] == again.info.digests["questions.jsonl"]
    assert first.info.digests["corpus.jsonl"] == again.info.digests["corpus.jsonl"]
    assert first.digest != other.digest


def test_the_corpus_makes_retrieval_a_problem(small: Suite) -> None:
    """Each question has its clean evidence and four rivals, under ids that give nothing away."""
    for question in small.questions:
        own = [passage for passage in small.corpus if passage.question == question.id]
        assert Counter(passage.kind for passage in own) == {
            PassageKind.CLEAN: 1,
            PassageKind.INJECTED: 1,
            PassageKind.OLDER: 1,
            PassageKind.CONFLICTING: 1,
            PassageKind.RELATED: 1,
        }
        assert question.evidence.clean is not None
        assert [passage.text for passage in own if passage.kind is PassageKind.CLEAN] == [
            question.evidence.clean.text
        ]
    assert all(passage.id == f"psg-{number:04d}" for number, passage in enumerate(small.corpus, start=1))
    assert any(passage.kind is PassageKind.UNRELATED for passage in small.corpus)


def test_readings_follow_their_question_to_its_new_id(tmp_path: Path) -> None:
    """The review log names the suite's question, and the id by which its author knows it."""
    batch = write_lines(tmp_path / "batch.jsonl", [authored(0), authored(1)])
    entry = {"question": "made-001", "outcome": "changed", "reason": "a label", "reader": "second"}
    readings = write_lines(tmp_path / "readings.jsonl", [entry])

    suite = assemble([batch], tmp_path / "out", seed=1, name="made", version="1", readings=[readings])

    (reading,) = suite.readings
    assert reading.author_id == "made-001"
    assert suite.info.authored_as is not None
    assert suite.info.authored_as[reading.question] == "made-001"
    assert (reading.outcome, reading.reason) == (ReadingOutcome.CHANGED, "a label")


def test_a_reading_of_an_unknown_question_is_refused(tmp_path: Path) -> None:
    """A log that belongs to other batches is noticed."""
    batch = write_lines(tmp_path / "batch.jsonl", [authored(0)])
    readings = write_lines(tmp_path / "readings.jsonl", [{"question": "made-900", "outcome": "agreed"}])

    with pytest.raises(SuiteError, match=r"were not handed in:\n  made-900"):
        assemble([batch], tmp_path / "out", seed=1, name="made", version="1", readings=[readings])


def test_a_question_handed_in_twice_is_refused(tmp_path: Path) -> None:
    """Two batches that hold the same author id are not merged silently."""
    first = write_lines(tmp_path / "1.jsonl", [authored(0), authored(1)])
    second = write_lines(tmp_path / "2.jsonl", [authored(1)])

    with pytest.raises(SuiteError, match=r"handed in once:\n  made-001"):
        assemble([first, second], tmp_path / "out", seed=1, name="made", version="1")


def test_a_batch_line_that_does_not_fit_is_named(tmp_path: Path) -> None:
    """An author learns which line and which field to repair."""
    broken = authored(1)
    broken["options"] = broken["options"][:3]
    misspelt = authored(2) | {"hinge": "kidney"}
    batch = write_lines(tmp_path / "batch.jsonl", [authored(0), broken, misspelt])

    with pytest.raises(SuiteError) as caught:
        assemble([batch], tmp_path / "out", seed=1, name="made", version="1")

    assert caught.value.problems[0] == "batch.jsonl line 2: record: 4 or 5 options are needed, not 3"
    assert caught.value.problems[1].startswith("batch.jsonl line 3: hinge: ")
    assert not (tmp_path / "out").exists()
