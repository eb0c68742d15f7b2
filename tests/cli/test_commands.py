"""The other commands: policies, the decision log, keys, and errors in one line."""

from pathlib import Path

import jsonschema
import orjson
import pytest
import yaml
from click.testing import CliRunner, Result

from gatekeeper.audit import DecisionLog
from gatekeeper.cli import main
from gatekeeper.server.auth import ApiKeys


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, list(arguments))


def test_validate_accepts_shipped_policies() -> None:
    """Every shipped policy is valid and its digest is printed."""
    result = run("policy", "validate", *map(str, sorted(Path("policies").glob("*.yaml"))))
    assert result.exit_code == 0
    assert result.output.count("sha256:") == 4


def test_validate_names_file_and_line(tmp_path: Path) -> None:
    """A broken policy is one line on standard error and exit code 2."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: broken\nversion: '1'\nrules: []\n")
    result = run("policy", "validate", str(broken))
    assert result.exit_code == 2
    assert f"{broken}: line 3" in result.stderr


@pytest.mark.parametrize("name", ["default", "strict", "reading", "shadow"])
def test_schema_describes_the_shipped_policies(name: str) -> None:
    """The exported JSON Schema accepts what the loader accepts, and refuses an unknown key."""
    schema = orjson.loads(run("policy", "schema").output)
    policy = yaml.safe_load((Path("policies") / f"{name}.yaml").read_text())
    jsonschema.validate(policy, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**policy, "mood": "grim"}, schema)


def test_explain_says_what_a_policy_does() -> None:
    """The explanation names actions, signals and thresholds, strictest first."""
    lines = run("policy", "explain", "policies/default.yaml").output.splitlines()
    assert "enforces" in lines[0]
    assert lines[1].split()[:3] == ["abstain", "when", "evidence.state"]
    assert any("p_contradicted ≥ 0.5 (or cannot be measured)" in line for line in lines)


def test_explain_lists_the_vocabulary() -> None:
    """Without a file, every signal is listed with its meaning."""
    assert (
        "p_wrong                  probability that the answer is wrong (0 to 1)"
        in run("policy", "explain").output
    )


def test_audit_verify(tmp_path: Path) -> None:
    """A whole log verifies; a changed one is exit code 2; a cut one shows against a kept head."""
    path = tmp_path / "log.jsonl"
    log = DecisionLog(path)
    head = log.append({"event": "decision", "n": 1})
    log.append({"event": "decision", "n": 2})
    log.close()
    assert run("audit", "verify", str(path)).exit_code == 0
    assert run("audit", "verify", str(path), "--head", head.digest).exit_code == 1
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    broken = run("audit", "verify", str(path))
    assert (broken.exit_code, "line 2" in broken.stderr) == (2, True)


def test_key_new(tmp_path: Path) -> None:
    """A new key works, and a second one of the same name is refused."""
    path = tmp_path / "keys"
    key = run("key", "new", "app", "--file", str(path)).output.strip()
    assert ApiKeys.load(path).check(f"Bearer {key}".encode()) == "app"
    assert run("key", "new", "app", "--file", str(path)).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--backend", "openai"], "--upstream"),
        (["--backend", "scripted"], "--script"),
        (["--backend", "extractive", "--upstream", "http://x/v1"], "drop one"),
        (["--config", "nowhere.yaml"], "no such config file"),
        (["--policy", "nowhere.yaml"], "cannot be read"),
        (["--port", "99999"], "port"),
    ],
)
def test_serve_refuses_settings_that_cannot_work(arguments: list[str], hint: str) -> None:
    """Settings that contradict each other are one line and exit code 2, before anything listens."""
    result = run("serve", *arguments)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert "Traceback" not in result.output


def test_a_key_file_in_a_new_folder(tmp_path: Path) -> None:
    """A key file's folder is made; where that cannot be, one line says so."""
    path = tmp_path / "secrets" / "api-keys"
    key = run("key", "new", "app", "--file", str(path)).output.strip()
    assert ApiKeys.load(path).check(f"Bearer {key}".encode()) == "app"
    refused = run("key", "new", "app", "--file", str(path / "below-a-file"))
    assert (refused.exit_code, "cannot be written" in refused.stderr) == (2, True)


def test_a_mistyped_review_database_is_no_empty_queue(tmp_path: Path) -> None:
    """A reviewer who mistypes the path is told so, not that nothing waits; and no file is made."""
    path = tmp_path / "reviews.db"
    refused = run("review", "list", "--review-db", f"sqlite:///{path}")
    assert (refused.exit_code, "there is no such database" in refused.stderr) == (2, True)
    assert not path.exists()
