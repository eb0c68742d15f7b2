"""The process log: one JSON object per line on standard error, never a text of an exchange."""

import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

import orjson

logger = logging.getLogger("gatekeeper")


class JsonLines(logging.Formatter):
    """Formats records as JSON. Of an exception its type and the places it came through, not its message.

    Messages of exceptions may quote what they choked on, which may be a patient's text; so may those of
    other libraries, of which only the form is told. `fixed` fields stand in every line.
    """

    def __init__(self, **fixed: object) -> None:
        super().__init__()
        self._fixed = fixed

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        told = _own(record) if record.name == logger.name else _foreign(record)
        if record.exc_info and record.exc_info[1] is not None:
            told |= _raised(record.exc_info[1])
        return self.line(datetime.fromtimestamp(record.created, UTC), record.levelname, told)

    def line(self, at: datetime, level: str, told: Mapping[str, object]) -> str:
        """Return one line of JSON."""
        entry = {
            "at": at,
            "level": level.lower(),
            **self._fixed,
            **told,
        }
        return orjson.dumps(entry, default=lambda value: type(value).__name__).decode()


class _Lines(logging.StreamHandler[TextIO]):
    """Writes the process log, and the process's own events without a record's way through `logging`.

    That way runs a dozen functions, which no other part of a request keeps in the processor's cache.
    """

    def __init__(self, stream: TextIO, lines: JsonLines) -> None:
        super().__init__(stream)
        self.setFormatter(lines)
        self._lines = lines

    def event(self, level: int, event: str, fields: dict[str, object]) -> None:
        """Write one event; like any handler, raise nothing where that cannot be done."""
        self.acquire()
        try:
            line = self._lines.line(
                datetime.now(UTC), logging.getLevelName(level), {"event": event, **fields}
            )
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except Exception:
            return
        finally:
            self.release()


def _own(record: logging.LogRecord) -> dict[str, object]:
    return {"event": record.getMessage(), **getattr(record, "fields", {})}


def _foreign(record: logging.LogRecord) -> dict[str, object]:
    told: dict[str, object] = {
        "event": "a library reports",
        "logger": record.name,
    }
    if record.args and isinstance(record.msg, str):
        told["about"] = record.msg  # the form alone, without what was to be put into it
    if isinstance(record.msg, OSError):  # an address in use, a directory that may not be read
        told["why"] = record.msg.strerror
    return told


def _raised(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    told: dict[str, object] = {
        "error": type(error).__name__,
        "trace": [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames],
    }
    if isinstance(error, BaseExceptionGroup):
        told["within"] = [_raised(inner) for inner in error.exceptions]
    return told


def set_up_logging(level: str, **fixed: object) -> None:
    """Send this process's log to standard error at a level, and silence the libraries' own.

    `fixed` fields stand in every line, such as the number of a worker. What no line says (thread, process,
    place in the code) is not looked up for it. What would end on standard error past the log (an error
    nobody caught, a record that cannot be written) goes through it too, or nowhere: it would quote what it
    choked on.
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as the logging HOWTO's section on optimisation has it
    root = logging.getLogger()
    root.handlers[:] = [_Lines(sys.stderr, JsonLines(**fixed))]
    root.setLevel(logging.WARNING)
    logger.setLevel(level.upper())
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda hook: _uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)
    threading.excepthook = lambda hook: _uncaught(hook.exc_type, hook.exc_value, hook.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    caught = error if error is not None else kind()
    logger.critical("uncaught error", exc_info=(kind, caught, trace))


def log(level: int, event: str, **fields: object) -> None:
    """Log an event with fields; fields hold ids, numbers and enums only."""
    handler = next(iter(logger.root.handlers), None)
    if not isinstance(handler, _Lines):
        logger.log(level, event, extra={"fields": fields})
    elif logger.isEnabledFor(level):
        handler.event(level, event, fields)
