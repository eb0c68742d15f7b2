from pathlib import Path
from shutil import copytree

import orjson
import pytest

from radsafe_bench.suites import Suite, SuiteError, load_suite
from radsafe_bench.suites.model import Question
from radsafe_bench.suites.store import SuiteContent, digest, to_lines, write_suite


@pytest.fixture
def copied(small: Suite, tmp_path: Path) -> Path:
    return copytree(small.path, tmp_path / "copy")


def rewrite(path: Path, number: int, **changes: object) -> None:
    """Change keys of one line of a JSON-lines file."""
    lines = path.read_bytes().splitlines()
    lines[number] = orjson.dumps({**orjson.loads(lines[number]), **changes})
    path.write_bytes(b"\n".join(lines))


def test_a_suite_loads_as_it_was_written(small: Suite, copied: Path) -> None:
    """Loading gives back every question, passage, pair sentence and reading."""
    loaded = load_suite(copied)

    assert loaded.questions == small.questions
    assert loaded.corpus == small.corpus
    assert loaded.pair_sources == small.pair_sources
    assert loaded.readings == small.readings
    assert load_suite(copied / "suite.json").digest == small.digest


def test_an_edited_suite_is_refused(copied: Path) -> None:
    """A frozen suite cannot be changed by editing its file."""
    rewrite(copied / "questions.jsonl", 3, stem="Another stem?")

    with pytest.raises(SuiteError, match=r"questions.jsonl: digest differs .* cut a new version"):
        load_suite(copied)


def test_the_digest_is_of_content_not_of_spacing() -> None:
    """Reformatting a file does not make it another suite."""
    assert digest(b'{"b":1,"a":2}\n\n') == digest(b'{ "a": 2, "b": 1 }')
    assert digest(b'{"a":2}') != digest(b'{"a":3}')


def test_every_line_that_breaks_the_schema_is_named(copied: Path) -> None:
    """One look at the message says which lines to repair, without their text."""
    rewrite(copied / "questions.jsonl", 0, colour="secret")
    rewrite(copied / "questions.jsonl", 4, negated="secret")
    rewrite(copied / "corpus.jsonl", 2, kind="secret")

    with pytest.raises(SuiteError) as caught:
        load_suite(copied)

    problems = caught.value.problems
    assert [problem.partition(": ")[0] for problem in problems[:3]] == [
        "questions.jsonl line 1",
        "questions.jsonl line 5",
        "corpus.jsonl line 3",
    ]
    assert "colour" in problems[0]
    assert "secret" not in str(caught.value)


def test_unreadable_and_missing_files_are_named(copied: Path) -> None:
    """A truncated download ends in a message, not in a traceback."""
    (copied / "corpus.jsonl").unlink()
    (copied / "questions.jsonl").write_bytes(b'{"id": ')

    with pytest.raises(SuiteError) as caught:
        load_suite(copied)

    assert any(problem.startswith("questions.jsonl line 1: ") for problem in caught.value.problems)
    assert any(problem.startswith("corpus.jsonl: missing") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"questions": 2}, "questions.jsonl: rsg-001 occurs 2 times"),
        ({"pair_sources": 2}, "pairs_source.jsonl: rsg-001 occurs 2 times"),
        ({"questions": 0}, "questions.jsonl: holds no question"),
    ],
)
def test_ids_that_do_not_fit_together_are_named(
    small: Suite, tmp_path: Path, changes: dict[str, int], problem: str
) -> None:
    """No run begins with a question that is there twice or that nothing names."""
    content = SuiteContent(
        questions=small.questions[:1] * changes.get("questions", 1),
        pair_sources=small.pair_sources[:1] * changes.get("pair_sources", 1),
    )

    with pytest.raises(SuiteError) as caught:
        write_suite(tmp_path / "new", small.info, content)

    assert problem in caught.value.problems


def test_a_passage_of_no_question_is_named(small: Suite, tmp_path: Path) -> None:
    """A retrieval corpus that belongs to another version is noticed."""
    foreign = next(passage for passage in small.corpus if passage.question == "rsg-002")

    with pytest.raises(SuiteError, match=r"corpus.jsonl: no question rsg-002"):
        write_suite(tmp_path / "new", small.info, SuiteContent(small.questions[:1], (foreign,)))


def test_an_unknown_name_says_what_to_give(tmp_path: Path) -> None:
    """A typing mistake in a suite's name is explained."""
    with pytest.raises(SuiteError, match="no suite radsafe300"):
        load_suite("radsafe300")
    (tmp_path / "suite.json").write_text("{}")
    with pytest.raises(SuiteError, match="name"):
        load_suite(tmp_path)


def test_nothing_is_written_over(small: Suite, copied: Path) -> None:
    """A suite directory is never overwritten by another suite."""
    before = (copied / "questions.jsonl").read_bytes()

    with pytest.raises(SuiteError, match="not empty"):
        write_suite(copied, small.info, SuiteContent(small.questions))

    assert (copied / "questions.jsonl").read_bytes() == before


def test_content_that_breaks_the_schema_leaves_nothing_behind(small: Suite, tmp_path: Path) -> None:
    """A failed write leaves no half-written suite for the next command to trip over."""
    question = small.questions[0]
    nameless = Question(
        id="",
        subspecialty="neuro",
        question_type="safety",
        stem="Which?",
        negated=False,
        options=question.options,
        evidence=question.evidence,
    )

    with pytest.raises(SuiteError, match=r"questions.jsonl line 1: id"):
        write_suite(tmp_path / "new", small.info, SuiteContent((nameless,)))

    assert list(tmp_path.iterdir()) == []


def test_lines_are_canonical(small: Suite) -> None:
    """The same content gives the same bytes, so that versions can be compared line by line."""
    line = to_lines(small.questions[:1])

    assert line == orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS) + b"\n"
