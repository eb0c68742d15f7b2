"""Signing keys and the file of keys that a deployment trusts."""

from pathlib import Path

import pytest

from gatekeeper.certificate import (
    load_signing_key,
    load_trusted_keys,
    new_key,
    trusted_line,
    write_signing_key,
)
from gatekeeper.errors import CertificateError


def test_a_signing_key_is_private_and_reads_back(tmp_path: Path) -> None:
    """Nobody but its owner can read the key file."""
    path, key = tmp_path / "gate.key", new_key()
    write_signing_key(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_signing_key(path).public_key() == key.public_key()


def test_a_signing_key_is_never_overwritten(tmp_path: Path) -> None:
    """Running keygen twice does not lose the first key."""
    path = tmp_path / "gate.key"
    write_signing_key(path, new_key())
    before = path.read_bytes()
    with pytest.raises(CertificateError, match="never overwritten"):
        write_signing_key(path, new_key())
    assert path.read_bytes() == before


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    """A wrong file given as --key is named, and its content is not shown."""
    path = tmp_path / "other.pem"
    path.write_text("secret words")
    with pytest.raises(CertificateError, match=r"other\.pem") as refused:
        load_signing_key(path)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("bad", ["ed25519 AAAA name", "rsa AAAA name", "ed25519", "ed25519 {key}"])
def test_a_bad_line_of_trusted_keys_is_named(tmp_path: Path, bad: str) -> None:
    """A key file with a typing error stops the start and says where."""
    line = trusted_line(new_key().public_key(), "x")
    path = tmp_path / "keys"
    path.write_text(f"# keys\n{line}\n{bad.format(key=line.split()[1])}\n")
    with pytest.raises(CertificateError, match="line 3"):
        load_trusted_keys(path)


def test_an_empty_file_of_trusted_keys_is_refused(tmp_path: Path) -> None:
    """Trusting nobody is a configuration error, not a way to start."""
    path = tmp_path / "keys"
    path.write_text("# nobody yet\n")
    with pytest.raises(CertificateError, match="holds no key"):
        load_trusted_keys(path)
