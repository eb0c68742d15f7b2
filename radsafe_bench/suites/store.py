"""Suite directories: reading with schema and digests, writing, never changing in place.

NAME/
  suite.json            name, version, origin, review, digests
  questions.jsonl       one Question a line
  corpus.jsonl          Passages of the retrieval corpus
  pairs_source.jsonl    PairSources
  review_log.jsonl      Readings: the second, independent reading of every question
  DATASHEET.md          rendered from the files above
"""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from radsafe_bench.suites.errors import SuiteError
from radsafe_bench.suites.model import PairSource, Passage, Question, Reading, Suite, SuiteInfo

T = TypeVar("T")

SUITE_NAME = "radsafe200"
INFO = "suite.json"
QUESTIONS = "questions.jsonl"
CORPUS = "corpus.jsonl"
PAIR_SOURCES = "pairs_source.jsonl"
READINGS = "review_log.jsonl"
DATASHEET = "DATASHEET.md"
MAX_FILE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SuiteContent:
    """What a suite directory is written from."""

    questions: tuple[Question, ...]
    corpus: tuple[Passage, ...] = ()
    pair_sources: tuple[PairSource, ...] = ()
    readings: tuple[Reading, ...] = ()

    def files(self) -> Mapping[str, bytes]:
        """Return the JSON-lines files by name, in canonical form."""
        return {
            QUESTIONS: to_lines(self.questions),
            CORPUS: to_lines(self.corpus),
            PAIR_SOURCES: to_lines(self.pair_sources),
            READINGS: to_lines(self.readings),
        }


def load_suite(name_or_path: str | Path = SUITE_NAME) -> Suite:
    """Load a shipped suite by name, or a suite directory (or its suite.json) by path.

    Raises SuiteError, naming every line that breaks the schema, when a file is missing or malformed,
    when an id is used twice or names nothing, or when a file does not have the digest that suite.json
    states: a frozen suite is never edited in place.
    """
    folder = _locate(name_or_path)
    info = _read_info(folder / INFO)
    problems: list[str] = []
    questions = _collect(folder / QUESTIONS, Question, problems)
    corpus = _collect(folder / CORPUS, Passage, problems)
    pair_sources = _collect(folder / PAIR_SOURCES, PairSource, problems)
    readings = _collect(folder / READINGS, Reading, problems)
    problems += [
        f"{file}: digest differs from suite.json; cut a new version instead of editing this one"
        for file in (QUESTIONS, CORPUS, PAIR_SOURCES, READINGS)
        if (folder / file).exists() and file_digest(folder / file) != info.digests.get(file)
    ]
    suite = Suite(info, questions, corpus, pair_sources, readings, folder)
    problems = problems or list(_inconsistencies(suite))
    if problems:
        raise SuiteError(f"suite {info.name} in {folder} cannot be used:", problems)
    return suite


def write_suite(folder: Path, info: SuiteInfo, content: SuiteContent) -> Suite:
    """Write a new suite directory and load it back; `info.digests` is filled in here.

    Raises SuiteError, leaving nothing behind, when the directory is not empty or the content breaks
    the schema.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SuiteError(f"{folder} is not empty; choose another directory")
    files = content.files()
    info = replace(info, digests={name: digest(data) for name, data in files.items()})
    draft = folder.with_name(f".{folder.name}.draft")
    draft.mkdir(parents=True)
    try:
        for name, data in files.items():
            (draft / name).write_bytes(data)
        pretty = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        (draft / INFO).write_bytes(orjson.dumps(info, option=pretty))
        load_suite(draft)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return load_suite(folder)


def to_lines(items: Iterable[Any]) -> bytes:
    """Serialise dataclasses as JSON lines in canonical form: keys sorted, no spaces."""
    return b"".join(_canonical(orjson.dumps(item)) + b"\n" for item in items)


def digest(lines: bytes) -> str:
    """`sha256:` over the canonical form of JSON lines, so that spacing and key order do not count."""
    canonical = b"\n".join(_canonical(line) for line in lines.splitlines() if line.strip())
    return f"sha256:{sha256(canonical).hexdigest()}"


def file_digest(path: Path) -> str:
    """Return the `digest` of a file, `unreadable` where a line is no JSON."""
    try:
        return digest(path.read_bytes())
    except orjson.JSONDecodeError:
        return "unreadable"


def read_lines(path: Path, kind: type[T]) -> tuple[T, ...]:
    """Read JSON lines as objects of one class; SuiteError names every line that does not fit."""
    problems: list[str] = []
    items = _collect(path, kind, problems)
    if problems:
        raise SuiteError(f"{path} cannot be used:", problems)
    return items


def describe(error: ValidationError) -> str:
    """Say in one line where a record breaks the schema, without the record's text."""
    places = (
        f"{'.'.join(map(str, item['loc'])) or 'record'}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return "; ".join(places)


def _canonical(line: bytes) -> bytes:
    return orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS)


def _locate(name_or_path: str | Path) -> Path:
    shipped = Path(__file__).parent / name_or_path
    path = Path(name_or_path)
    for folder in (shipped, path.parent if path.name == INFO else path):
        if (folder / INFO).is_file():
            return folder
    raise SuiteError(f"no suite {name_or_path}: give a shipped suite's name or a directory with {INFO}")


def _read_info(path: Path) -> SuiteInfo:
    try:
        return TypeAdapter(SuiteInfo).validate_json(path.read_bytes())
    except ValidationError as error:
        raise SuiteError(f"{path} cannot be used:", [describe(error)]) from None


def _inconsistencies(suite: Suite) -> Iterator[str]:
    """Ids that are not unique, or that name a question that is not there."""
    known = {question.id for question in suite.questions}
    if not known:
        yield f"{QUESTIONS}: holds no question"
    for file, ids in (
        (QUESTIONS, [question.id for question in suite.questions]),
        (CORPUS, [passage.id for passage in suite.corpus]),
        (PAIR_SOURCES, [source.question for source in suite.pair_sources]),
    ):
        yield from (
            f"{file}: {name} occurs {count} times" for name, count in Counter(ids).items() if count > 1
        )
    for file, names in (
        (CORPUS, [passage.question for passage in suite.corpus if passage.question is not None]),
        (PAIR_SOURCES, [source.question for source in suite.pair_sources]),
        (READINGS, [reading.question for reading in suite.readings]),
    ):
        yield from (f"{file}: no question {name}" for name in names if name not in known)


def _collect(path: Path, kind: type[T], problems: list[str]) -> tuple[T, ...]:
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        problems.append(f"{path.name}: missing, or over {MAX_FILE_BYTES >> 20} MiB")
        return ()
    adapter = TypeAdapter(kind)
    items: list[T] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            items.append(adapter.validate_json(line))
        except ValidationError as error:
            problems.append(f"{path.name} line {number}: {describe(error)}")
    return tuple(items)
