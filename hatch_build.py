"""Build hook: with COMPILE_HOT_PATH=1 a wheel holds the hot path compiled by mypyc, beside its sources.

The sources stay the package: they are what is read, what certificates hash, and what runs where no compiled
module fits. `compiled.json` in the package names the digest of every source that was compiled, so that a
process can refuse modules that were built from other ones (`gatekeeper/build.py`).

GCC compiles twice: the first build counts which way every branch goes while `gatekeeper check` judges the
shipped suite's evidence, the second lays out beside each other what ran; most of what mypyc writes is for
errors that do not happen. So the environment must hold what the package needs to run (the core lock).
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SETUP = """
import os
import sys

from mypyc.build import mypycify
from setuptools import setup

name, *modules = sys.argv[1:]
slots = [path for path in modules if "/slots/" in path]
beside = [path for path in modules if "/slots/" not in path]
extensions = mypycify(
    ["--config-file", "mypyc.ini", *modules],
    opt_level="2",
    debug_level="0",
    separate=[(slots, f"{name}_slots"), (beside, name)],  # two, so that two cores compile them
)
setup(
    name="gatekeeper",
    packages=[],
    ext_modules=extensions,
    script_args=["build_ext", "--build-lib", "built", "--force", "--parallel", str(os.cpu_count())],
)
"""
_SETTINGS = "[mypy]\nignore_missing_imports = True\n"
"""Types are checked strictly elsewhere; here only what is compiled has to be understood."""

_FLAGS = "-fvisibility=hidden -fno-semantic-interposition -fno-plt"
"""Functions call each other, and the interpreter, without a stop at a table that nobody overrides."""


class CompiledBuild(BuildHookInterface[Any]):
    """Adds compiled modules to a wheel where the environment asks for them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name what the wheel is to hold beside the sources."""
        if self.target_name != "wheel" or version == "editable" or not os.environ.get("COMPILE_HOT_PATH"):
            return
        root = Path(self.root)
        modules = sorted(
            {path.relative_to(root) for glob in self.config["modules"] for path in root.glob(glob)}
        )
        sources = {
            path.as_posix(): hashlib.sha256((root / path).read_bytes()).hexdigest() for path in modules
        }
        manifest = json.dumps({"sources": sources}, indent=1) + "\n"
        # What the compiled modules share lies at the top, so its name must be that of no other build.
        name = f"gatekeeper_{hashlib.sha256(manifest.encode()).hexdigest()[:12]}"
        self._folder = Path(tempfile.mkdtemp())
        built = self._folder / "built"
        (built / "gatekeeper").mkdir(parents=True)
        (built / "gatekeeper" / "compiled.json").write_text(manifest, encoding="utf-8")
        _compile(root, list(sources), name, self._folder)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for path in built.rglob("*"):
            if path.is_file():
                build_data["force_include"][str(path)] = path.relative_to(built).as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if hasattr(self, "_folder"):
            shutil.rmtree(self._folder)


def _compile(root: Path, modules: list[str], name: str, folder: Path) -> None:
    """Compile modules in a copy of the package: no compiled file ever lies beside the sources themselves."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "gatekeeper", folder / "gatekeeper", ignore=ignored)
    (folder / "mypyc.ini").write_text(_SETTINGS, encoding="utf-8")
    (folder / "setup.py").write_text(_SETUP, encoding="utf-8")
    command = ("setup.py", name, *modules)
    if not _is_gcc():
        _run(folder, *command)
        return
    flags = f"{os.environ.get('CFLAGS', '')} {_FLAGS}"
    _run(folder, *command, CFLAGS=f"{flags} -fprofile-generate")
    training = folder / "training"
    shutil.copytree(folder / "built", training)
    shutil.copytree(folder / "gatekeeper", training / "gatekeeper", dirs_exist_ok=True)
    _train(root, folder, training)
    _run(folder, *command, CFLAGS=f"{flags} -fprofile-use -Wno-missing-profile")


def _is_gcc() -> bool:
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if not shutil.which(compiler[0]):
        return False
    told = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False).stdout
    return "Free Software Foundation" in told


def _train(root: Path, folder: Path, package: Path) -> None:
    """Judge the suite's evidence by itself, by what contradicts it, and by a letter."""
    suite = root / "radsafe_bench" / "suites" / "radsafe200" / "questions.jsonl"
    exchanges = folder / "exchanges.jsonl"
    with suite.open(encoding="utf-8") as questions, exchanges.open("w", encoding="utf-8") as lines:
        for question in map(json.loads, questions):
            lines.writelines(json.dumps(exchange) + "\n" for exchange in _exchanges(question))
    policy = root / "policies" / "default.yaml"
    command = ("-P", "-m", "gatekeeper", "check", "--jsonl", str(exchanges), "--policy", str(policy))
    _run(folder, *command, held=True, PYTHONPATH=str(package), PYTHONHASHSEED="0")


def _exchanges(question: dict[str, Any]) -> Iterator[dict[str, Any]]:
    clean, conflict = (question["evidence"][kind]["text"] for kind in ("clean", "conflict"))
    options = {option["letter"]: option["text"] for option in question["options"]}
    asked = {"question": question["stem"], "options": options}
    for evidence in ([clean], [conflict], [clean, conflict]):
        for answer in (clean, conflict, "The answer is B."):
            words = answer.replace(" ", "\n ").split("\n")
            yield {**asked, "evidence": evidence, "answer": answer, "tokens": [_row(word) for word in words]}


def _row(word: str) -> dict[str, Any]:
    top = [{"token": f"{word}{rank}", "logprob": -0.1 - rank} for rank in range(5)]
    return {"token": word, "logprob": -0.1, "bytes": list(word.encode()), "top_logprobs": top}


def _run(folder: Path, *command: str, held: bool = False, **environment: str) -> None:
    """Run a step of the build with Python; with `held`, exit code 1 says that it did its work."""
    done = subprocess.run(
        (sys.executable, *command),
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > held:
        lines = (done.stdout + done.stderr).splitlines()
        told = [line for line in lines if ": error:" in line] or lines
        raise RuntimeError("the hot path could not be compiled:\n" + "\n".join(told[-20:]))
