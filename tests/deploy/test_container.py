"""The container files: the install steps run for real in a clean root, the rest read."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from gatekeeper.cli.serve import serve_command
from tests.deploy.places import DEPLOY, REPOSITORY
from tests.load.builds import compiled

CONTAINER = DEPLOY / "container"
FILES = ("Containerfile", "Containerfile.cuda")
NOBODY = 10001
SYSTEM_PYTHON = Path("/usr/bin/python3")
PYTHON = SYSTEM_PYTHON if SYSTEM_PYTHON.exists() else Path(sys.executable)
"""The interpreter that other users can run, too: one below a home directory is root's alone."""
LOCKS = (REPOSITORY / "requirements" / "core.txt", CONTAINER / "postgres.txt", CONTAINER / "nli.txt")


@pytest.fixture(scope="module")
def clean_root() -> Iterator[Path]:
    """Install as the container build does, into a directory that any user may read and only we may write.

    What is installed is the compiled wheel, where `make compiled` built it of these sources.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "gatekeeper"
        _run("install.sh", root, *(lock.relative_to(REPOSITORY) for lock in LOCKS))
        yield root


def _run(script: str, *arguments: str | Path) -> None:
    # Packages that PYTHONPATH shows would count as installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PYTHON"] = str(PYTHON)
    if compiled():
        (wheel,) = (REPOSITORY / "build").glob("*.whl")
        environment["PACKAGE"] = str(wheel)
    command = (CONTAINER / script, *arguments)
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)


@pytest.mark.slow
def test_an_unprivileged_user_serves_from_the_installed_root(clean_root: Path) -> None:
    """What the locks install serves, its reader too, as a user who may write only where the data lies."""
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    data = Path(tempfile.mkdtemp(dir=clean_root.parent))
    os.chown(data, user, -1)
    (policy,) = clean_root.rglob("shipped_policies/reading.yaml")
    serve = (clean_root / "bin" / "gatekeeper", "serve", "--port", "0", "--policy", policy)
    process = subprocess.Popen(
        (*serve, "--audit-log", data / "log.jsonl"),
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
        user=user,
    )
    try:
        assert process.stderr is not None
        said = next((line for line in process.stderr if '"ready"' in line), "{}")
        assert orjson.loads(said).get("backend") == "extractive"
        assert orjson.loads(said).get("build") == ("compiled" if compiled() else "pure")
        assert (data / "log.jsonl").stat().st_uid == user
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.slow
def test_the_bill_of_materials_lists_what_is_installed(clean_root: Path, tmp_path: Path) -> None:
    """Every locked package stands in the bill of materials with its version, and the tool itself does not."""
    _run("sbom.sh", clean_root, tmp_path / "sbom.json")
    bill = orjson.loads((tmp_path / "sbom.json").read_bytes())
    listed = {f"{part['name'].lower()}=={part['version']}" for part in bill["components"]}
    locked = set()
    for lock in LOCKS:
        locked |= set(re.findall(r"(?m)^([\w.-]+==[\w.]+)", lock.read_text(encoding="utf-8")))
    assert locked - {name.replace("_", "-") for name in listed} == set()
    assert not any(name.startswith("cyclonedx") for name in listed)


@pytest.mark.parametrize("name", FILES)
def test_images_run_without_privileges_and_are_watched(name: str) -> None:
    """The last stage ends as a numbered user that is not root, with a health check and no shell as entry."""
    last = (CONTAINER / name).read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert re.search(r"(?m)^USER 10001:10001$", last)
    assert re.search(r"(?m)^HEALTHCHECK .*\\\n +CMD \[", last)
    assert re.search(r'(?m)^ENTRYPOINT \["gatekeeper"\]$', last)
    assert "pip install" not in last


@pytest.mark.parametrize("name", FILES)
def test_images_start_with_options_that_the_gate_takes(name: str) -> None:
    """An image starts as it is, reachable from outside, and no variable of it outdoes a settings file."""
    text = (CONTAINER / name).read_text(encoding="utf-8")
    (command,) = re.findall(r"(?m)^CMD (\[.+\])$", text)
    verb, *options = orjson.loads(command)
    assert verb == "serve"
    assert serve_command.make_context("serve", options).params["host"] == "0.0.0.0"
    assert "GATEKEEPER_" not in text


@pytest.mark.parametrize("name", FILES)
def test_images_copy_only_what_is_there(name: str) -> None:
    """No COPY names a path that the repository does not have, or that the ignore file keeps out."""
    text = (CONTAINER / name).read_text(encoding="utf-8")
    kept = (CONTAINER / f"{name}.dockerignore").read_text(encoding="utf-8")
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", text):
        for source in line.split()[:-1]:
            assert list(REPOSITORY.glob(source)), source
            assert any(source.startswith(entry[1:]) for entry in kept.splitlines() if entry[0] == "!"), source


def test_every_locked_file_has_a_hash() -> None:
    """No lock of the images lets in a file that was not seen when it was locked."""
    for lock in (*CONTAINER.glob("*.txt"), REPOSITORY / "requirements" / "core.txt"):
        entries = re.split(r"(?m)^(?=[\w.-]+==)", lock.read_text(encoding="utf-8"))[1:]
        assert entries
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
