"""Import of RadSaFE-200 as its authors publish it, or of any file in that form.

Two forms are read: the data set's CSV, and the merged JSON (or JSON lines) that the authors' analysis
code reads. Column names vary between them, so names are matched without regard to case and signs, and
`--map ours=theirs` names what is called something else.
"""

import ast
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import (
    LABELS,
    LETTERS,
    CleanEvidence,
    ConflictEvidence,
    Evidence,
    Option,
    Origin,
    Question,
    ReviewStatus,
    Suite,
    SuiteInfo,
)
from radsafe_bench.suites.ordering import stratified_split
from radsafe_bench.suites.store import SuiteContent, write_suite

MAX_BYTES = 256 * 1024 * 1024
MAX_CELL = 16 * 1024 * 1024
MAX_OPTIONS_LITERAL = 100_000

Row = Mapping[str, Any]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("question_id", "id", "qid"),
    "stem": ("question_text", "question", "stem"),
    "options": ("options", "choices", "answer_options"),
    "correct": ("answer_idx", "correct_answer", "correct_option", "correct_letter", "answer"),
    "subspecialty": ("subspecialty", "sub_specialty", "specialty"),
    "question_type": ("question_type", "type"),
    "evidence_clean": ("evidence_clean", "clean_evidence"),
    "evidence_conflict": ("evidence_conflict", "conflict_evidence", "evidence_conflicting"),
    "report": ("deep_research_report", "report"),
    **{
        f"option_{letter}": (f"option_{number}", f"option_{number}_text", f"option_{letter}", letter)
        for number, letter in enumerate(LETTERS, start=1)
    },
    **{
        f"{label}_{letter}": (f"option_{number}_{label}", f"option_{letter}_{label}", f"{letter}_{label}")
        for number, letter in enumerate(LETTERS, start=1)
        for label in LABELS
    },
}
"""Our names, and the names that files are known to use, in order of preference."""

_NEGATED = re.compile(r"\b(?:EXCEPT|NOT|LEAST)\b")
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: our names by column, what had no counterpart, and which rows did not fit.

    `missing` are our names that no column gave; `unused` are columns that nothing was read from;
    `problems` one line for each row left out; `notes` say how doubtful values were read.
    """

    rows: int
    imported: int
    mapped: Mapping[str, str]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def import_official(
    file: Path,
    out: Path,
    *,
    name: str = "radsafe200-imported",
    version: str = "1",
    columns: Mapping[str, str] | None = None,
    split_seed: int | None = None,
    skip_bad_rows: bool = False,
) -> tuple[Suite, ImportReport]:
    """Write a suite directory from a file in the official form, and load it.

    `columns` maps our names (the keys of ALIASES) to the file's where they are not found by
    themselves. `split_seed` deals the questions into calibration and certification as radsafe200
    does; without it they have no split.

    Raises SuiteError when the file cannot be read, has no columns for stems, options, correct answers
    or labels, or when a row does not fit and `skip_bad_rows` is not set. Nothing is written then.
    """
    rows = read_rows(file)
    mapped = _map_columns(rows, columns or {})
    harvest = _read_questions(rows, mapped)
    if harvest.problems and not skip_bad_rows:
        raise SuiteError(f"{len(harvest.problems)} of {len(rows)} rows do not fit:", harvest.problems)
    if not harvest.questions:
        raise SuiteError("no row could be read as a question:", harvest.problems)
    _require_labels(harvest.questions, mapped)
    questions = harvest.questions if split_seed is None else _with_split(harvest.questions, split_seed)
    info = SuiteInfo(
        name=name,
        version=version,
        origin=Origin.IMPORTED,
        review=ReviewStatus.DRAFT,
        digests={},
        seed=split_seed,
        imported_from=f"{file.name} sha256:{sha256(file.read_bytes()).hexdigest()}",
    )
    suite = write_suite(out, info, SuiteContent(tuple(questions)))
    return suite, _report(rows, mapped, harvest)


def read_rows(file: Path) -> list[Row]:
    """Read a CSV, JSON or JSON-lines file as rows; a row's `metadata` object is read as more columns.

    Raises SuiteError when the file is over 256 MiB, not UTF-8, malformed or empty.
    """
    if not file.is_file() or file.stat().st_size > MAX_BYTES:
        raise SuiteError(f"{file}: no such file, or over {MAX_BYTES >> 20} MiB")
    readers = {".csv": _csv_rows, ".json": _json_rows, ".jsonl": _json_line_rows}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise SuiteError(f"{file}: the name must end in {', '.join(readers)}")
    try:
        rows = [_flat(row) for row in reader(file.read_bytes())]
    except (UnicodeDecodeError, csv.Error, orjson.JSONDecodeError, ValueError) as error:
        raise SuiteError(f"{file}: cannot be read as {file.suffix}: {type(error).__name__}") from None
    if not rows:
        raise SuiteError(f"{file}: holds no rows")
    return rows


def _csv_rows(data: bytes) -> Iterator[Row]:
    limit = csv.field_size_limit(MAX_CELL)
    try:
        yield from csv.DictReader(
            io.StringIO(data.decode("utf-8-sig"), newline=""), restkey="(beyond the header)"
        )
    finally:
        csv.field_size_limit(limit)


def _json_rows(data: bytes) -> Iterable[Row]:
    rows = orjson.loads(data)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a list of objects is needed")
    return rows


def _json_line_rows(data: bytes) -> Iterable[Row]:
    return _json_rows(b"[" + b",".join(line for line in data.splitlines() if line.strip()) + b"]")


def _flat(row: Row) -> Row:
    metadata = row.get("metadata")
    return {**metadata, **row} if isinstance(metadata, dict) else row


def _map_columns(rows: Sequence[Row], columns: Mapping[str, str]) -> dict[str, str]:
    """Find the file's column for each of our names."""
    present = dict.fromkeys(str(name) for row in rows for name in row)
    if unknown := sorted(set(columns) - set(ALIASES)):
        raise SuiteError(
            f"unknown names in the column map: {', '.join(unknown)}; known: {', '.join(ALIASES)}"
        )
    if absent := sorted(set(columns.values()) - set(present)):
        raise SuiteError(f"the file has no columns {', '.join(absent)}; it has: {', '.join(present)}")
    by_plain_name = {_plain(name): name for name in reversed(present)}
    mapped = {
        ours: by_plain_name[alias]
        for ours, aliases in ALIASES.items()
        if (alias := next((_plain(alias) for alias in aliases if _plain(alias) in by_plain_name), None))
    }
    mapped.update(columns)
    if "options" not in mapped and not {"option_A", "option_B"} <= set(mapped):
        raise SuiteError(
            f"no column for options; name it with a column map; the file has: {', '.join(present)}"
        )
    for needed in ("stem", "correct"):
        if needed not in mapped:
            raise SuiteError(
                f"no column for {needed}; name it with a column map; the file has: {', '.join(present)}"
            )
    return mapped


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


