"""Files that other tools read, held to those tools' own published schemas."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.places import DEPLOY

COMPOSE = DEPLOY / "compose" / "compose.yaml"


def fits(path: Path, schema: str) -> bool:
    """Say whether a file fits a schema that check-jsonschema carries; nothing is fetched."""
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path))
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (COMPOSE, "compose-spec"),
        (DEPLOY / "ci" / "github-policy-gate.yml", "github-workflows"),
        (DEPLOY / "ci" / "gitlab-policy-gate.yml", "gitlab-ci"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_files_fit_their_schema(path: Path, schema: str) -> None:
    """Compose, GitHub and GitLab know every key that the shipped files use."""
    assert fits(path, schema)


def test_a_misspelt_key_is_found(tmp_path: Path) -> None:
    """The schema refuses what no engine would understand."""
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text(encoding="utf-8").replace("stop_grace_period", "stop_grace"))
    assert not fits(wrong, "compose-spec")
