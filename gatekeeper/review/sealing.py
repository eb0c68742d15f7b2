"""Text at rest: AES-256-GCM, bound to the row that it stands in."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatekeeper.errors import ConfigurationError, ReviewError

_NONCE = 12


class Seal:
    """Seals with the first key and opens with any, so that keys can be changed without losing texts."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys]

    def close(self, content: dict[str, Any], row: str) -> bytes:
        """Encrypt content for one row; it opens under that row's name only."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, orjson.dumps(content), row.encode())

    def open(self, sealed: bytes, row: str) -> dict[str, Any]:
        """Decrypt; raise ReviewError when no key fits, or the bytes belong to another row."""
        for cipher in self._ciphers:
            try:
                opened = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], row.encode())
            except InvalidTag:
                continue
            content: dict[str, Any] = orjson.loads(opened)
            return content
        raise ReviewError("a text in the review store opens with none of the keys given; add the older key")


def read_keys(text: str) -> list[bytes]:
    """Return the keys of a text: base64 of 32 bytes each, separated by white space, the newest first."""
    try:
        keys = [base64.b64decode(word, altchars=b"-_", validate=True) for word in text.split()]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != 32 for key in keys):
        raise ConfigurationError(
            "review_key: is no base64 of 32 bytes; make one with `gatekeeper review key`"
        )
    return keys


def load_seal(key: str | None, file: Path | None) -> Seal | None:
    """Return the seal of a key or a key file, None where neither is given: then no text is kept."""
    if key and file:
        raise ConfigurationError("review_key and review_key_file are both given; keep one of them")
    if file is not None:
        try:
            key = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file}: cannot be read as a key file") from error
    return Seal(read_keys(key)) if key else None


def new_key() -> str:
    """Return a fresh key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
