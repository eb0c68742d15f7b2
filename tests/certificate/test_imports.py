"""What verifying a certificate needs, and what serving without one does not."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("gatekeeper.server.app", "cryptography"),
        ("gatekeeper.server.certification", "radsafe_bench"),
        ("gatekeeper.server.certification", "scipy"),
    ],
)
def test_importing_a_module_leaves_others_out(module: str, absent: str) -> None:
    """A serving process carries neither the bench nor, without certificates, a cryptography library."""
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
