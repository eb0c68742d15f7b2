import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radsafe_bench.suites import Split, Suite, SuiteError
from radsafe_bench.suites.export import to_csv
from radsafe_bench.suites.model import LABELS
from radsafe_bench.suites.official import import_official, read_rows


def official_row(number: int, options: int = 5) -> dict[str, Any]:
    """One record as the authors' merged JSON has it."""
    texts = {letter: f"choice {letter} of {number}" for letter in "ABCDE"[:options]}
    return {
        "question_id": number,
        "question_text": f"Stem {number}, which?",
        "options": texts,
        "answer_idx": "ABCD"[number % 4],
        "subspecialty": "Neuroradiology",
        "question_type": "Management",
        "evidence_clean": f"Clean {number}.",
        "evidence_conflict": f"Conflict {number}.",
        "deep_research_report": f"Report {number}.",
        **{
            f"option_{place}_{label}": (number + place) % 2 if place <= options else ""
            for place in range(1, 6)
            for label in LABELS
        },
    }


def official_csv(folder: Path, rows: list[dict[str, Any]] | None = None) -> Path:
    """Write a file in the form of the official CSV, with options as JSON in a cell."""
    rows = [official_row(number, 4 + number % 2) for number in range(1, 9)] if rows is None else rows
    cells = [{**row, "options": orjson.dumps(row["options"]).decode()} for row in rows]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(cells[0]))
    writer.writeheader()
    writer.writerows(cells)
    path = folder / "radsafe.csv"
    path.write_text(out.getvalue(), encoding="utf-8-sig", newline="")
    return path


def as_json(folder: Path, rows: Any, name: str = "merged.json") -> Path:
    path = folder / name
    path.write_bytes(orjson.dumps(rows))
    return path


def check_first(suite: Suite) -> None:
    """See that the first record arrived with all of its fields."""
    question = suite.question("1")
    assert question.stem == "Stem 1, which?"
    assert [option.text for option in question.options] == [f"choice {letter} of 1" for letter in "ABCDE"]
    assert question.correct.letter == "B"
    assert question.option("A").labels == ()
    assert question.option("B").labels == LABELS
    assert question.evidence.clean is not None
    assert question.evidence.clean.text == "Clean 1."
    assert question.evidence.conflict is not None
    assert question.evidence.conflict.text == "Conflict 1."
    assert question.evidence.report == "Report 1."
    assert question.split is None


def test_the_official_csv_is_read_whole(tmp_path: Path) -> None:
    """Every field of the published CSV reaches the suite."""
    suite, report = import_official(official_csv(tmp_path), tmp_path / "out")

    check_first(suite)
    assert len(suite.question("2").options) == 4
    assert (report.rows, report.imported) == (8, 8)
    assert report.missing == ()
    assert report.problems == ()
    assert suite.info.imported_from is not None
    assert suite.info.imported_from.startswith("radsafe.csv sha256:")
    assert suite.notice.startswith("Imported from a file in the form of RadSaFE-200")


def test_the_merged_json_is_read_with_its_metadata(tmp_path: Path) -> None:
    """Evidence may stand in a `metadata` object, as in the authors' inference code."""
    row = official_row(1)
    keys = ("evidence_clean", "evidence_conflict", "deep_research_report")
    nested = {key: value for key, value in row.items() if key not in keys}
    nested["metadata"] = {key: row[key] for key in keys}

    suite, report = import_official(as_json(tmp_path, [nested]), tmp_path / "out")

    check_first(suite)
    assert report.unused == ()


def test_json_lines_are_read(tmp_path: Path) -> None:
    """The authors' data sets also come as one record a line."""
    path = tmp_path / "unified.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(official_row(number)) for number in (1, 2)) + b"\n\n")

    suite, _ = import_official(path, tmp_path / "out")

    check_first(suite)


@pytest.mark.parametrize(
    "variant",
    [
        {"options": str(official_row(1)["options"])},
        {"options": list(official_row(1)["options"].values())},
        {"options": {str(n): f"choice {letter} of 1" for n, letter in enumerate("ABCDE", start=1)}},
        {"options": None, **{f"option_{n}": f"choice {letter} of 1" for n, letter in enumerate("ABCDE", 1)}},
        {"options": None, **{f"Option {letter}": f"choice {letter} of 1" for letter in "ABCDE"}},
        {"answer_idx": "(b)"},
        {"answer_idx": "Option B."},
        {"answer_idx": 2},
        {"answer_idx": "2.0"},
        {"answer_idx": "Choice B of 1"},
        {"option_2_unsafe": "1.0", "option_2_high_risk": "TRUE", "option_1_unsafe": None},
    ],
)
def test_known_variants_mean_the_same(tmp_path: Path, variant: dict[str, Any]) -> None:
    """Options and answers written in the usual other ways are read as the same question."""
    row = {key: value for key, value in (official_row(1) | variant).items() if value is not None}
    row.setdefault("option_1_unsafe", "")

    suite, _ = import_official(as_json(tmp_path, [row]), tmp_path / "out")

    check_first(suite)


def test_positions_that_begin_at_zero_are_recognised(tmp_path: Path) -> None:
    """One answer 0 shows how a file counts, and the report says so."""
    rows = [official_row(1) | {"answer_idx": 1}, official_row(2) | {"answer_idx": 0}]

    suite, report = import_official(as_json(tmp_path, rows), tmp_path / "out")

    assert [question.correct.letter for question in suite.questions] == ["B", "A"]
    assert any("begin at 0" in note for note in report.notes)


