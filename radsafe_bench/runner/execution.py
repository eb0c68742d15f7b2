"""Asking every cell of a run that has no answer yet, and recording what comes back."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from gatekeeper.errors import ConfigurationError, GatekeeperError, UpstreamError
from gatekeeper.exchange import JsonObject
from radsafe_bench.conditions import Condition, Context, Contexts, NoReport, Researcher, question_body
from radsafe_bench.parsing import parse_response
from radsafe_bench.recording import RecordingError, RecordLog
from radsafe_bench.runner.paced import PacedTarget
from radsafe_bench.runner.pacing import Stopped, is_passing
from radsafe_bench.runner.plan import Cell, key_of
from radsafe_bench.runner.sampling import Sampling
from radsafe_bench.runner.slimming import slim
from radsafe_bench.runner.tally import Reports, Tally

GIVE_UP_AFTER: Final = 24
"""Cells in a row without an answer, each after all its tries, before a run ends: the server is away."""

_HOPELESS: Final = frozenset({401, 403, 404})
"""Statuses that every other call would get too: wrong key, wrong address, no such model."""


class RunAborted(GatekeeperError):
    """The target cannot be asked any further; what is recorded stays, and the same command resumes."""


_NOTHING: Final[JsonObject] = {}
_ABORTS: Final = (RunAborted, RecordingError, ConfigurationError)


@dataclass(slots=True)
class Execution:
    """One session of a run. `done` holds the keys of records that are not to be made again."""

    target: PacedTarget
    sampling: Sampling
    contexts: Contexts
    log: RecordLog
    tally: Tally = field(default_factory=Tally)
    reports: Reports = field(default_factory=Reports)
    done: set[str] = field(default_factory=set)
    on_record: Callable[[], None] = lambda: None
    _failures: int = 0

    async def run(self, wanted: Iterable[Cell]) -> None:
        """Settle all cells, as many at once as the pacing allows; end early when it is stopped.

        Raises RunAborted, RecordingError or ConfigurationError where going on makes no sense.
        """
        queue = iter(wanted)
        workers = [asyncio.create_task(self._work(queue)) for _ in range(self.target.pacing.most)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, queue: Iterable[Cell]) -> None:
        for cell in queue:
            try:
                await self._settle(cell)
            except Stopped:
                return
            # An embedded backend never waits, and signals are heard between the loop's rounds only.
            await asyncio.sleep(0)
            if self.target.pacing.stop.is_set():
                return

    async def _settle(self, cell: Cell) -> None:
        """Make sure that a cell has its record."""
        if cell.condition is not Condition.AGENTIC_RAG:
            context = await self._context(cell)
            await self._answer(cell, context, self._key(cell, context))
            return
        key = self._key(cell, Context())
        if key in self.done:
            return
        try:
            await (self._lead(cell, key) if cell.leads else self._follow(cell, key))
        except _ABORTS:
            raise
        except GatekeeperError as error:
            self._fail(cell, key, {"request": self._body(cell, Context())}, error)

    async def _context(self, cell: Cell) -> Context:
        try:
            return await self.contexts.of(cell.question, cell.condition)
        except UpstreamError as error:
            # Without its context a cell has no key, so that no error could be recorded under it.
            raise RunAborted(f"The server cannot count tokens: {error.message}") from error

    async def _lead(self, cell: Cell, key: str) -> None:
        """Answer from the report on a question, made now unless an earlier session recorded it."""
        question = cell.question.id
        try:
            context, extra = self.reports.known(question), {}
            if context is None:
                research = await self._researcher().report(cell.question)
                context, extra = research.context, {"steps": research.steps}
            await self._answer(cell, context, key, extra)
        except Stopped as stopped:
            self.reports.give(question, stopped)
            raise
        except GatekeeperError:
            self.reports.give(question, NoReport("the report on this question could not be made"))
            raise
        self.reports.give(question, context)

    async def _follow(self, cell: Cell, key: str) -> None:
        """Answer from the report that the leading cell recorded."""
        await self._answer(cell, await self.reports.of(cell.question.id), key)

    async def _answer(self, cell: Cell, context: Context, key: str, extra: JsonObject = _NOTHING) -> None:
        """Ask a cell that has no record yet, and record its answer or error."""
        if key in self.done:
            return
        body = self._body(cell, context)
        asked = {"request": body, **extra}
        try:
            reply = await self.target.ask(body)
            letter = parse_response(reply.completion.raw, cell.question.letters).letter
        except _ABORTS:
            raise
        except GatekeeperError as error:
            self._fail(cell, key, asked, error)
            return
        self._failures = 0
        found = {"letter": letter, "latency_s": reply.latency_s, "error": None}
        self._record(cell, key, {**found, "response": slim(reply.completion), **asked})

    def _fail(self, cell: Cell, key: str, asked: JsonObject, error: GatekeeperError) -> None:
        """Record an error; raise RunAborted where the next cells would fare no better."""
        self._failures += is_passing(error)
        code = {"code": error.code or error.type, "status": error.status}
        self._record(cell, key, {"letter": None, "latency_s": None, "error": code, "response": None, **asked})
        if isinstance(error, UpstreamError) and error.status in _HOPELESS:
            raise RunAborted(f"{error.message} No further question was asked.")
        if self._failures >= GIVE_UP_AFTER:
            raise RunAborted(
                f"{GIVE_UP_AFTER} questions in a row got no answer ({error.message}) Run the same command "
                "again when the server is back: only what is missing will be asked."
            )

    def _record(self, cell: Cell, key: str, found: JsonObject) -> None:
        place = cell.place
        entry = {
            "key": key,
            "question": place.question,
            "condition": place.condition,
            "sample": place.sample,
            "pass": place.in_pass,
            "model": self.target.identity.model,
            "fingerprint": self.target.identity.fingerprint,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            **found,
        }
        self.log.append(entry)
        self.tally.add(entry)
        self.on_record()

    def _researcher(self) -> Researcher:
        if self.contexts.library is None:
            raise LookupError("agentic_rag needs a library")
        settings = self.sampling.step_settings(self.target.identity.model)
        return Researcher(self.target.ask, self.contexts.library, settings)

    def _body(self, cell: Cell, context: Context) -> dict[str, Any]:
        settings = self.sampling.settings(self.target.identity.model, cell.sample)
        return question_body(cell.question, context.text, context.evidence, settings)

    def _key(self, cell: Cell, context: Context) -> str:
        return key_of(cell, self._body(cell, context), self.target.identity.fingerprint)
