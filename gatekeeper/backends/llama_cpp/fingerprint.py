"""What binds a calibration or a certificate to a model file."""

import hashlib
import logging
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gatekeeper.errors import ConfigurationError
from gatekeeper.monitoring.logs import log

_READ: Final = 8 * 1024 * 1024
_REPORT_EVERY_S: Final = 5.0
_SPLIT: Final = re.compile(r"(?P<stem>.+)-00001-of-(?P<count>\d{5})\.gguf")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a model in hex, over all its parts in order; logs how far it is.

    For a model in one file it is what `sha256sum` prints. It is read again at every start: a digest kept
    beside the file could be older than the file, or written by whoever changed it.
    Raises ConfigurationError for a file that cannot be read.
    """
    digest, done, reported = hashlib.sha256(), 0, time.monotonic()
    try:
        parts = _parts(path)
        size = sum(part.stat().st_size for part in parts)
        for data in _blocks(parts):
            digest.update(data)
            done += len(data)
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                log(logging.INFO, "reading the model's digest", percent=100 * done // size)
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def _parts(path: Path) -> list[Path]:
    """Return all files of a model that is split, as llama.cpp names them; it is given the first."""
    split = _SPLIT.fullmatch(path.name)
    if split is None:
        return [path]
    stem, count = split["stem"], split["count"]
    return [path.with_name(f"{stem}-{part:05}-of-{count}.gguf") for part in range(1, int(count) + 1)]


def _blocks(parts: Sequence[Path]) -> Iterator[bytes]:
    for part in parts:
        with part.open("rb", buffering=0) as file:
            while data := file.read(_READ):
                yield data


def fingerprint(digest: str, quantisation: str, chat_template: str) -> str:
    """Name a model by its file's digest; the rest can be read from it, and says what changed.

    Its probabilities are those before sampling, which is stated because other servers give other ones.
    """
    template = hashlib.sha256(chat_template.encode()).hexdigest()[:12]
    return f"llama_cpp:sha256:{digest}#{quantisation}#template:{template}#logprobs:before-sampling"
