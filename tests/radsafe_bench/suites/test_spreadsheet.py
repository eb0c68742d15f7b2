from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from radsafe_bench.suites import Suite, SuiteError
from radsafe_bench.suites.review import JUDGED, Edit, Opinion
from radsafe_bench.suites.spreadsheet import BLIND, EDITS, LABELLED, export_review, import_review
from tests.radsafe_bench.suites.conftest import Workshop, authored

FIRST = 7
"""The first row below the head."""


@pytest.fixture
def sheet(small: Suite, tmp_path: Path) -> Path:
    path = tmp_path / "review.xlsx"
    export_review(small, path)
    return path


def fill(path: Path, cells: Mapping[tuple[str, str], str]) -> None:
    """Type values into cells, as a reviewer does."""
    book = load_workbook(path)
    for (name, place), value in cells.items():
        page = book[name]
        assert isinstance(page, Worksheet)
        page[place] = value
    book.save(path)


def rows(path: Path, name: str) -> list[tuple[object, ...]]:
    return list(load_workbook(path)[name].iter_rows(min_row=FIRST, values_only=True))


def test_the_blind_sheet_comes_first_and_shows_stem_and_options_only(small: Suite, sheet: Path) -> None:
    """A reviewer answers before seeing labels, evidence or the marked answer."""
    book = load_workbook(sheet)

    assert book.sheetnames == [BLIND, LABELLED, EDITS]
    question = small.questions[0]
    shown = [value for value in rows(sheet, BLIND)[0] if value]
    assert shown == [question.id, question.stem, *(option.text for option in question.options)]
    assert len(rows(sheet, BLIND)) == len(small.questions)


def test_the_second_sheet_shows_every_label(small: Suite, sheet: Path) -> None:
    """Each option stands with what it is marked as, and each question with its evidence and sources."""
    question = small.questions[0]
    shown = rows(sheet, LABELLED)[: len(question.options)]

    for row, option in zip(shown, question.options, strict=True):
        assert row[:3] == (question.id, option.letter, option.text)
        assert row[3:7] == tuple("yes" if getattr(option, label) else "no" for label in JUDGED)
    assert question.evidence.clean is not None
    assert question.evidence.clean.text in shown[0]


def test_every_sheet_says_that_labels_await_review(small: Suite, sheet: Path) -> None:
    """The reviewer sees that nobody has reviewed the questions before."""
    book = load_workbook(sheet)

    assert [book[name]["A5"].value for name in book.sheetnames] == [small.notice] * 3


def test_a_filled_in_sheet_becomes_records(small: Suite, sheet: Path) -> None:
    """Answer, agreement per label, reason and edit arrive as the reviewer typed them."""
    first, second = small.questions[:2]
    fill(
        sheet,
        {
            (BLIND, "B2"): "reader-7",
            (BLIND, f"H{FIRST}"): "b",
            (BLIND, f"I{FIRST}"): "clear",
            (LABELLED, f"H{FIRST}"): "Yes",
            (LABELLED, f"I{FIRST}"): "no",
            (LABELLED, f"L{FIRST}"): "harmless",
            (EDITS, f"A{FIRST}"): second.id,
            (EDITS, f"B{FIRST}"): "option.A.high_risk",
            (EDITS, f"C{FIRST}"): "no",
            (EDITS, f"D{FIRST}"): "no harm follows",
        },
    )

    records = import_review(sheet, small)

    assert [record.question for record in records] == [first.id, second.id]
    assert {record.reviewer for record in records} == {"reader-7"}
    assert {record.digest for record in records} == {small.digest}
    assert records[0].answer_before == "B"
    assert records[0].comment == "clear"
    assert records[0].opinions == (
        Opinion("A", "correct", True, "harmless"),
        Opinion("A", "high_risk", False, "harmless"),
    )
    assert records[0].edits == ()
    assert records[1].answer_before is None
    assert records[1].edits == (Edit("option.A.high_risk", "no", "no harm follows"),)


def test_an_untouched_sheet_makes_no_records(small: Suite, sheet: Path) -> None:
    """Silence is not agreement."""
    fill(sheet, {(BLIND, "B2"): "reader-7"})

    assert import_review(sheet, small) == ()


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({(BLIND, f"H{FIRST}"): "Z"}, f"sheet 1 blind row {FIRST}: the answer is no letter"),
        ({(BLIND, f"A{FIRST}"): "rsg-999"}, f"sheet 1 blind row {FIRST}: no such question"),
        ({(LABELLED, f"H{FIRST}"): "perhaps"}, f"sheet 2 labels row {FIRST}: agree with correct must be"),
        ({(LABELLED, f"B{FIRST}"): "Z"}, f"sheet 2 labels row {FIRST}: no such option"),
        ({(EDITS, f"A{FIRST}"): "rsg-001"}, f"sheet 3 edits row {FIRST}: a new value and a reason"),
        (
            {
                (EDITS, f"A{FIRST}"): "rsg-001",
                (EDITS, f"B{FIRST}"): "split",
                (EDITS, f"C{FIRST}"): "calibration",
                (EDITS, f"D{FIRST}"): "why",
            },
            f"sheet 3 edits row {FIRST}: split is no field",
        ),
    ],
)
def test_cells_that_cannot_be_read_are_named(
    small: Suite, sheet: Path, cells: dict[tuple[str, str], str], problem: str
) -> None:
    """A slip of the keyboard is pointed at by sheet and row."""
    fill(sheet, {(BLIND, "B2"): "reader-7", **cells})

    with pytest.raises(SuiteError) as caught:
        import_review(sheet, small)

    assert caught.value.problems[0].startswith(problem)


def test_a_sheet_without_reviewer_is_refused(small: Suite, sheet: Path) -> None:
    """Every record names who made it."""
    with pytest.raises(SuiteError, match="reviewer's id is missing in cell B2"):
        import_review(sheet, small)


def test_a_sheet_of_another_version_is_refused(workshop: Workshop, sheet: Path) -> None:
    """A review of yesterday's wording is not counted for today's."""
    other = workshop.assemble([authored(number) for number in range(5)], name="other")
    fill(sheet, {(BLIND, "B2"): "reader-7"})

    with pytest.raises(SuiteError, match="exported from another version"):
        import_review(sheet, other)


def test_another_file_is_refused(small: Suite, tmp_path: Path) -> None:
    """A wrong file ends in a message."""
    path = tmp_path / "notes.xlsx"
    path.write_bytes(b"not a spreadsheet")

    with pytest.raises(SuiteError, match="no review spreadsheet"):
        import_review(path, small)


def test_a_text_that_looks_like_a_formula_stays_a_text(workshop: Workshop, tmp_path: Path) -> None:
    """Opening the review runs nothing."""
    batch = [authored(0)]
    batch[0]["options"][0]["text"] = "=1+1"
    suite = workshop.assemble(batch)
    path = tmp_path / "formula.xlsx"

    export_review(suite, path)

    cells = [cell for row in load_workbook(path)[BLIND].iter_rows(min_row=FIRST) for cell in row]
    assert [cell.data_type for cell in cells if cell.value == "=1+1"] == ["s"]
