"""What a run leaves behind, read back: `runs/NAME/{manifest.json, records.jsonl}`.

One record a line, one line for each question, condition and sample. Lines are only ever appended: a
line cut off by an interrupt is passed over, and of two lines with the same key the later one counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gatekeeper.errors import ConfigurationError
from gatekeeper.exchange import JsonObject

MANIFEST: Final = "manifest.json"
RECORDS: Final = "records.jsonl"
GREEDY: Final = -1
_NEEDED: Final = {"key", "question", "condition", "sample", "letter", "request", "response"}
MAIN: Final = "main"
REPEAT: Final = "aa"


@dataclass(frozen=True, slots=True)
class RecordError:
    """Why a question has no answer: an error code, and the HTTP status where there was one."""

    code: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One answer of one question under one condition.

    `sample` is GREEDY (−1) for temperature 0, else 0 to k − 1. `in_pass` (in the file: `pass`) is
    "main", or "aa" for the repeated greedy pass. `request` is the chat body with its `evidence`,
    `response` the server's body. `letter` is the parsed answer, None where there is none. `latency_s`
    in seconds, `at` an ISO time.
    """

    key: str
    question: str
    condition: str
    sample: int
    letter: str | None
    latency_s: float | None
    request: JsonObject
    response: JsonObject | None
    error: RecordError | None = None
    model: str = ""
    fingerprint: str | None = None
    at: str = ""
    in_pass: str = MAIN

    @property
    def is_greedy(self) -> bool:
        """Whether it is the answer at temperature 0."""
        return self.sample == GREEDY


class SuiteReference(BaseModel):
    """The suite that a run asked, by name, version and digest."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    version: str
    digest: str


class Retrieval(BaseModel):
    """How passages were found; `recall` is the share of questions with a gold passage among the best k."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    retriever: str = ""
    recall: Mapping[int, float] = Field(default_factory=dict)


class Manifest(BaseModel):
    """`manifest.json`, as far as reading a run needs it; `body` is the whole file.

    `family` and `parameters` (a number of weights) place a model on the scaling curve. `why_not` says
    of each condition that the model cannot be asked under why not.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str
    suite: SuiteReference
    backend: str = ""
    fingerprint: str | None = None
    family: str | None = None
    parameters: float | None = Field(default=None, gt=0)
    retrieval: Retrieval | None = None
    why_not: Mapping[str, str] = Field(default_factory=dict)
    body: Mapping[str, Any] = Field(default_factory=dict, exclude=True, repr=False)


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory: its manifest and its records, each key once."""

    path: Path
    manifest: Manifest
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """The directory's name."""
        return self.path.name


def load_run(folder: Path) -> Run:
    """Read a run directory; raise ConfigurationError where it is none or a line is malformed."""
    return Run(folder, load_manifest(folder), tuple(read_records(folder / RECORDS)))


def load_manifest(folder: Path) -> Manifest:
    """Read a run's manifest; raise ConfigurationError where it is missing or not valid."""
    path = folder / MANIFEST
    try:
        body = orjson.loads(path.read_bytes())
        return Manifest.model_validate({**body, "body": body})
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); is {folder} a run?") from error
    except (orjson.JSONDecodeError, TypeError) as error:
        raise ConfigurationError(f"{path}: is no JSON object") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{path}: {where}: {first['msg']}") from error


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file one at a time, each key once with its last line, in order of these lines.

    A last line without its newline is one that an interrupt cut off, so it does not count. Raises
    ConfigurationError naming file and line for any other line that is no record.
    """
    last = {line["key"]: number for number, line in _lines(path)}
    for number, line in _lines(path):
        if last[line["key"]] == number:
            yield _record(line)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield numbered lines: files of reasoning models are too large to be held whole."""
    try:
        with path.open("rb") as file:
            for number, data in enumerate(file, start=1):
                if data.endswith(b"\n"):
                    yield number, _checked(data, path, number)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error


def _checked(data: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        line = orjson.loads(data)
    except orjson.JSONDecodeError:
        line = None
    if not isinstance(line, dict) or not line.keys() >= _NEEDED:
        raise ConfigurationError(f"{path} line {number}: is no record")
    return line


def _record(line: dict[str, Any]) -> Record:
    error = line.get("error")
    return Record(
        key=line["key"],
        question=line["question"],
        condition=line["condition"],
        sample=line["sample"],
        letter=line["letter"],
        latency_s=line.get("latency_s"),
        request=line["request"],
        response=line["response"],
        error=RecordError(error["code"], error.get("status")) if error else None,
        model=line.get("model") or "",
        fingerprint=line.get("fingerprint"),
        at=line.get("at") or "",
        in_pass=line.get("pass") or MAIN,
    )