@dataclass(frozen=True, slots=True)
class _Harvest:
    questions: list[Question]
    problems: list[str]
    blank_labels: int


def _read_questions(rows: Sequence[Row], mapped: Mapping[str, str]) -> _Harvest:
    questions: dict[str, Question] = {}
    problems: list[str] = []
    blank = 0
    zero_based = _counts_from_zero(rows, mapped)
    for number, raw in enumerate(rows, start=1):
        row = _OfficialRow(raw, mapped, zero_based)
        try:
            question = _read_question(row, number)
        except ValueError as error:
            problems.append(f"row {number}: {error}")
            continue
        if question.id in questions:
            problems.append(f"row {number}: question id {question.id} occurs twice")
        else:
            questions[question.id] = question
            blank += sum(not row.text(f"{label}_{letter}") for letter in question.letters for label in LABELS)
    return _Harvest(list(questions.values()), problems, blank)


def _require_labels(questions: Sequence[Question], mapped: Mapping[str, str]) -> None:
    """Refuse a file without label columns: every safety rate would read 0."""
    letters = max((question.letters for question in questions), key=len)
    absent = [
        f"{label}_{letter}" for letter in letters for label in LABELS if f"{label}_{letter}" not in mapped
    ]
    if absent:
        raise SuiteError(f"no columns for the labels {', '.join(absent)}; name them with a column map")


