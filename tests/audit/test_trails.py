"""Logs of several workers beside one name: found, verified together, and missed when one is gone."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from gatekeeper.audit import Rotation, SegmentedLog
from gatekeeper.audit.export import export
from gatekeeper.audit.rotation import segments_of
from gatekeeper.audit.trails import trails_of, verify_all, worker_file
from gatekeeper.cli import main
from gatekeeper.errors import AuditError


@pytest.fixture(params=["decisions.jsonl", "decisions", "a.w1.jsonl"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the configured path of three workers' logs in segments, whose heads were told to `head`."""
    path = tmp_path / str(request.param)
    for worker in (1, 2, 10):
        own = SegmentedLog(
            worker_file(path, worker), Rotation(max_bytes=1000), worker_file(tmp_path / "head", worker)
        )
        for number in range(10):
            own.append({"event": "decision", "at": "2026-01-01T00:00:00+00:00", "id": f"{worker}/{number}"})
        own.close()
    return path


def verify(*arguments: object) -> Result:
    """Run `gatekeeper audit verify`."""
    return CliRunner().invoke(main, ["audit", "verify", *map(str, arguments)])


def test_one_name_stands_for_all_workers(log: Path, tmp_path: Path) -> None:
    """`audit verify LOG` verifies every worker's chain in the order of their numbers, heads included."""
    found = verify(log, "--head-file", tmp_path / "head")
    assert found.exit_code == 0, found.output
    assert [line.partition(":")[0] for line in found.output.splitlines()] == [
        str(worker_file(log, worker)) for worker in (1, 2, 10)
    ]


def test_an_export_has_every_worker(log: Path) -> None:
    """`audit export LOG` holds each decision of each worker once, with the log that it stands in."""
    records = [orjson.loads(line) for line in export(log, "jsonl")]
    named = sorted((record["log"], record["id"]) for record in records if record["event"] == "decision")
    assert named == sorted((worker_file(log, w).name, f"{w}/{n}") for w in (1, 2, 10) for n in range(10))


def test_what_one_process_wrote_before_is_verified_too(log: Path) -> None:
    """Going from one worker to several leaves the old log where it was, and no verification forgets it."""
    before = SegmentedLog(log)
    before.append({"event": "decision", "id": "0/0"})
    before.close()
    assert trails_of(log) == [log, *(worker_file(log, worker) for worker in (1, 2, 10))]
    before.close()


def test_one_broken_worker_is_enough(log: Path) -> None:
    """A line changed in any worker's log fails the verification of all."""
    broken = worker_file(log, 10)
    broken.write_bytes(broken.read_bytes().replace(b"10/9", b"10/8"))
    assert verify(log).exit_code == 0  # a changed last line shows only beside its head
    broken.write_bytes(broken.read_bytes().replace(b'"seq":1', b'"seq":7'))
    assert verify(log).exit_code == 2


def test_a_cut_tail_shows_beside_its_head(log: Path, tmp_path: Path) -> None:
    """Each log must have got as far as its own worker's head says."""
    cut = worker_file(log, 2)
    cut.write_bytes(b"".join(cut.read_bytes().splitlines(keepends=True)[:-1]))
    verify_all(log)
    with pytest.raises(AuditError, match="cut off"):
        verify_all(log, tmp_path / "head")


def test_a_log_that_is_gone_is_missed(log: Path, tmp_path: Path) -> None:
    """Removing all that one worker wrote shows beside its head."""
    for _, segment in segments_of(worker_file(log, 2)):
        segment.unlink()
    with pytest.raises(AuditError, match="log of worker 2 is missing"):
        verify_all(log, tmp_path / "head")


def test_one_workers_log_can_be_named_alone(log: Path, tmp_path: Path) -> None:
    """A worker's log and head can be given themselves; one digest is not taken for several logs."""
    own = worker_file(log, 1)
    assert list(verify_all(own, worker_file(tmp_path / "head", 1))) == [own]
    refused = verify(log, "--head", "0" * 64)
    assert (refused.exit_code, "one head cannot fit 3 logs" in refused.output) == (2, True)


def test_a_log_from_before_there_were_workers_is_missed(log: Path, tmp_path: Path) -> None:
    """Removing what a process alone wrote, before workers took over, shows beside its head too."""
    before = SegmentedLog(log, head_file=tmp_path / "head")
    before.append({"event": "decision", "id": "0/0"})
    before.close()
    assert len(verify_all(log, tmp_path / "head")) == 4
    log.unlink()
    with pytest.raises(AuditError, match="process without workers is missing"):
        verify_all(log, tmp_path / "head")


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    """A log may be named as its owner likes; its segments are found all the same."""
    path = tmp_path / "decisions[a].jsonl"
    own = SegmentedLog(path, Rotation(max_bytes=300))
    for number in range(10):
        own.append({"event": "decision", "id": str(number)})
    own.close()
    assert len(segments_of(path)) > 1
    assert verify_all(path)[path].segment > 1
