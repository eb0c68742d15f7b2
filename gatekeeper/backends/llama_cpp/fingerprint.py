"""What binds a calibration or a certificate to a model file."""

import hashlib
import logging
import time
from pathlib import Path
from typing import Final

from gatekeeper.errors import ConfigurationError
from gatekeeper.monitoring.logs import log

_READ: Final = 8 * 1024 * 1024
_REPORT_EVERY_S: Final = 5.0


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex, the same as `sha256sum` gives; logs how far it is.

    It is read again at every start: a digest kept beside the file could be older than the file, or
    written by whoever changed it.
    """
    digest, done, reported = hashlib.sha256(), 0, time.monotonic()
    try:
        size = path.stat().st_size
        with path.open("rb", buffering=0) as file:
            while data := file.read(_READ):
                digest.update(data)
                done += len(data)
                if time.monotonic() - reported > _REPORT_EVERY_S:
                    reported = time.monotonic()
                    log(logging.INFO, "reading the model's digest", percent=int(100 * done / max(size, 1)))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def fingerprint(digest: str, quantisation: str, chat_template: str) -> str:
    """Name a model by its file's digest; the rest can be read from it, and says what changed.

    Its probabilities are those before sampling, which is stated because other servers give other ones.
    """
    template = hashlib.sha256(chat_template.encode()).hexdigest()[:12]
    return f"llama_cpp:sha256:{digest}#{quantisation}#template:{template}#logprobs:before-sampling"
