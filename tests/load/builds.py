"""The compiled build that `make compiled` leaves: where it lies, while it fits the sources."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / "build" / "compiled"


def compiled() -> Path | None:
    """Return the folder of the compiled package, None where none was built from the sources as they are."""
    sources = (ROOT / "gatekeeper").rglob("*.py")
    same = all(_read(COMPILED / path.relative_to(ROOT)) == path.read_bytes() for path in sources)
    return COMPILED if same else None


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def environment(package: Path) -> dict[str, str]:
    """Return the variables under which `python -P` runs a package, and finds the tests."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
