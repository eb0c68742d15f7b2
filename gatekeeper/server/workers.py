"""Several processes: a supervisor forks them, brings back one that dies or hangs, and passes signals on.

They are forked from a process that has loaded the code already, so one that comes back does so at once, and
with the same code.
"""

import gc
import logging
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from gatekeeper.monitoring.logs import log, logger

_REFUSALS: Final = (2, 3)
"""Exit codes of a worker that cannot start: because of settings or files, or of what it would serve."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM)
_HEALTHY_S: Final = 60.0
_LONGEST_WAIT_S: Final = 30.0
_LOOKS: Final = 4
"""How often a supervisor looks at the heartbeats in the time after which a worker counts as hung."""
_FORK_AGAIN_S: Final = 1.0
_HOPELESS: Final = 5
"""Short lives in a row after which a worker counts as one that cannot start."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is told: its number, whether one died in this place before, and its supervisor's pulse.

    `pulse` is a file descriptor that reads as ended once the supervisor is gone. A worker that serves calls
    `beat` about every second.
    """

    number: int
    restarted: bool
    pulse: int
    heartbeats: "memoryview[float]"

    def beat(self) -> None:
        """Tell the supervisor that this worker's event loop runs."""
        self.heartbeats[self.number - 1] = time.monotonic()


@dataclass(slots=True)
class _Worker:
    """One process, or the wait for it; who comes back after a crash takes the same number."""

    number: int
    pid: int | None = None
    born: float = 0.0
    due: float | None = 0.0
    starts: int = 0
    short_lives: int = 0


class Supervisor:
    """Runs `count` workers, each of which calls `work`; `bury` is told the number of one that has ended.

    `work` serves until SIGTERM, or raises SystemExit with 2 or 3 where it cannot start. A worker that
    serves and has not beaten for `hang_s` seconds is killed; 0 turns that off. All signals
    that concern the supervisor are blocked and waited for, so none comes in between.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[Place], None],
        bury: Callable[[int], None],
        drain_s: float,
        hang_s: float = 0.0,
    ) -> None:
        self._workers = [_Worker(number) for number in range(1, count + 1)]
        self._work = work
        self._bury = bury
        self._drain_s = drain_s
        self._hang_s = hang_s
        self._heartbeats = memoryview(mmap.mmap(-1, 8 * count)).cast("d")
        self._stopping = False
        self._exit = 0
        self._pulse = os.pipe()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, or until no worker can start; return the exit code.

        0 after a drain; a worker's own code when it refuses to start; 1 when one crashes again and again
        while no other serves, or does not drain in time.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        handler = signal.signal(signal.SIGCHLD, lambda *_: None)  # by default it would not stay pending
        gc.freeze()
        try:
            while self._alive or not self._stopping:
                self._start_due(before)
                self._take(signal.Signals(signal.sigwait(_SIGNALS)))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            while pending := signal.sigpending() & set(_SIGNALS):
                signal.sigwait(pending)  # one that came last would end the process as soon as it may
            signal.signal(signal.SIGCHLD, handler)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self._exit

    @property
    def _alive(self) -> list[int]:
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def _take(self, received: signal.Signals) -> None:
        match received:
            case signal.SIGCHLD:
                self._reap()
            case signal.SIGHUP:
                self._send(signal.SIGHUP)
            case signal.SIGTERM | signal.SIGINT:
                self._stop(0)
            case _ if self._stopping:
                log(logging.ERROR, "workers killed: they did not drain in time", pids=self._alive)
                self._send(signal.SIGKILL)
                self._exit = self._exit or 1

    def _send(self, sent: signal.Signals) -> None:
        for pid in self._alive:
            os.kill(pid, sent)

    def _stop(self, code: int) -> None:
        """Let every worker finish what it serves, for the time that a drain may take and a little more."""
        self._send(signal.SIGTERM)
        if not self._stopping:
            self._stopping, self._exit = True, code
            signal.setitimer(signal.ITIMER_REAL, self._drain_s + 10)

    def _start_due(self, mask: set[signal.Signals | int]) -> None:
        if self._stopping:
            return
        now = time.monotonic()
        for worker in self._workers:
            if worker.due is not None and worker.due <= now:
                self._fork(worker, mask)
        waits = [worker.due - now for worker in self._workers if worker.due is not None]
        if self._hang_s:
            self._kill_hung(now)
            waits.append(self._hang_s / _LOOKS)
        signal.setitimer(signal.ITIMER_REAL, min(waits, default=0))

    def _kill_hung(self, now: float) -> None:
        for worker in self._workers:
            beat = self._heartbeats[worker.number - 1]
            # One that has not beaten yet may be loading a large model.
            if worker.pid is not None and beat > worker.born and now - beat > self._hang_s:
                log(logging.ERROR, "worker hangs, and is killed", worker=worker.number, pid=worker.pid)
                os.kill(worker.pid, signal.SIGKILL)

    def _fork(self, worker: _Worker, mask: set[signal.Signals | int]) -> None:
        worker.born = time.monotonic()
        try:
            pid = os.fork()
        except OSError as error:  # memory or processes are short; those that serve must not end for it
            log(logging.ERROR, "worker not started", worker=worker.number, why=error.strerror)
            worker.due = worker.born + _FORK_AGAIN_S
            return
        worker.starts += 1
        worker.due = None
        if pid == 0:
            self._be(worker, mask)
        worker.pid = pid
        log(logging.INFO, "worker started", worker=worker.number, pid=pid)

    def _be(self, worker: _Worker, mask: set[signal.Signals | int]) -> NoReturn:
        """Serve as a worker, in the forked process; never return to what called the supervisor."""
        code: object = 1
        try:
            os.close(self._pulse[1])
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            # A SIGHUP waits until somebody listens to it, which `listening` says.
            signal.pthread_sigmask(signal.SIG_SETMASK, {*mask, signal.SIGHUP})
            self._work(Place(worker.number, worker.starts > 1, self._pulse[0], self._heartbeats))
            code = 0
        except SystemExit as ended:
            code = ended.code
        except BaseException:
            logger.exception("worker failed")
        finally:
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 1)

    def _reap(self) -> None:
        for worker in self._workers:
            if worker.pid is None:
                continue
            ended, status = os.waitpid(worker.pid, os.WNOHANG)
            if ended:
                worker.pid = None
                self._bury(worker.number)
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: _Worker, code: int) -> None:
        if self._stopping:
            log(logging.INFO, "worker ended", worker=worker.number, code=code)
            return
        log(logging.ERROR, "worker died", worker=worker.number, code=code)
        now = time.monotonic()
        worker.short_lives = worker.short_lives + 1 if now - worker.born < _HEALTHY_S else 0
        refused = code in _REFUSALS
        if (refused and worker.starts == 1) or (
            (refused or worker.short_lives >= _HOPELESS) and not self._alive
        ):
            log(logging.ERROR, "giving up: a worker cannot start", worker=worker.number, code=code)
            self._stop(code if refused else 1)
            return
        worker.due = now + min(0.1 * 2**worker.short_lives, _LONGEST_WAIT_S)


def listening() -> None:
    """Let through a SIGHUP that came before this worker could listen to it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
