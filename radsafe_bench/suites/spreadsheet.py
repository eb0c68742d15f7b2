"""The review spreadsheet: blind sheet first, labels second, edits third.

The file carries the suite's digest, so that a review can only be read back into records of the very
version that was reviewed.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import LETTERS, Option, Question, Suite
from radsafe_bench.suites.review import JUDGED, Edit, Opinion, ReviewRecord

BLIND, LABELLED, EDITS = "1 blind", "2 labels", "3 edits"
MAX_BYTES = 32 * 1024 * 1024
MAX_ROWS = 20_000

_REVIEWER_ROW, _DIGEST_ROW, _HEAD_ROW = 2, 4, 6
_BLIND_HEAD = ("question", "stem", *LETTERS, "your answer", "comment")
_LABEL_HEAD = (
    "question",
    "option",
    "text",
    *(f"marked {label}" for label in JUDGED),
    *(f"agree with {label}" for label in JUDGED),
    "reason",
    "rationale",
    "stem",
    "clean evidence",
    "conflict evidence",
    "sources",
)
_EDIT_HEAD = ("question", "field", "new value", "reason")
_HOW_TO = {
    BLIND: "Write your id in B2. Answer every question here before you open the second sheet.",
    LABELLED: "Say yes or no to each label. Where you say no, give a reason, and an edit on the third sheet.",
    EDITS: (
        "Fields: stem, correct, evidence.clean, evidence.conflict, option.B.text, option.B.rationale, "
        "option.B.high_risk, option.B.unsafe, option.B.contradicts (labels: yes or no)."
    ),
}


def export_review(suite: Suite, path: Path) -> None:
    """Write the spreadsheet that one clinician fills in."""
    book = Workbook()
    book.remove(book.worksheets[0])
    blind = _sheet(book, BLIND, suite, _BLIND_HEAD, widths={2: 70, 8: 12, 9: 40})
    labelled = _sheet(
        book, LABELLED, suite, _LABEL_HEAD, widths={3: 50, 12: 40, 13: 50, 14: 60, 15: 80, 16: 80}
    )
    edits = _sheet(book, EDITS, suite, _EDIT_HEAD, widths={2: 25, 3: 80, 4: 40})
    for question in suite.questions:
        texts = {option.letter: option.text for option in question.options}
        _append(blind, (question.id, question.stem, *(texts.get(letter, "") for letter in LETTERS)))
        for position, option in enumerate(question.options):
            _append(labelled, _label_row(question, option, first=position == 0))
    _choices(blind, LETTERS, "H")
    _choices(labelled, ("yes", "no"), "H", "K")
    edits.freeze_panes = blind.freeze_panes = f"C{_HEAD_ROW + 1}"
    labelled.freeze_panes = f"D{_HEAD_ROW + 1}"
    book.save(path)


def import_review(path: Path, suite: Suite) -> tuple[ReviewRecord, ...]:
    """Read a filled-in spreadsheet back as records, one per question that the reviewer touched.

    Raises SuiteError, naming sheet and row, when the file is no such spreadsheet, is of another
    version of the suite, has no reviewer id, or holds a value that cannot be read.
    """
    sheets = _read_sheets(path)
    reviewer = _cell(sheets[BLIND], _REVIEWER_ROW, 2)
    if not reviewer:
        raise SuiteError(f"{path}: the reviewer's id is missing in cell B{_REVIEWER_ROW} of sheet {BLIND}")
    if _cell(sheets[BLIND], _DIGEST_ROW, 2) != suite.digest:
        raise SuiteError(f"{path}: was exported from another version than {suite.name} {suite.version}")
    problems: list[str] = []
    answers = _answers(sheets[BLIND], suite, problems)
    opinions = _opinions(sheets[LABELLED], suite, problems)
    edits = _edits(sheets[EDITS], suite, problems)
    if problems:
        raise SuiteError(f"{path} cannot be read:", problems)
    return tuple(
        ReviewRecord(
            reviewer=reviewer,
            digest=suite.digest,
            question=question.id,
            answer_before=answers[question.id][0] or None,
            comment=answers[question.id][1],
            opinions=tuple(opinions[question.id]),
            edits=tuple(edits[question.id]),
        )
        for question in suite.questions
        if any(answers[question.id]) or opinions[question.id] or edits[question.id]
    )


Rows = Sequence[Sequence[str]]


def _sheet(
    book: Workbook, title: str, suite: Suite, head: Sequence[str], widths: dict[int, int]
) -> Worksheet:
    sheet: Worksheet = book.create_sheet(title)
    for row in (
        (_HOW_TO[title],),
        ("reviewer id", ""),
        ("suite", f"{suite.name} {suite.version}"),
        ("digest", suite.digest),
        (suite.notice,),
        head,
    ):
        _append(sheet, row)
    for number in (1, _HEAD_ROW):
        for cell in sheet[number]:
            cell.font = Font(bold=True)
    for column in range(1, len(head) + 1):
        sheet.column_dimensions[get_column_letter(column)].width = widths.get(column, 14)
    return sheet


def _append(sheet: Worksheet, values: Sequence[str]) -> None:
    """Append a row of texts; a text that begins with `=` stays a text."""
    sheet.append(list(values))
    number = sheet.max_row
    for cell in sheet[number]:
        if cell.value is not None:
            cell.data_type = "s"
        if number > _HEAD_ROW:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _label_row(question: Question, option: Option, *, first: bool) -> tuple[str, ...]:
    row: tuple[str, ...] = (
        question.id,
        option.letter,
        option.text,
        *("yes" if getattr(option, label) else "no" for label in JUDGED),
        *("" for _ in JUDGED),
        "",
        option.rationale,
    )
    if not first:
        return row
    clean, conflict = question.evidence.clean, question.evidence.conflict
    sources = clean.sources if clean else ()
    return (
        *row,
        question.stem,
        clean.text if clean else "",
        conflict.text if conflict else "",
        "; ".join(f"{source.name}, {source.edition} ({source.year})" for source in sources),
    )


def _choices(sheet: Worksheet, choices: Sequence[str], first: str, last: str | None = None) -> None:
    rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
    rule.add(f"{first}{_HEAD_ROW + 1}:{last or first}{sheet.max_row}")
    sheet.add_data_validation(rule)


def _read_sheets(path: Path) -> Mapping[str, Rows]:
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise SuiteError(f"{path}: no such file, or over {MAX_BYTES >> 20} MiB")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        rows = {
            name: [
                ["" if value is None else str(value).strip() for value in row]
                for row in book[name].iter_rows(max_row=MAX_ROWS, values_only=True)
            ]
            for name in (BLIND, LABELLED, EDITS)
        }
        book.close()
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError):
        raise SuiteError(f"{path}: is no review spreadsheet; start from `suite review export`") from None
    return rows


def _cell(rows: Rows, row: int, column: int) -> str:
    """Return the text of a cell by its number in the sheet, empty where there is none."""
    return rows[row - 1][column - 1] if len(rows) >= row and len(rows[row - 1]) >= column else ""


def _body(
    rows: Rows, suite: Suite, sheet: str, problems: list[str]
) -> Iterator[tuple[int, Question, Sequence[str]]]:
    """Rows below the head with the question they name, padded to the widest head."""
    known = {question.id: question for question in suite.questions}
    for number, row in enumerate(rows[_HEAD_ROW:], start=_HEAD_ROW + 1):
        if not any(row):
            continue
        if row[0] in known:
            yield number, known[row[0]], [*row, *[""] * (len(_LABEL_HEAD) - len(row))]
        else:
            problems.append(f"sheet {sheet} row {number}: no such question")


def _answers(rows: Rows, suite: Suite, problems: list[str]) -> dict[str, tuple[str, str]]:
    answers: dict[str, tuple[str, str]] = defaultdict(lambda: ("", ""))
    for number, question, row in _body(rows, suite, BLIND, problems):
        answer = row[_BLIND_HEAD.index("your answer")].upper()
        if answer and answer not in question.letters:
            problems.append(f"sheet {BLIND} row {number}: the answer is no letter of the question")
        answers[question.id] = (answer, row[_BLIND_HEAD.index("comment")])
    return answers


def _opinions(rows: Rows, suite: Suite, problems: list[str]) -> dict[str, list[Opinion]]:
    opinions: dict[str, list[Opinion]] = defaultdict(list)
    first, reason = _LABEL_HEAD.index(f"agree with {JUDGED[0]}"), _LABEL_HEAD.index("reason")
    for number, question, row in _body(rows, suite, LABELLED, problems):
        letter = row[1].upper()
        if letter not in question.letters:
            problems.append(f"sheet {LABELLED} row {number}: no such option")
            continue
        for label, value in zip(JUDGED, row[first:], strict=False):
            if value.lower() in ("yes", "no"):
                opinions[question.id].append(Opinion(letter, label, value.lower() == "yes", row[reason]))
            elif value:
                problems.append(f"sheet {LABELLED} row {number}: agree with {label} must be yes, no or empty")
    return opinions


def _edits(rows: Rows, suite: Suite, problems: list[str]) -> dict[str, list[Edit]]:
    edits: dict[str, list[Edit]] = defaultdict(list)
    for number, question, row in _body(rows, suite, EDITS, problems):
        field, value, reason = row[1:4]
        if not value or not reason:
            problems.append(f"sheet {EDITS} row {number}: a new value and a reason are needed")
            continue
        try:
            edits[question.id].append(Edit(field, value, reason))
        except ValueError as error:
            problems.append(f"sheet {EDITS} row {number}: {error}")
    return edits
