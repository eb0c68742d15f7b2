"""The ready-made CI workflows call commands and options that exist, in files that are valid."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from radsafe_bench.cli import main

CI = Path(__file__).parents[3] / "deploy" / "ci"
FILES = sorted(CI.iterdir())
CALL = re.compile(r"(?:radsafe-bench|\"\$bench\") +((?:[^\n\\]|\\\n)*)")


def calls(path: Path) -> Iterator[list[str]]:
    """Yield the arguments of every call of `radsafe-bench` in a file, comments aside."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    for match in CALL.finditer(text):
        command = re.split(r"[;|}]| 2>", match[1].replace("\\\n", " "))[0]
        yield shlex.split(command)


def command_of(arguments: list[str]) -> click.Command:
    """Return the command that arguments call."""
    command: click.Command = main
    for name in arguments:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), name)
        assert found is not None, name
        command = found
    return command


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_call_names_existing_commands_and_options(path: Path) -> None:
    """Copying a workflow does not end in a usage error."""
    found = list(calls(path))
    assert found
    for arguments in found:
        command = command_of(arguments)
        known = {option for parameter in command.params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= known


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".yml"], ids=lambda path: path.name
)
def test_workflows_gate_report_and_keep_the_certificate(path: Path) -> None:
    """Each judges, shows the report where it is reviewed, and keeps the certificate as an artefact."""
    assert isinstance(yaml.safe_load(path.read_text()), dict)
    text = path.read_text()
    for needed in ("radsafe-bench gate", "report.md", "certify mint", "certify verify", "site.intoto.jsonl"):
        assert needed in text


def test_the_signing_key_reaches_nothing_but_the_command_that_signs() -> None:
    """The secret is not printed, not an artefact, and not in jobs that run on pull requests."""
    jobs = yaml.safe_load((CI / "github-policy-gate.yml").read_text())["jobs"]
    assert "GATE_SIGNING_KEY" not in str(jobs["gate"])
    assert jobs["certify"]["if"] == "github.event_name == 'push'"
    kept = [
        step["with"]["path"] for step in jobs["certify"]["steps"] if "upload-artifact" in step.get("uses", "")
    ]
    assert kept == ["site.intoto.jsonl\ngate-report\n"]
