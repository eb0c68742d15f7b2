"""A process says which build it runs, and refuses compiled modules of other sources."""

import hashlib
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import orjson
import pytest

from gatekeeper.build import MANIFEST, build_of
from gatekeeper.errors import ConfigurationError
from tests.load.builds import environment


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a package of which one module was compiled."""
    root = tmp_path / "gatekeeper"
    (root / "checks").mkdir(parents=True)
    source = root / "checks" / "triage.py"
    source.write_text("HARMLESS = True\n")
    source.with_suffix(EXTENSION_SUFFIXES[0]).write_bytes(b"compiled")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    (root / MANIFEST).write_bytes(orjson.dumps({"sources": {"gatekeeper/checks/triage.py": digest}}))
    return root


def test_sources_alone_are_the_pure_build(tmp_path: Path) -> None:
    """Without a compiler nothing changes."""
    (tmp_path / "gate.py").write_text("")
    assert build_of(tmp_path) == "pure"


def test_modules_of_their_own_sources_are_the_compiled_build(package: Path) -> None:
    """What was installed from a compiled wheel runs."""
    assert build_of(package) == "compiled"


def test_a_source_changed_after_compiling_is_refused(package: Path) -> None:
    """An edit would have no effect, because Python prefers the compiled module."""
    (package / "checks" / "triage.py").write_text("HARMLESS = False\n")
    with pytest.raises(ConfigurationError, match=r"triage.* not compiled from the source beside it"):
        build_of(package)


@pytest.mark.parametrize("missing", [MANIFEST, "checks/triage.py"])
def test_a_compiled_module_of_unknown_origin_is_refused(package: Path, missing: str) -> None:
    """A module left over from another build decides nothing."""
    (package / missing).unlink()
    with pytest.raises(ConfigurationError, match="build and install"):
        build_of(package)


def test_the_version_names_the_build(compiled: Path) -> None:
    """An operator sees which build is installed."""
    assert "(compiled)" in _gatekeeper(compiled, "--version").stdout
    pure = subprocess.run(
        (sys.executable, "-m", "gatekeeper", "--version"), capture_output=True, text=True, check=True
    )
    assert "(pure)" in pure.stdout


def test_a_server_refuses_to_start_with_stale_modules(compiled: Path, tmp_path: Path) -> None:
    """The real compiled package, one of its sources edited: one line says what to do."""
    for path in compiled.rglob("*"):
        if path.is_file() and path.relative_to(compiled).parts[0] != "radsafe_bench":
            copy = tmp_path / path.relative_to(compiled)
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, copy)
    edited = tmp_path / "gatekeeper" / "assess.py"
    text = edited.read_text()
    edited.unlink()
    edited.write_text(text + "\n")
    refused = _gatekeeper(tmp_path, "serve", "--port", "0", check=False)
    assert refused.returncode == 2
    assert "assess" in refused.stderr
    assert "was not compiled from the source beside it" in refused.stderr


def _gatekeeper(package: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-P", "-m", "gatekeeper", *arguments)
    return subprocess.run(
        command, env=environment(package), capture_output=True, text=True, check=check, timeout=60
    )
