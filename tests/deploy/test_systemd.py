"""The unit, as systemd itself judges it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gatekeeper.settings import Settings
from tests.deploy.places import DEPLOY

UNIT = DEPLOY / "systemd" / "gatekeeper.service"
ANALYZE = shutil.which("systemd-analyze") or "systemd-analyze"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@needs_systemd
def test_the_unit_is_valid(tmp_path: Path) -> None:
    """The service manager takes every directive; only the program's path is one that exists here."""
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/gatekeeper/bin/gatekeeper", "/bin/true"), encoding="utf-8")
    checked = subprocess.run(
        [ANALYZE, "verify", "--man=no", "--generators=no", str(unit)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert checked.stderr == ""


@needs_systemd
def test_the_unit_is_hardened() -> None:
    """The exposure that systemd finds (0 safe, 10 not) is at most 2."""
    scored = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--no-pager", "--threshold=20", str(UNIT)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert scored.returncode == 0, scored.stdout


def test_variables_are_settings() -> None:
    """No variable of the unit is misspelt."""
    names = re.findall(r"(?m)^Environment=GATEKEEPER_(\w+)=", UNIT.read_text(encoding="utf-8"))
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)


def test_requests_end_before_the_service_does() -> None:
    """A stop waits longer than requests under way may take."""
    (seconds,) = re.findall(r"(?m)^TimeoutStopSec=(\d+)$", UNIT.read_text(encoding="utf-8"))
    assert int(seconds) > Settings.model_fields["drain_s"].default


def test_a_crash_leaves_no_text_on_disk() -> None:
    """No core dump of a process that holds patients' text is written, as the security model says."""
    assert "LimitCORE=0" in UNIT.read_text(encoding="utf-8").splitlines()
