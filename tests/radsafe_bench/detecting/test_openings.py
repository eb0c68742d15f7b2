"""The ledger: certification questions are opened on purpose, once for what is frozen, and on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from gatekeeper.calibration import Calibration
from gatekeeper.checks import Slots
from gatekeeper.errors import AuditError, ConfigurationError
from radsafe_bench.detecting import Opening, open_certification
from radsafe_bench.detecting.openings import frozen_in
from tests.radsafe_bench.gate.conftest import FINGERPRINT, bundle

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMMAND = ["radsafe-bench", "detectors", "--split", "certification"]


def opened(ledger: Path, policy: str = "a", again: str | None = None) -> Opening:
    """Open with a policy's digest."""
    return open_certification(ledger, {"policy": policy}, COMMAND, "for the release", NOW, again)


def test_an_opening_is_written_down(tmp_path: Path) -> None:
    """Date, digests, command and reason can be read in the repository ever after."""
    ledger = tmp_path / "reports" / "openings.jsonl"
    assert opened(ledger) == Opening(0, 0)
    line = orjson.loads(ledger.read_bytes())
    assert line["at"] == NOW.isoformat()
    assert (line["reason"], line["command"], line["frozen"]) == ("for the release", COMMAND, {"policy": "a"})


def test_the_same_thing_is_not_opened_twice_without_a_reason(tmp_path: Path) -> None:
    """A second look with nothing changed is refused; with a reason it is counted and told."""
    ledger = tmp_path / "openings.jsonl"
    opened(ledger)
    with pytest.raises(ConfigurationError, match="opened 1 times with exactly this code"):
        opened(ledger)
    assert opened(ledger, again="the machine broke down") == Opening(1, 1)
    assert len(ledger.read_bytes().splitlines()) == 2


def test_something_else_may_be_opened_and_earlier_looks_are_told(tmp_path: Path) -> None:
    """A changed policy looks for the first time, at questions that others have seen."""
    ledger = tmp_path / "openings.jsonl"
    opened(ledger)
    assert opened(ledger, "b") == Opening(1, 0)


@pytest.mark.parametrize(("reason", "again"), [("", None), (" ", None), ("why", "")])
def test_a_reason_is_words(reason: str, again: str | None, tmp_path: Path) -> None:
    """Nothing is opened for no stated reason."""
    with pytest.raises(ConfigurationError, match="say in words"):
        open_certification(tmp_path / "openings.jsonl", {}, COMMAND, reason, NOW, again)
    assert not (tmp_path / "openings.jsonl").exists()


def test_a_line_cannot_be_taken_out(tmp_path: Path) -> None:
    """A ledger that was changed is refused, so looks cannot be forgotten."""
    ledger = tmp_path / "openings.jsonl"
    opened(ledger)
    opened(ledger, "b")
    ledger.write_bytes(ledger.read_bytes().splitlines(keepends=True)[1])
    with pytest.raises(AuditError, match="line 1 does not follow"):
        opened(ledger, "c")


def test_everything_that_decides_is_frozen(calibration: Callable[..., Calibration]) -> None:
    """Policy, code, calibrations and a check's own model each make another candidate."""

    class Modelled(Slots):
        digest = "sha256:model"

    made = calibration()
    plain = frozen_in(bundle(calibrations=[made]), records="sha256:run")
    assert plain["code"].startswith("sha256:")
    assert plain["calibrations"] == [made.digest]
    assert plain["records"] == "sha256:run"
    assert plain["models"] == {}
    assert made.fingerprint == FINGERPRINT
    assert frozen_in(replace(bundle(), checks=(Modelled(),)))["models"] == {"slots": "sha256:model"}
