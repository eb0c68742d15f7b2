import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from radsafe_bench import cli
from radsafe_bench.suites import SuiteError


def test_every_command_can_be_imported() -> None:
    """No command in the help ends in a traceback when it is called."""
    for name in cli.COMMANDS:
        result = CliRunner().invoke(cli.main, [name, "--help"])
        assert result.exit_code == 0, result.output


def test_help_imports_no_command() -> None:
    """`radsafe-bench --help` answers at once, without scikit-learn or a spreadsheet library."""
    code = (
        "import sys; from click.testing import CliRunner; from radsafe_bench.cli import main; "
        "result = CliRunner().invoke(main, ['--help']); "
        "assert 'suite' in result.output; "
        "sys.exit(' '.join({'sklearn', 'openpyxl', 'matplotlib'} & set(sys.modules)))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr.strip()) == (0, "") or result.stderr.strip() == ""


def test_the_package_can_be_run() -> None:
    """Where no command is on the path, `python -m radsafe_bench` does the same."""
    asked = [sys.executable, "-m", "radsafe_bench", "--help"]
    assert "gate a deployment" in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    """A typing mistake is told apart from a failed run."""
    assert CliRunner().invoke(cli.main, ["suit"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SuiteError("no suite x"), "Error: no suite x"),
        (ModuleNotFoundError("no", name="sklearn"), "pip install 'radsafe-gatekeeper[bench]'"),
        (ModuleNotFoundError("no", name="huggingface_hub"), "pip install 'radsafe-gatekeeper[hub]'"),
    ],
)
def test_errors_end_with_a_message_and_status_3(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    """An error of ours, or a missing extra, says what to do instead of printing a traceback."""

    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "COMMANDS", {"suite": cli.LazyCommand(f"{__name__}:failing", "Fails.")})
    monkeypatch.setattr(sys.modules[__name__], "failing", failing, raising=False)

    result = CliRunner().invoke(cli.main, ["suite"])

    assert result.exit_code == 3
    assert message in result.output