@dataclass(frozen=True, slots=True)
class _OfficialRow:
    row: Row
    mapped: Mapping[str, str]
    zero_based: bool

    def text(self, ours: str) -> str:
        value = self.row.get(self.mapped.get(ours, ""))
        return "" if value is None else str(value).strip()

    def flag(self, ours: str) -> bool:
        text = self.text(ours).lower().removesuffix(".0")
        if text not in _FLAGS:
            raise ValueError(f"{ours} is neither 0 nor 1")
        return _FLAGS[text]

    def options(self) -> dict[str, str]:
        """Option texts by letter, without the empty ones."""
        value = self.row.get(self.mapped.get("options", ""))
        if isinstance(value, str) and value.strip():
            value = _literal(value)
        if isinstance(value, list):
            value = dict(zip(LETTERS, value, strict=False))
        if isinstance(value, dict):
            named = {
                _letter(str(key), zero_based=False): str(text).strip() for key, text in value.items() if text
            }
        else:
            named = {letter: self.text(f"option_{letter}") for letter in LETTERS}
        return {letter: named[letter] for letter in LETTERS if named.get(letter)}

    def correct(self, options: Mapping[str, str]) -> str:
        """Return the correct letter, given as a letter, a position or the option's text."""
        value = self.text("correct")
        letter = _letter(value, zero_based=self.zero_based)
        if letter not in options:
            matches = [name for name, text in options.items() if text.casefold() == value.casefold()]
            letter = matches[0] if len(matches) == 1 else ""
        if not letter:
            raise ValueError("the correct answer names no option")
        return letter


def _read_question(row: _OfficialRow, number: int) -> Question:
    stem, options = row.text("stem"), row.options()
    if not stem:
        raise ValueError("no stem")
    correct = row.correct(options)
    clean, conflict = row.text("evidence_clean"), row.text("evidence_conflict")
    return Question(
        id=row.text("id") or str(number),
        subspecialty=row.text("subspecialty"),
        question_type=row.text("question_type"),
        stem=stem,
        negated=bool(_NEGATED.search(stem)),
        options=tuple(
            Option(
                letter=letter,
                text=text,
                correct=letter == correct,
                high_risk=row.flag(f"high_risk_{letter}"),
                unsafe=row.flag(f"unsafe_{letter}"),
                contradicts=row.flag(f"contradicts_{letter}"),
            )
            for letter, text in options.items()
        ),
        evidence=Evidence(
            clean=CleanEvidence(clean) if clean else None,
            conflict=ConflictEvidence(conflict) if conflict else None,
            report=row.text("report"),
        ),
    )


def _literal(text: str) -> Any:
    """Read options written as JSON or as a Python literal."""
    if len(text) > MAX_OPTIONS_LITERAL:
        raise ValueError("the options are too long")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError("the options are neither JSON nor a literal") from None


def _letter(value: str, *, zero_based: bool) -> str:
    """Read `B`, `b.`, `(B)`, `Option B`, `2` or `2.0` as a letter; empty where it is none."""
    match = re.fullmatch(r"(?:option[ _]?)?\(?([A-Ea-e]|[0-5])(?:\.0)?\)?[.:]?", value.strip(), re.IGNORECASE)
    if match is None:
        return ""
    name = match[1].upper()
    if name in LETTERS:
        return name
    position = int(name) - (0 if zero_based else 1)
    return LETTERS[position] if 0 <= position < len(LETTERS) else ""


def _counts_from_zero(rows: Sequence[Row], mapped: Mapping[str, str]) -> bool:
    """Whether correct answers are positions that begin at 0: one row says 0."""
    return any(str(row.get(mapped["correct"])).strip() in {"0", "0.0"} for row in rows)


def _with_split(questions: Sequence[Question], seed: int) -> list[Question]:
    splits = stratified_split(
        questions, seed, lambda item: (str(item.negated), item.subspecialty), lambda item: item.id
    )
    return [replace(question, split=splits[question.id]) for question in questions]


def _report(rows: Sequence[Row], mapped: Mapping[str, str], harvest: _Harvest) -> ImportReport:
    present = dict.fromkeys(str(name) for row in rows for name in row)
    spare = {f"option_{letter}" for letter in LETTERS} if "options" in mapped else {"options"}
    used = {name for ours, name in mapped.items() if ours not in spare}
    negated = sum(question.negated for question in harvest.questions)
    notes = [f"{negated} stems read as negated, by EXCEPT, NOT or LEAST in capitals"]
    if harvest.blank_labels:
        notes.append(f"{harvest.blank_labels} empty labels read as 0")
    if _counts_from_zero(rows, mapped):
        notes.append("correct answers read as positions that begin at 0")
    return ImportReport(
        rows=len(rows),
        imported=len(harvest.questions),
        mapped={ours: name for ours, name in mapped.items() if ours not in spare},
        missing=tuple(ours for ours in ALIASES if ours not in mapped and ours not in spare),
        unused=tuple(name for name in present if name not in used and name != "metadata"),
        problems=tuple(harvest.problems),
        notes=tuple(notes),
    )
