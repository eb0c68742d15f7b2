"""The process log: one JSON object per line on standard error, never a text of an exchange."""

import logging
import sys
import traceback
from datetime import UTC, datetime

import orjson

logger = logging.getLogger("gatekeeper")


class JsonLines(logging.Formatter):
    """Formats records as JSON. Of an exception its type and the places it came through, not its message.

    Messages of exceptions may quote what they choked on, which may be a patient's text. `fixed` fields
    stand in every line.
    """

    def __init__(self, **fixed: object) -> None:
        super().__init__()
        self._fixed = fixed

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **self._fixed,
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["error"] = record.exc_info[0].__name__
            entry["trace"] = [
                f"{frame.filename}:{frame.lineno}:{frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return orjson.dumps(entry, default=str).decode()


def set_up_logging(level: str, **fixed: object) -> None:
    """Send this process's log to standard error at a level, and silence the libraries' own.

    `fixed` fields stand in every line, such as the number of a worker. What no line says (thread, process,
    place in the code) is not looked up for it.
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as the logging HOWTO's section on optimisation has it
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(**fixed))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logger.setLevel(level.upper())


def log(level: int, event: str, **fields: object) -> None:
    """Log an event with fields; fields hold ids, numbers and enums only."""
    logger.log(level, event, extra={"fields": fields})
