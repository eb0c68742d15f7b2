"""Reading run directories back, whatever an interrupt left in them."""

from pathlib import Path

import orjson
import pytest

from gatekeeper.errors import ConfigurationError
from radsafe_bench.records import GREEDY, load_manifest, load_run, read_records
from tests.radsafe_bench.scoring.small import failed, make_run, make_suite, question, record


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Write a run of two records."""
    suite = make_suite(tmp_path / "suite", question(1), question(2))
    return make_run(tmp_path / "run", suite, [record("q-1", "A"), failed("q-2")], family="f", parameters=7e9)


def test_a_run_comes_back(run: Path) -> None:
    """Manifest and records are read as they were written."""
    loaded = load_run(run)
    assert (
        loaded.name,
        loaded.manifest.model,
        loaded.manifest.family,
        loaded.manifest.parameters,
    ) == ("run", "m", "f", 7e9)
    first, second = loaded.records
    assert (first.letter, first.sample, first.is_greedy, first.error) == ("A", GREEDY, True, None)
    assert second.error is not None
    assert (second.error.code, second.error.status) == ("upstream_timeout", 504)
    assert loaded.manifest.body["backend"] == "openai"


def test_a_torn_last_line_does_not_count(run: Path) -> None:
    """A line that an interrupt cut off is passed over, and the rest is there."""
    file = run / "records.jsonl"
    file.write_bytes(file.read_bytes() + orjson.dumps(record("q-9", "B"))[:40])
    assert [one.question for one in read_records(file)] == ["q-1", "q-2"]


def test_the_later_of_two_lines_counts(run: Path) -> None:
    """A request that was put again replaces its error."""
    file = run / "records.jsonl"
    again = {**record("q-2", "C"), "key": failed("q-2")["key"]}
    file.write_bytes(file.read_bytes() + orjson.dumps(again) + b"\n")
    assert [(one.question, one.letter) for one in read_records(file)] == [("q-1", "A"), ("q-2", "C")]


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"key": "k"}'])
def test_a_malformed_line_is_named(run: Path, line: bytes) -> None:
    """Anything else that is no record stops the reading and says where."""
    file = run / "records.jsonl"
    file.write_bytes(line + b"\n" + file.read_bytes())
    with pytest.raises(ConfigurationError, match=r"records\.jsonl line 1"):
        list(read_records(file))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "no JSON object"), (b"[1]", "no JSON object"), (b'{"model": "m"}', "suite: Field required")],
)
def test_a_malformed_manifest_is_named(run: Path, content: bytes, words: str) -> None:
    """A manifest that cannot be used says what is wrong with it."""
    (run / "manifest.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        load_manifest(run)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    """A folder without a manifest is an error that asks whether it is a run."""
    with pytest.raises(ConfigurationError, match=r"is .* a run"):
        load_run(tmp_path)


def test_missing_records_are_named(run: Path) -> None:
    """A run without its records is an error."""
    (run / "records.jsonl").unlink()
    with pytest.raises(ConfigurationError, match=r"records\.jsonl: cannot be read"):
        load_run(run)
