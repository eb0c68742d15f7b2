"""A run from beginning to end: who answers, what can be asked, what is missing, what came of it."""

import asyncio
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from radsafe_bench.recording import RecordingError, RecordLog
from radsafe_bench.records import RECORDS
from radsafe_bench.runner.execution import Execution
from radsafe_bench.runner.manifest import check_same_run, describe, merged, read_manifest, write_manifest
from radsafe_bench.runner.options import RunOptions, RunResult
from radsafe_bench.runner.paced import PacedTarget
from radsafe_bench.runner.pacing import Pacing, Stopped
from radsafe_bench.runner.plan import Cell, cells
from radsafe_bench.runner.preparation import Preparation, prepare
from radsafe_bench.runner.progress import shown
from radsafe_bench.suites import Question, Suite
from radsafe_bench.targets import Identity, Target


@dataclass(frozen=True, slots=True)
class Run:
    """One session of a run. `questions` are those of the suite that are put."""

    options: RunOptions
    suite: Suite
    questions: Sequence[Question]
    target: Target
    pacing: Pacing

    async def execute(self) -> RunResult:
        """Ask what is missing and return what the run has.

        SIGINT and SIGTERM let running calls end and start no others; a second signal ends those too.
        The manifest is written before the first question and again at the end, however it comes.
        Raises CannotResume, RecordingError, CorpusError, RunAborted, or the UpstreamError family.
        """
        with RecordLog(self.options.out / RECORDS) as log, _stopped_by_signals(self.pacing):
            try:
                identity = await self.pacing.call(self.target.open)
                return await self._session(PacedTarget(self.target, identity, self.pacing), log)
            except Stopped:
                raise asyncio.CancelledError from None
            finally:
                await self.target.close()

    async def _session(self, target: PacedTarget, log: RecordLog) -> RunResult:
        options = self._capped(target.identity)
        earlier = read_manifest(options.out)
        known = earlier["conditions"] if earlier else ()
        ready = await prepare(options, self.suite, self.questions, target, known)
        manifest = self._manifest(options, target.identity, ready, earlier)
        execution = Execution(target, options.sampling, ready.contexts, log)
        _recall(execution, keep_errors=options.keep_errors, begun=earlier is not None)
        samples = options.sampling.samples
        wanted = list(cells(self.questions, ready.conditions, samples, repeat=options.repeat))
        session = {"began": _now(), "answers": 0}
        before, progress = len(execution.tally.letters), _progress(execution, wanted)
        manifest |= {"progress": progress, "sessions": [*manifest.get("sessions", ()), session]}
        write_manifest(options.out, manifest)
        try:
            with shown(execution, len(wanted), progress["answered"]):
                await execution.run(wanted)
        finally:
            log.sync()
            session |= {"ended": _now(), "answers": len(execution.tally.letters) - before}
            manifest |= {"progress": _progress(execution, wanted), "aa": execution.tally.noise()}
            write_manifest(options.out, manifest)
        return RunResult(
            **manifest["progress"],
            new=len(execution.tally.letters) - before,
            not_applicable=ready.stated["why_not"],
            interrupted=self.pacing.stop.is_set(),
        )

    def _capped(self, identity: Identity) -> RunOptions:
        """Ask for no more alternatives than the server gives."""
        sampling = self.options.sampling
        capped = min(sampling.top_logprobs, identity.top_logprobs)
        return replace(self.options, sampling=replace(sampling, top_logprobs=capped))

    def _manifest(
        self, options: RunOptions, identity: Identity, ready: Preparation, earlier: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return what is known before the first question; raise CannotResume for another run's directory."""
        placed = {"family": options.family, "parameters": options.parameters}
        now = {**describe(self.suite, self.questions, identity, options.sampling), **placed, **ready.stated}
        if earlier is None:
            return now
        check_same_run(earlier, now)
        return merged(earlier, now)


def _recall(execution: Execution, *, keep_errors: bool, begun: bool) -> None:
    """Read what earlier sessions recorded: keys that are done, letters, reports."""
    for entry in execution.log.entries():
        if not begun:
            raise RecordingError("the run directory has records and no manifest; choose another --out")
        final = keep_errors or not entry["error"]
        (execution.done.add if final else execution.done.discard)(entry["key"])
        execution.tally.add(entry)
        execution.reports.recorded(entry, final=final)


def _progress(execution: Execution, wanted: Sequence[Cell]) -> dict[str, int]:
    """Return how far a run is, over what this session's options ask for."""
    places = {cell.place for cell in wanted}
    answered = len(places & execution.tally.letters.keys())
    errors = len(places & execution.tally.errors.keys())
    return {"answered": answered, "errors": errors, "missing": len(places) - answered - errors}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _stopped_by_signals(pacing: Pacing) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a stop, the second into a cancellation."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop() -> None:
        if pacing.stop.is_set() and task:
            task.cancel()
        pacing.stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