def test_names_are_mapped_by_hand(tmp_path: Path) -> None:
    """`--map stem=Frage` reads a column that no one could guess."""
    row = official_row(1)
    row["Frage"] = row.pop("question_text")
    path = as_json(tmp_path, [row])

    with pytest.raises(SuiteError, match=r"no column for stem; .* Frage"):
        import_official(path, tmp_path / "out")
    suite, report = import_official(path, tmp_path / "out", columns={"stem": "Frage"})

    check_first(suite)
    assert report.mapped["stem"] == "Frage"


def test_what_could_not_be_mapped_is_reported(tmp_path: Path) -> None:
    """The user sees which fields stayed empty, which columns were not read and what was guessed."""
    row = official_row(1) | {"difficulty": 3, "question_text": "All are true EXCEPT?", "option_1_unsafe": ""}
    del row["evidence_conflict"]

    suite, report = import_official(as_json(tmp_path, [row]), tmp_path / "out")

    assert report.missing == ("evidence_conflict",)
    assert report.unused == ("difficulty",)
    assert report.notes == (
        "1 stems read as negated, by EXCEPT, NOT or LEAST in capitals",
        "1 empty labels read as 0",
    )
    assert suite.questions[0].negated
    assert suite.questions[0].evidence.conflict is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"answer_idx": "E"}, "row 2: the correct answer names no option"),
        ({"option_1_unsafe": "maybe"}, "row 2: unsafe_A is neither 0 nor 1"),
        ({"options": "A or B"}, "row 2: the options are neither JSON nor a literal"),
        ({"options": {"A": "a", "C": "c"}}, "row 2: the correct answer names no option"),
        (
            {"options": {"A": "a", "B": "", "C": "c", "D": "d"}, "answer_idx": "A"},
            "row 2: the options' letters",
        ),
        ({"question_text": ""}, "row 2: no stem"),
        ({"question_id": 1}, "row 2: question id 1 occurs twice"),
    ],
)
def test_a_row_that_does_not_fit_stops_the_import(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    """A suite with silently missing questions is never written; leaving rows out is a choice."""
    bad = official_row(5, options=4) | change
    path = as_json(tmp_path, [official_row(1), bad])

    with pytest.raises(SuiteError) as caught:
        import_official(path, tmp_path / "out")
    assert caught.value.problems[0].startswith(problem)
    assert not (tmp_path / "out").exists()

    suite, report = import_official(path, tmp_path / "out", skip_bad_rows=True)
    assert [question.id for question in suite.questions] == ["1"]
    assert report.problems == caught.value.problems


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    """Without label columns every safety rate would read 0, so nothing is imported."""
    row = {key: value for key, value in official_row(1).items() if not key.endswith("_unsafe")}

    with pytest.raises(SuiteError, match="no columns for the labels unsafe_A, unsafe_B"):
        import_official(as_json(tmp_path, [row]), tmp_path / "out")


def test_a_split_is_dealt_on_request(tmp_path: Path) -> None:
    """The official file can be calibrated and certified on, with the same split for the same seed."""
    path = official_csv(tmp_path, [official_row(number) for number in range(1, 21)])

    first, _ = import_official(path, tmp_path / "first", split_seed=5)
    again, _ = import_official(path, tmp_path / "again", split_seed=5)

    assert len(first.split(Split.CALIBRATION)) == 8
    assert len(first.split(Split.CERTIFICATION)) == 12
    assert first.digest == again.digest


def test_an_exported_suite_imports_as_the_same_questions(small: Suite, tmp_path: Path) -> None:
    """Export and import agree on every text and label."""
    path = tmp_path / "export.csv"
    path.write_text(to_csv(small), encoding="utf-8", newline="")

    suite, report = import_official(path, tmp_path / "out")

    assert report.unused == ("suite", "notice")
    for ours, read in zip(small.questions, suite.questions, strict=True):
        assert (read.id, read.stem, read.subspecialty, read.question_type, read.negated) == (
            ours.id,
            ours.stem,
            ours.subspecialty,
            ours.question_type,
            ours.negated,
        )
        assert [(item.text, item.correct, item.labels) for item in read.options] == [
            (item.text, item.correct, item.labels) for item in ours.options
        ]
        assert read.evidence.clean is not None
        assert ours.evidence.clean is not None
        assert read.evidence.clean.text == ours.evidence.clean.text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("table.xlsx", b"PK"),
        ("empty.csv", b""),
        ("empty.json", b"[]"),
        ("object.json", b"{}"),
        ("broken.json", b"[{"),
        ("latin.csv", "question_text\nnäh".encode("latin-1")),
        ("numbers.jsonl", b"1\n2\n"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, data: bytes) -> None:
    """A wrong file ends in a message with its name."""
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(SuiteError, match=name):
        read_rows(path)


_scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=20)
_values = (
    _scalars | st.dictionaries(st.text(max_size=3), _scalars, max_size=6) | st.lists(_scalars, max_size=6)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.dictionaries(st.sampled_from(sorted(official_row(1))), _values, max_size=6))
def test_no_record_brings_the_import_down(tmp_path: Path, damage: dict[str, Any]) -> None:
    """Whatever a record holds, it is imported or reported, never a crash."""
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    path = as_json(folder, [official_row(1), official_row(2) | damage])
    try:
        suite, report = import_official(path, folder / "out", skip_bad_rows=True)
    except SuiteError:
        return
    assert len(suite.questions) + len(report.problems) == 2
    assert suite.question("1").correct.letter == "B"
