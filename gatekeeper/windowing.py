"""A stream that is judged while it is written: a sentence leaves once it and all before it were judged."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from gatekeeper.assessment import Judgement
from gatekeeper.claims.sentences import sentences
from gatekeeper.errors import UpstreamGarbled
from gatekeeper.exchange import Answer, Case, Completion, Conversation, JsonObject
from gatekeeper.gate import Gate, Outcome, Timings
from gatekeeper.prompting import shape
from gatekeeper.wire.chunks import Fold
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.reasoning import divide

Release = Callable[[str, JsonObject], Awaitable[None]]
"""Delivers text that was judged; the second argument holds the fields beside the server's choices."""


async def answer_in_windows(
    gate: Gate, conversation: Conversation, decision_id: str, release: Release
) -> Outcome:
    """Judge an answer sentence by sentence, releasing each, and return what became of the whole.

    The caller has seen that the policy allows it (`policy.streaming.in_windows`). The first sentence
    that may not leave stops the generation, and nothing after it is asked for; the Outcome is then of
    the text up to it. Raises as `Gate.answer` does, and UpstreamGarbled where the server takes back
    what it wrote.
    """
    began, timings = time.perf_counter(), Timings()
    walk = _Walk(gate, gate.read(conversation), timings, release)
    completion, judgement = await walk.to_the_end()
    timings.total = time.perf_counter() - began
    return Outcome(
        decision_id=decision_id,
        at=datetime.now(UTC),
        case=walk.case,
        completion=completion,
        judgements=(judgement,),
        bundle=gate.bundle,
        tries=0,
        timings=timings,
    )


class _Walk:
    """One streamed answer: what has come of it, and what has left."""

    def __init__(self, gate: Gate, case: Case, timings: Timings, release: Release) -> None:
        self.case = case
        self._gate = gate
        self._timings = timings
        self._release = release
        self._fold = Fold()
        self._pieces: list[str] = []
        self._open = ""
        self._sent = ""

    async def to_the_end(self) -> tuple[Completion, Judgement]:
        """Read the stream until it ends or may not go on; return the last judgement and what it is of."""
        prompt = shape(self.case, self._gate.bundle.policy)
        async with _closing(self._gate.backend.stream(prompt)) as chunks:
            async for chunk in self._timed(chunks):
                stopped = await self._take(chunk)
                if stopped is not None:
                    return await self._stop(stopped)
        completion = self._read(self._fold.body())
        answer = completion.answers[0]
        whole = answer.raw is not None and isinstance(answer.raw["message"].get("content"), str)
        if self._sent and not (whole and answer.content.startswith(self._sent)):
            raise _taken_back()
        return completion, await self._gate.judge(self.case, completion, answer, self._timings)

    async def _take(self, chunk: JsonObject) -> Judgement | None:
        """Release every sentence that a chunk completes; return the judgement of one that may not leave."""
        self._fold.add(chunk)
        text = _content(chunk)
        self._pieces.append(text)
        self._open += text
        # A choice of an option is known only when all is said, so it waits.
        if self.case.query.options or not self._completes():
            return None
        content = divide("".join(self._pieces)).answer
        if content and not content.startswith(self._sent):
            raise _taken_back()
        for end in _ends(content, after=len(self._sent)):
            judgement = await self._judge(content[:end])
            if judgement.decision.action.holds:
                return judgement
            await self._release(content[len(self._sent) : end], self._fold.top)
            self._sent = content[:end]
        return None

    def _completes(self) -> bool:
        """Whether a sentence has ended since it was last asked; what is still open is kept."""
        found = list(sentences(self._open))
        if len(found) < 2:
            return False
        self._open = self._open[found[-1].span.start :]
        return True

    async def _judge(self, content: str) -> Judgement:
        """Judge the beginning of the answer by its text: no rule that holds here reads probabilities."""
        answer = Answer(0, content, finish_reason=None)
        completion = Completion((answer,), {}, fingerprint=self._gate.backend.fingerprint)
        return await self._gate.judge(self.case, completion, answer, self._timings)

    async def _stop(self, stopped: Judgement) -> tuple[Completion, Judgement]:
        """Return the stricter of the judgement that stopped and one that knows the probabilities too."""
        completion = self._read(self._fold.so_far())
        content = stopped.answer.content
        read = completion.answers[0]
        tokens = tuple(t for t in read.tokens if t.offset is not None and t.offset < len(content))
        answer = replace(read, content=content, tokens=tokens)
        measured = await self._gate.judge(self.case, completion, answer, self._timings)
        return completion, max(measured, stopped, key=lambda judged: judged.decision.action.severity)

    def _read(self, body: JsonObject) -> Completion:
        name, fingerprint = self._gate.backend.name, self._gate.backend.fingerprint
        staged = name == "scripted"
        completion = parse_chat_completion(body, backend=name, fingerprint=fingerprint, staged=staged)
        if len(completion.answers) != 1:
            raise UpstreamGarbled("The model server sent several answers where one was asked for.")
        return completion

    async def _timed(self, chunks: AsyncIterator[JsonObject]) -> AsyncIterator[JsonObject]:
        while True:
            began = time.perf_counter()
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            finally:
                self._timings.upstream += time.perf_counter() - began
            yield chunk


def _content(chunk: JsonObject) -> str:
    """Return the text that a chunk adds to the answer."""
    deltas = (choice.get("delta") or {} for choice in chunk.get("choices", ()))
    return "".join(text for delta in deltas if isinstance(text := delta.get("content"), str))


def _ends(content: str, *, after: int) -> list[int]:
    """Return where the sentences end that no later text can go on with, from an offset on."""
    found = list(sentences(content))
    return [sentence.span.end for sentence in found[:-1] if sentence.span.end > after]


@asynccontextmanager
async def _closing(chunks: AsyncIterator[JsonObject]) -> AsyncIterator[AsyncIterator[JsonObject]]:
    """Yield a stream that ends with the block, so that leaving early stops the generation."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def _taken_back() -> UpstreamGarbled:
    return UpstreamGarbled("The model server's stream no longer begins with what was delivered of it.")
