"""Signing keys (ed25519), and the file of public keys that a deployment trusts.

A trusted key is one line, `ed25519 BASE64 NAME`; the name says who signs with it. Empty lines and
lines that begin with # do not count.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gatekeeper.errors import CertificateError

_KIND: Final = "ed25519"
MAX_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key and the name of who signs with it; `id` is the SHA-256 of the key as hex."""

    id: str
    name: str
    key: Ed25519PublicKey


TrustedKeys = Mapping[str, TrustedKey]
"""Trusted keys by their id."""


def new_key() -> Ed25519PrivateKey:
    """Return a fresh signing key."""
    return Ed25519PrivateKey.generate()


def key_id(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a public key's 32 bytes, as hex."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def trusted_line(key: Ed25519PublicKey, name: str) -> str:
    """Return the line that makes a deployment trust a key."""
    return f"{_KIND} {base64.b64encode(key.public_bytes_raw()).decode()} {name}"


def write_signing_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a signing key as PKCS #8 PEM, readable by its owner only; never over an existing file."""
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CertificateError(f"{path}: exists already; a signing key is never overwritten") from None
    except OSError as error:
        raise CertificateError(f"{path}: cannot be written ({error.strerror})") from error
    with os.fdopen(file, "wb") as stream:
        stream.write(data)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key; raise CertificateError where the file holds none."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise CertificateError(
            f"{path}: is no ed25519 signing key; make one with `radsafe-bench certify keygen`"
        )
    return key


def load_trusted_keys(path: Path) -> TrustedKeys:
    """Read the keys that certificates may be signed with; raise CertificateError naming the bad line."""
    keys = {key.id: key for key in _keys(path)}
    if not keys:
        raise CertificateError(f"{path}: holds no key, so no certificate can be trusted")
    return keys


def _keys(path: Path) -> Iterator[TrustedKey]:
    try:
        lines = _read(path).decode().splitlines()
    except UnicodeDecodeError:
        raise CertificateError(f"{path}: is no text file of trusted keys") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, rest = line.strip().partition(" ")
        encoded, _, name = rest.strip().partition(" ")
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded, validate=True))
        except (ValueError, binascii.Error):
            key = None
        if kind != _KIND or key is None or not name.strip():
            raise CertificateError(f"{path} line {number}: a trusted key reads `{_KIND} BASE64 NAME`")
        yield TrustedKey(key_id(key), name.strip(), key)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CertificateError(f"{path}: larger than {MAX_BYTES} bytes; this is no key file")
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read ({error.strerror})") from error
