"""The records file."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radsafe_bench.recording import RecordingError, RecordLog, replace_file

FILL_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
from radsafe_bench.recording import RecordingError, RecordLog
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
with RecordLog(Path(sys.argv[1])) as log:
    try:
        for number in range(1000):
            log.append({"key": str(number), "text": "x" * 700})
    except RecordingError as error:
        print(number, error.message)
"""


def test_records_come_back_in_order(tmp_path: Path) -> None:
    """What one session appended, the next one reads, and goes on behind it."""
    path = tmp_path / "run" / "records.jsonl"
    with RecordLog(path) as log:
        log.append({"key": "a"})
    with RecordLog(path) as log:
        assert list(log.entries()) == [{"key": "a"}]
        log.append({"key": "b"})
        assert list(log.entries()) == [{"key": "a"}, {"key": "b"}]


@given(st.binary(min_size=1, max_size=300).filter(lambda torn: b"\n" not in torn))
def test_a_torn_tail_is_set_aside_and_never_lost(
    tmp_path_factory: pytest.TempPathFactory, torn: bytes
) -> None:
    """Whatever a power cut left behind the last whole line is kept beside the file, and work goes on."""
    path = tmp_path_factory.mktemp("torn") / "records.jsonl"
    path.write_bytes(b'{"key":"a"}\n' + torn)
    with RecordLog(path) as log:
        log.append({"key": "b"})
    assert path.read_bytes() == b'{"key":"a"}\n{"key":"b"}\n'
    (aside,) = path.parent.glob("records.torn-*")
    assert aside.read_bytes() == torn


def test_a_file_that_is_all_torn_begins_anew(tmp_path: Path) -> None:
    """A first line that was cut off leaves an empty file, also where it is long."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"x" * (3 << 20))
    with RecordLog(path) as log:
        assert list(log.entries()) == []


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """Two runs in one directory would double records."""
    path = tmp_path / "records.jsonl"
    with RecordLog(path), pytest.raises(RecordingError, match="another run is writing it"):
        RecordLog(path)


@pytest.mark.parametrize("line", [b"no json", b"[]", b'{"question":"q"}', b"\x00\x00"])
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: bytes) -> None:
    """Damage in the middle is never passed over in silence."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'{"key":"a"}\n' + line + b"\n")
    with RecordLog(path) as log, pytest.raises(RecordingError, match=r"records\.jsonl line 2: is no record"):
        list(log.entries())


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """When nothing more can be written the run ends with a message, and every line can be read."""
    path = tmp_path / "records.jsonl"
    command = [sys.executable, "-c", FILL_A_SMALL_DISK, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    written = int(told.split()[0])
    assert "free space on its disk" in told
    assert 0 < path.stat().st_size <= 10_000
    with RecordLog(path) as log:
        assert [entry["key"] for entry in log.entries()] == [str(number) for number in range(written)]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A reader of the manifest sees the old or the new one; no draft stays behind."""
    path = tmp_path / "manifest.json"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["manifest.json"]
    assert path.read_bytes() == b"new"
