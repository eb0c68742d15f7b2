"""`gatekeeper`, with a check that fails in every way that a process can, each time quoting the answer.

    python -m tests.faults.crashing serve …

An answer that says `crash:WAY` chooses the way.
"""

import asyncio
import logging
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Final

from gatekeeper.assessment import Finding, Subject
from gatekeeper.checks import Slots
from gatekeeper.cli import main


class Fatal(BaseException):
    """What no `except Exception` catches."""


class _Unraisable:
    def __init__(self, text: str) -> None:
        self._text = text

    def __del__(self) -> None:
        raise ValueError(self._text)


def _check(text: str) -> None:
    raise ValueError(text)


def _fatal(text: str) -> None:
    raise Fatal(text)


def _group(text: str) -> None:
    raise ExceptionGroup(text, [ValueError(text), KeyError(text)])


def _task(text: str) -> None:
    async def fails() -> None:
        raise ValueError(text)

    asyncio.get_running_loop().create_task(fails(), name=text)


def _callback(text: str) -> None:
    asyncio.get_running_loop().call_soon(_check, text)


def _thread(text: str) -> None:
    threading.Thread(target=_check, args=(text,), name=text).start()


def _unraisable(text: str) -> None:
    _Unraisable(text)


def _library(text: str) -> None:
    logging.getLogger("some.library").error("cannot read %s", text)
    logging.getLogger("some.library").error(f"cannot read {text}", exc_info=ValueError(text))  # noqa: G004


def _unwritable(text: str) -> None:
    logging.getLogger("gatekeeper").error("a number: %d", text)


def _warning(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=1)


WAYS: Final[dict[str, Callable[[str], None]]] = {
    "check": _check,
    "fatal": _fatal,
    "group": _group,
    "task": _task,
    "callback": _callback,
    "thread": _thread,
    "unraisable": _unraisable,
    "library": _library,
    "unwritable": _unwritable,
    "warning": _warning,
}
_judge = Slots.__call__


async def _judging(check: Slots, subject: Subject) -> Sequence[Finding]:
    for way, fail in WAYS.items():
        if f"crash:{way} " in subject.answer.content:
            fail(subject.answer.content)
    return await _judge(check, subject)


if __name__ == "__main__":
    Slots.__call__ = _judging  # type: ignore[method-assign, assignment]  # this process is here to fail
    main()
