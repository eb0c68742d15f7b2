"""API keys: random, kept only as SHA-256 hashes, compared in constant time.

The keys are 256 random bits, so a plain hash of them can be neither guessed nor reversed; a slow
password hash would only slow the request path down.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

from gatekeeper.errors import ConfigurationError, Unauthorized

PREFIX = "gk-"


class ApiKeys:
    """The names and hashes of a key file: one `name:sha256-hex` per line, `#` for comments."""

    def __init__(self, entries: dict[str, bytes]) -> None:
        self._entries = entries

    @classmethod
    def load(cls, path: Path) -> "ApiKeys":
        """Read a key file; raise ConfigurationError naming the line that is no entry."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: cannot be read; make one with `gatekeeper key new`") from error
        entries: dict[str, bytes] = {}
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.startswith("#"):
                name, _, digest = line.strip().partition(":")
                if not name or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                    raise ConfigurationError(f"{path}: line {number} is no 'name:sha256-hex' entry")
                entries[name] = bytes.fromhex(digest)
        if not entries:
            raise ConfigurationError(f"{path}: holds no key; make one with `gatekeeper key new`")
        return cls(entries)

    def check(self, authorization: bytes | None) -> str:
        """Return the name of the key in an Authorization header; raise Unauthorized without one."""
        scheme, _, key = (authorization or b"").partition(b" ")
        given = hashlib.sha256(key.strip()).digest()
        found = ""
        for name, digest in self._entries.items():
            if hmac.compare_digest(digest, given):
                found = name
        if scheme.lower() != b"bearer" or not found:
            raise Unauthorized("no valid API key; send 'Authorization: Bearer KEY'")
        return found


def new_key(name: str, path: Path) -> str:
    """Add a fresh key to a file under a name and return it; it cannot be read back later."""
    if ":" in name or not name.strip() or name.startswith("#"):
        raise ConfigurationError("a key's name must not be empty, hold ':' or begin with '#'")
    if path.exists() and name in ApiKeys.load(path)._entries:
        raise ConfigurationError(f"{path}: there is a key '{name}' already; choose another name")
    key = PREFIX + secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{name}:{hashlib.sha256(key.encode()).hexdigest()}\n")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror})") from error
    return key
