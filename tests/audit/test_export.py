"""The decision log in segments: rotation, verification, heads told elsewhere, retention, export."""

import csv
import io
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import pytest
from click.testing import CliRunner, Result

from gatekeeper.audit import Rotation, SegmentedLog
from gatekeeper.audit.export import export
from gatekeeper.audit.rotation import read_head, segments_of, verify_trail
from gatekeeper.cli import main
from gatekeeper.errors import AuditError
from tests.server.test_chat import RIGHT, ask, script_of
from tests.serving import Serve

SMALL = Rotation(max_bytes=1000)


def run(*arguments: object) -> Result:
    """Run `gatekeeper audit` in this process."""
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a log in several segments, whose head was told to a second place."""
    path = tmp_path / "log" / "decisions.jsonl"
    log = SegmentedLog(path, SMALL, tmp_path / "head")
    for number in range(20):
        log.append(
            {"event": "decision", "at": f"2026-01-{number + 1:02d}T00:00:00+00:00", "id": f"gkd_{number}"}
        )
    log.close()
    return path


def test_segments_follow_each_other(path: Path, tmp_path: Path) -> None:
    """A rotated log verifies as one, every record is in it once, and the head told elsewhere fits."""
    segments = segments_of(path)
    assert [number for number, _ in segments] == list(range(1, len(segments) + 1))
    assert len(segments) > 3
    end = verify_trail(path, read_head(tmp_path / "head"))
    assert end == read_head(tmp_path / "head")
    ids = [orjson.loads(line).get("id") for line in export(path, "jsonl")]
    assert [name for name in ids if name] == [f"gkd_{number}" for number in range(20)]


def test_a_restart_goes_on(path: Path) -> None:
    """A new process goes on in the segment where the old one stopped."""
    before = verify_trail(path)
    log = SegmentedLog(path)
    log.append({"event": "decision", "at": "2026-02-01T00:00:00+00:00", "id": "gkd_20"})
    log.close()
    after = verify_trail(path, before)
    assert (after.segment, after.head.lines) == (before.segment, before.head.lines + 1)


def test_a_crash_between_two_segments_leaves_no_gap(path: Path) -> None:
    """A process that died after ending a segment is followed by one that links to it."""
    number, _ = segments_of(path)[-1]
    path.rename(path.with_name(f"decisions.{number:06d}.jsonl"))
    SegmentedLog(path).close()
    assert verify_trail(path).segment == number + 1


def cut_tail(path: Path, count: int = 1) -> None:
    """Remove the last lines of a file."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-count]))


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda segments: segments[1].unlink(), "does not follow"),
        (lambda segments: segments[0].unlink(), "no retention record"),
        (lambda segments: segments[-1].unlink(), "is not there"),
        (lambda segments: cut_tail(segments[1]), "does not follow"),
        (lambda segments: cut_tail(segments[-1]), "cut off or replaced"),
        (lambda segments: cut_tail(segments[-1], 2), "cut off or replaced"),
        (
            lambda segments: segments[1].write_bytes(segments[1].read_bytes().replace(b"gkd_", b"gkd-", 1)),
            "does not follow",
        ),
        (lambda segments: segments[1].write_bytes(segments[2].read_bytes()), "does not follow"),
    ],
    ids=["middle", "first", "last", "inner tail", "tail", "longer tail", "changed", "doubled"],
)
def test_what_was_done_to_segments_is_found(
    path: Path, tmp_path: Path, tamper: Callable[[list[Path]], None], message: str
) -> None:
    """A removed, changed, replaced or cut segment is found; a cut tail against the head told elsewhere."""
    tamper([segment for _, segment in segments_of(path)])
    with pytest.raises(AuditError, match=message):
        verify_trail(path, read_head(tmp_path / "head"))
    result = run("verify", path, "--head-file", tmp_path / "head")
    assert (result.exit_code, "Traceback" in result.output) == (2, False)


