"""The contexts of a run: which conditions can be asked, and what each puts before a question."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from radsafe_bench.conditions.catalogue import RETRIEVING, TOP_K, Condition
from radsafe_bench.conditions.context import Context, of_chunks, of_text, padded
from radsafe_bench.conditions.window import MaxContext
from radsafe_bench.retrieval import Library
from radsafe_bench.suites import Question

_NAME: Final = "evidence"
"""One id for clean and conflict evidence: the request must not say which of them it carries."""

_LEAST_BUDGET: Final = 1000
"""Tokens: room for the longest chunk."""


@dataclass(slots=True)
class Contexts:
    """Builds the context of every question and condition once; `agentic_rag`'s are made elsewhere.

    `library` is None where nothing is retrieved, `max_context` where no window is known.
    """

    library: Library | None = None
    max_context: MaxContext | None = None
    _built: dict[tuple[str, Condition], asyncio.Task[Context]] = field(default_factory=dict)

    async def of(self, question: Question, condition: Condition) -> Context:
        """Return a context. Raises the UpstreamError family where the server cannot count tokens."""
        key = (question.id, condition)
        task = self._built.get(key)
        if task is None or (task.done() and task.exception()):
            task = self._built[key] = asyncio.ensure_future(self._build(question, condition))
        return await asyncio.shield(task)

    async def _build(self, question: Question, condition: Condition) -> Context:
        if condition is Condition.CLOSED_BOOK:
            return Context()
        if condition in RETRIEVING:
            return await self._retrieved(question, condition)
        return of_text(_NAME, _own_text(question, condition))

    async def _retrieved(self, question: Question, condition: Condition) -> Context:
        if self.library is None:
            raise LookupError(f"{condition} needs a library")
        if condition is Condition.MAX_CONTEXT:
            if self.max_context is None:
                raise LookupError(f"{condition} needs a window")
            return await self.max_context.of(self.library.search(question.stem))
        best = self.library.search(question.stem, TOP_K[Condition.STANDARD_RAG])
        if condition is Condition.PADDED_TOP_1:
            return padded(best[0], best)
        return of_chunks(best[: TOP_K[condition]])


def why_not(condition: Condition, questions: Sequence[Question], contexts: Contexts) -> str | None:
    """Return why a condition cannot be asked, None where it can.

    Of `agentic_rag` it says nothing of the model, which has to be tried.
    """
    if condition in RETRIEVING and contexts.library is None:
        return "the suite has no corpus; name a folder with --corpus"
    if condition is Condition.MAX_CONTEXT:
        return _why_no_room(contexts)
    if condition is Condition.CLOSED_BOOK or condition in RETRIEVING:
        return None
    missing = sum(not _own_text(question, condition) for question in questions)
    return f"{missing} of {len(questions)} questions have no such text" if missing else None


def _why_no_room(contexts: Contexts) -> str | None:
    if contexts.max_context is None:
        return "the server does not say how long its context window is; give --context-window"
    window = contexts.max_context.window
    if window.budget < _LEAST_BUDGET:
        return f"a window of {window.tokens} tokens leaves no room for retrieved text"
    return None


def _own_text(question: Question, condition: Condition) -> str:
    """Return the text that comes with a question, empty where it has none."""
    evidence = question.evidence
    if condition is Condition.CLEAN_EVIDENCE:
        return evidence.clean.text if evidence.clean else ""
    if condition is Condition.CONFLICT_EVIDENCE:
        return evidence.conflict.text if evidence.conflict else ""
    return evidence.report
