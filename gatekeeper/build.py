"""Which build runs: pure Python, or with the hot path compiled by mypyc (`hatch_build.py`).

Python prefers a compiled module to the source beside it, so one left over from other sources would decide
unnoticed, under a certificate that holds for the sources. Hence the manifest: it names the digest of every
source that was compiled.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final, Literal

import orjson

from gatekeeper.errors import ConfigurationError

MANIFEST: Final = "compiled.json"

Build = Literal["compiled", "pure"]


@cache
def build_of(root: Path = Path(__file__).parent) -> Build:
    """Return which build of the package lies at `root`.

    Raises ConfigurationError where a compiled module was not built from the source beside it.
    """
    compiled = [path for path in root.rglob("*") if path.name.endswith(tuple(EXTENSION_SUFFIXES))]
    if not compiled:
        return "pure"
    manifest = root / MANIFEST
    sources = orjson.loads(manifest.read_bytes())["sources"] if manifest.exists() else {}
    stale = [path for path in compiled if not _fits(path, root, sources)]
    if stale:
        raise ConfigurationError(
            f"{min(stale)} was not compiled from the source beside it: build and install the package again, "
            "or remove its compiled files"
        )
    return "compiled"


def _fits(compiled: Path, root: Path, sources: Mapping[str, str]) -> bool:
    source = compiled.with_name(compiled.name.partition(".")[0] + ".py")
    digest = sources.get(f"gatekeeper/{source.relative_to(root).as_posix()}")
    return source.exists() and hashlib.sha256(source.read_bytes()).hexdigest() == digest
