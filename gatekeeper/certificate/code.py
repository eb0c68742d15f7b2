"""The digest of the code that decides: a certificate holds for this very code and no other.

A release that changes any of these files voids every certificate minted before it; one that changes
only the server, the command line or the documentation does not.
"""

import hashlib
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

DECIDING: Final = (
    "assess.py",
    "assessment.py",
    "auxiliary",
    "bundle.py",
    "calibration",
    "checks",
    "claims",
    "evidence",
    "exchange.py",
    "gate.py",
    "policy",
    "prompting.py",
    "windowing.py",
    "wire",
)
"""Modules and packages below `gatekeeper/` that a decision depends on."""


@cache
def code_digest(root: Path = Path(__file__).parent.parent) -> str:
    """Return `sha256:<hex>` over the names and contents of all deciding files, compiled ones left out.

    A compiled module is that of the source beside it, or the process refuses to run (`gatekeeper/build.py`).
    """
    whole = hashlib.sha256()
    for path in sorted(_files(root), key=lambda path: path.relative_to(root).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content}  {path.relative_to(root).as_posix()}\n".encode())
    return "sha256:" + whole.hexdigest()


def _files(root: Path) -> list[Path]:
    found = [path for name in DECIDING for path in (root / name, *(root / name).rglob("*"))]
    return [path for path in found if path.is_file() and not _is_compiled(path)]


def _is_compiled(path: Path) -> bool:
    return "__pycache__" in path.parts or path.name.endswith(tuple(EXTENSION_SUFFIXES))
