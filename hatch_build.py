"""Build hook: with COMPILE_HOT_PATH=1 a wheel holds the hot path compiled by mypyc, beside its sources.

The sources stay the package: they are what is read, what certificates hash, and what runs where no compiled
module fits. `compiled.json` in the package names the digest of every source that was compiled, so that a
process can refuse modules that were built from other ones (`gatekeeper/build.py`).
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
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
    script_args=["build_ext", "--build-lib", "built", "--parallel", str(os.cpu_count())],
)
"""
_SETTINGS = "[mypy]\nignore_missing_imports = True\n"
"""Types are checked strictly elsewhere; here only what is compiled has to be understood."""


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
        _compile(root, list(sources), name, self._folder)
        built = self._folder / "built"
        (built / "gatekeeper" / "compiled.json").write_text(manifest, encoding="utf-8")
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
    shutil.copytree(root / "gatekeeper", folder / "gatekeeper", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "mypyc.ini").write_text(_SETTINGS, encoding="utf-8")
    (folder / "setup.py").write_text(_SETUP, encoding="utf-8")
    command = (sys.executable, "setup.py", name, *modules)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()
        told = [line for line in lines if ": error:" in line] or lines
        raise RuntimeError("the hot path could not be compiled:\n" + "\n".join(told[-20:]))
