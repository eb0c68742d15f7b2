"""The decision log for those who audit it: verified, then as JSON lines or as a table."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from gatekeeper.audit.log import lines_of
from gatekeeper.audit.rotation import segments_of
from gatekeeper.audit.trails import verify_all

Format = Literal["jsonl", "csv"]

COLUMNS: Final = (
    *("log", "segment", "seq", "at", "event", "id", "action", "mode", "policy", "certified", "backend"),
    *("fingerprint", "evidence_state", "documents", "choice", "choice_action", "rules", "p_wrong"),
    *("p_contradicted", "tries", "seconds_total", "by", "verdict", "status", "code"),
)
"""One row per choice of a decision; of any other event one row."""


def export(path: Path, form: Format, since: datetime | None = None) -> Iterator[str]:
    """Yield the records of a log and its workers', or of all in a directory, from a time on, line by line.

    Everything is verified before the first line: raises AuditError where a chain is broken.
    """
    trails = verify_all(path)
    records = (record for trail in trails for record in _records(trail, since))
    return _csv(records) if form == "csv" else (orjson.dumps(record).decode() + "\n" for record in records)


def _records(trail: Path, since: datetime | None) -> Iterator[dict[str, Any]]:
    for number, segment in segments_of(trail):
        for line in lines_of(segment):
            record = orjson.loads(line)
            if since is None or _at(record) >= since:
                yield {"log": trail.name, "segment": number, **record}


def _at(record: dict[str, Any]) -> datetime:
    """Return a record's time; one without any (a torn tail set aside) is never left out."""
    at = record.get("at")
    return datetime.fromisoformat(at) if isinstance(at, str) else datetime.max.replace(tzinfo=UTC)


def _csv(records: Iterator[dict[str, Any]]) -> Iterator[str]:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        for row in _rows(record):
            writer.writerow({name: _plain(value) for name, value in row.items() if name in COLUMNS})
        yield _drained(buffer)
    yield _drained(buffer)


def _rows(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if record["event"] != "decision":
        yield record
        return
    for answer in record["answers"]:
        yield {
            **record,
            "evidence_state": record["evidence"]["state"],
            "documents": len(record["evidence"]["documents"]),
            "choice": answer["index"],
            "choice_action": answer["action"],
            "rules": " ".join(answer["rules"]),
            "p_wrong": answer["signals"].get("p_wrong"),
            "p_contradicted": answer["signals"].get("p_contradicted"),
            "seconds_total": record["seconds"]["total"],
        }


def _plain(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value


def _drained(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