def test_retention_keeps_what_remains_provable(path: Path) -> None:
    """Segments older than the policy go at the next rotation, on record; the rest verifies, restarts too."""
    old = time.time() - 40 * 86400
    for _, segment in segments_of(path)[:2]:
        os.utime(segment, (old, old))
    log = SegmentedLog(path, Rotation(max_bytes=1000, keep_days=30))
    for number in range(20, 30):
        log.append({"event": "decision", "at": "2026-03-01T00:00:00+00:00", "id": f"gkd_{number}"})
    log.close()
    assert segments_of(path)[0][0] == 3
    verify_trail(path)
    segments_of(path)[0][1].unlink()
    with pytest.raises(AuditError, match="no retention record"):
        verify_trail(path)


def test_retention_may_take_every_ended_segment(path: Path) -> None:
    """With nothing left but the segment being written, a restart still knows its number."""
    log = SegmentedLog(path, Rotation(max_bytes=1000, keep_days=30))
    late = {"event": "decision", "at": "2026-03-01T00:00:00+00:00", "id": "gkd_late"}
    while path.stat().st_size < 1000:
        log.append(late)
    old = time.time() - 40 * 86400
    for _, segment in segments_of(path):
        os.utime(segment, (old, old))
    log.append(late)
    log.close()
    end = verify_trail(path)
    assert [number for number, _ in segments_of(path)] == [end.segment]
    SegmentedLog(path).close()
    assert verify_trail(path) == end


def test_a_day_ends_a_segment(tmp_path: Path) -> None:
    """With daily rotation a record of today does not join yesterday's segment."""
    path = tmp_path / "decisions.jsonl"
    first = SegmentedLog(path)
    for _ in range(2):
        first.append({"event": "decision", "at": "2026-01-01T12:00:00+00:00"})
    first.close()
    log = SegmentedLog(path, Rotation(daily=True))
    log.append({"event": "decision", "at": datetime.now(UTC).isoformat()})
    log.close()
    assert [number for number, _ in segments_of(path)] == [1, 2]
    assert verify_trail(path).segment == 2


def test_a_directory_holds_the_logs_of_several_workers(path: Path) -> None:
    """Every worker's chain in a directory is verified, and one broken chain is enough to fail."""
    other = SegmentedLog(path.with_name("worker-2.jsonl"), SMALL)
    for number in range(9):
        other.append({"event": "decision", "at": "2026-01-01T00:00:00+00:00", "id": f"gkw_{number}"})
    other.close()
    result = run("verify", path.parent)
    assert (result.exit_code, result.output.count("every one follows")) == (0, 2)
    exported = run("export", path.parent).output.splitlines()
    assert {orjson.loads(line)["log"] for line in exported} == {"decisions.jsonl", "worker-2.jsonl"}
    segments_of(path.with_name("worker-2.jsonl"))[0][1].unlink()
    assert run("verify", path.parent).exit_code == 2


def test_export_since(path: Path) -> None:
    """Records older than asked for are left out."""
    lines = run("export", path, "--since", "2026-01-18").output.splitlines()
    ids = [orjson.loads(line).get("id") for line in lines if orjson.loads(line)["event"] == "decision"]
    assert ids == ["gkd_17", "gkd_18", "gkd_19"]


def test_a_broken_log_is_not_exported(path: Path) -> None:
    """Not one line of a log that does not verify is handed out."""
    cut_tail(segments_of(path)[1][1])
    result = run("export", path)
    assert (result.exit_code, result.stdout) == (2, "")


def test_real_decisions_as_a_table(serve: Serve, script: Callable[[str], Path], tmp_path: Path) -> None:
    """A proxy's decisions export as CSV with action, rules and probabilities, and its head is shown."""
    log, head = tmp_path / "decisions.jsonl", tmp_path / "head"
    proxy = serve(
        script=script(script_of({"answer": RIGHT, "confidence": 0.97})), audit_log=log, audit_head=head
    )
    names = [ask(proxy).model_extra["gatekeeper"]["decision_id"] for _ in range(2)]
    rows = list(csv.DictReader(io.StringIO(run("export", log, "--format", "csv").output)))
    assert [(row["id"], row["action"], row["evidence_state"]) for row in rows] == [
        (name, "release", "supplied") for name in names
    ]
    assert 0 < float(rows[0]["p_wrong"]) < 0.1
    assert read_head(head) == verify_trail(log)
    metrics = httpx.get(f"{proxy.url}/metrics").text
    assert "\ngatekeeper_audit_lines_total 2.0\n" in metrics
    assert "\ngatekeeper_audit_segment_lines 2.0\n" in metrics
