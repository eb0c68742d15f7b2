"""The digest of the deciding code changes with it, and with nothing else."""

import shutil
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import gatekeeper
from gatekeeper.certificate import code_digest

ROOT = Path(gatekeeper.__file__).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package."""
    return Path(shutil.copytree(ROOT, tmp_path / "gatekeeper", ignore=shutil.ignore_patterns("__pycache__")))


def test_an_equal_copy_has_the_same_digest(copy: Path) -> None:
    """The same release installed elsewhere keeps its certificates, compiled files or not."""
    (copy / "checks" / "__pycache__").mkdir()
    (copy / "checks" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    assert code_digest(copy) == code_digest()


@pytest.mark.parametrize(
    "name",
    [
        "gate.py",
        "assess.py",
        "policy/decide.py",
        "wire/logprobs.py",
        "auxiliary/consulted.py",
        "windowing.py",
    ],
)
def test_a_change_to_deciding_code_changes_it(copy: Path, name: str) -> None:
    """One added space in a check voids every certificate."""
    path = copy / name
    path.write_text(path.read_text() + " \n")
    assert code_digest(copy) != code_digest()


def test_a_new_file_among_the_checks_changes_it(copy: Path) -> None:
    """Data that a check reads counts as well as its code."""
    (copy / "checks" / "lexicon.txt").write_text("word\n")
    assert code_digest(copy) != code_digest()


def test_the_server_and_the_command_line_do_not_count(copy: Path) -> None:
    """A fix to the server does not void certificates."""
    path = copy / "server" / "app.py"
    path.write_text(path.read_text() + "\n")
    assert code_digest(copy) == code_digest()


def test_a_compiled_module_does_not_count(copy: Path) -> None:
    """Certificates hold for both builds: what is compiled is the source that was hashed."""
    (copy / "checks" / f"triage{EXTENSION_SUFFIXES[0]}").write_bytes(b"compiled")
    assert code_digest(copy) == code_digest()
