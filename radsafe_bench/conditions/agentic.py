"""`agentic_rag`: the model under test plans searches, reads what they find, and writes a report.

Plan: one query per option, after a first look at the corpus. For each option: search, read, take notes,
and search again if the model asks for it. Decide: weigh the options in a report, which then is the
context of the question. At most 2 + 2 × options calls.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from gatekeeper.errors import GatekeeperError
from gatekeeper.exchange import Completion, JsonObject
from radsafe_bench.conditions.context import Context, of_text
from radsafe_bench.conditions.prompt import NOTE, PLAN, REPORT, messages, options_of, question_text
from radsafe_bench.retrieval import Chunk, Library
from radsafe_bench.suites import Question

PASSAGES: Final = 3
"""Chunks read after each search."""

SEARCHES: Final = 2
"""Searches per option: the planned one and one that the notes may ask for."""

_MAX_QUERY: Final = 300
_PLANNED: Final = re.compile(r"^[ \t*]{0,8}(?P<letter>[A-E])[.:)]\**[ \t]+(?P<query>\S.*)$", re.MULTILINE)
_SEARCH: Final = re.compile(r"^[ \t*]{0,8}SEARCH:\**[ \t]*(?P<query>\S.*)$", re.MULTILINE)


class Reply(NamedTuple):
    """An answer and the seconds it took."""

    completion: Completion
    latency_s: float


Ask = Callable[[JsonObject], Awaitable[Reply]]
"""Asks the model under test, with the run's pacing and retries."""


class NoReport(GatekeeperError):
    """The model ended its research without a report."""

    code = "no_report"


@dataclass(frozen=True, slots=True)
class Step:
    """One call on the way to a report; `text` is its answer without reasoning.

    `query` found the `passages`; `planned` is False where the model gave no query of its own.
    """

    action: str
    text: str
    request: JsonObject
    response: JsonObject
    latency_s: float
    option: str | None = None
    query: str | None = None
    planned: bool = True
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Research:
    """The report as a context, and every call that led to it."""

    context: Context
    steps: tuple[Step, ...]


class Researcher:
    """Runs the loop. `settings` are the model and sampling options of its calls."""

    def __init__(self, ask: Ask, library: Library, settings: Mapping[str, Any]) -> None:
        self._ask = ask
        self._library = library
        self._settings = settings

    async def follows_instructions(self, question: Question) -> bool:
        """Whether the model, asked to plan searches for a question, names at least two."""
        plan = await self._plan(question)
        return len(read_plan(plan.text)) >= 2

    async def report(self, question: Question) -> Research:
        """Research one question. Raises NoReport where the report is empty."""
        steps = [await self._plan(question)]
        planned = read_plan(steps[0].text)
        notes = []
        for letter, text in options_of(question).items():
            taken = await self._study(question, letter, planned.get(letter))
            said = "\n".join(_SEARCH.sub("", step.text).strip() for step in taken)
            notes.append(f"Option {letter}. {text}\n{said}")
            steps += taken
        user = "\n\n".join([*notes, _text(question)])
        report = await self._step("report", REPORT, user, ())
        if not report.text.strip():
            raise NoReport("the model's report is empty")
        return Research(of_text("report", report.text.strip()), (*steps, report))

    async def _plan(self, question: Question) -> Step:
        chunks = self._library.search(question.stem, PASSAGES)
        return await self._step("plan", PLAN, _text(question), chunks)

    async def _study(self, question: Question, letter: str, planned: str | None) -> list[Step]:
        """Search and take notes on one option; search once more where the notes ask for it."""
        option = question.option(letter).text
        query: str | None = planned or f"{question.stem} {option}"
        asked = f"{_text(question)}\nOption under study: {letter}. {option}"
        steps: list[Step] = []
        seen: set[str] = set()
        while query and len(steps) < SEARCHES:
            found = self._library.search(query, PASSAGES + len(seen))
            chunks = tuple(chunk for chunk in found if chunk.id not in seen)[:PASSAGES]
            seen.update(chunk.id for chunk in chunks)
            step = await self._step(
                "note", NOTE, asked, chunks, option=letter, query=query, planned=bool(planned or steps)
            )
            steps.append(step)
            query = read_search(step.text)
        return steps

    async def _step(
        self,
        action: str,
        system: str,
        user: str,
        chunks: tuple[Chunk, ...],
        *,
        option: str | None = None,
        query: str | None = None,
        planned: bool = True,
    ) -> Step:
        text = "\n\n".join([*(chunk.text for chunk in chunks), user])
        body = {**self._settings, "messages": messages(system, text)}
        if chunks:
            body["evidence"] = [chunk.document for chunk in chunks]
        reply = await self._ask(body)
        return Step(
            action=action,
            text=reply.completion.answers[0].content,
            request=body,
            response=reply.completion.raw,
            latency_s=reply.latency_s,
            option=option,
            query=query,
            planned=planned,
            passages=tuple(chunk.id for chunk in chunks),
        )


def _text(question: Question) -> str:
    return question_text(question.stem, options_of(question))


def read_plan(answer: str) -> dict[str, str]:
    """Return the query of each option that a plan names; the first line of an option counts."""
    planned: dict[str, str] = {}
    for match in _PLANNED.finditer(answer):
        planned.setdefault(match["letter"], match["query"].strip()[:_MAX_QUERY])
    return planned


def read_search(notes: str) -> str | None:
    """Return the further search that notes ask for, None where they do not."""
    match = _SEARCH.search(notes)
    return match["query"].strip()[:_MAX_QUERY] if match else None
