"""Auxiliary calls put to the backends themselves."""

import asyncio
from collections.abc import Coroutine, Sequence
from math import exp, fsum, log
from typing import Any, Final, TypeVar

from gatekeeper.auxiliary.calls import DrawCall, Drawn, LabelCall, Problem, Reading, Whom
from gatekeeper.backends.base import Backend, Scorer
from gatekeeper.errors import GatekeeperError, InvalidRequest, UpstreamTimeout
from gatekeeper.exchange import (
    Answer,
    Case,
    Evidence,
    EvidenceState,
    JsonObject,
    LogprobQuality,
    Option,
    Query,
    TokenSpan,
)
from gatekeeper.wire.logprobs import unseen_probability
from gatekeeper.wire.request import parse_chat

_T = TypeVar("_T")

_MARKS: Final = " \t\n\"'“”‘’()[]{}*_.:,;"
"""What a token may carry around a letter."""

_SMALLEST: Final = 1e-9
"""Probability of a label that the alternatives leave no room for, so that its logarithm exists."""

LEAST_MASS: Final = 0.01
"""Probability that the labels have together: below it the model was about to say something else."""

_READS_NOTHING: Final = "extractive"
"""The retrieval baseline names options by word overlap, whatever it is asked."""

_LASTING: Final = frozenset({400, 413, 422})


class Consulted:
    """An Auxiliary that asks the served backend, and `judge` where another model judges.

    At most `most` calls of a process run at once; a model in this process takes each batch whole.
    `extra` is merged into the body of label calls, such as a switch that turns a model's thinking off.
    """

    def __init__(
        self,
        served: Backend,
        judge: Backend | None = None,
        most: int = 8,
        extra: JsonObject | None = None,
    ) -> None:
        self._extra = extra or {}
        self._backends = {Whom.SERVED: served, Whom.JUDGE: judge or served}
        self._room = asyncio.Semaphore(most)

    async def label(self, calls: Sequence[LabelCall], within_s: float) -> list[Reading]:
        """Answer label calls of one model; none raises."""
        if not calls:
            return []
        backend = self._backends[calls[0].whom]
        if backend.name == _READS_NOTHING:
            return [Reading(problem=Problem.LOGPROBS, fingerprint=backend.fingerprint)] * len(calls)
        if isinstance(backend, Scorer):
            (scored,) = await _within([self._score(backend, backend, calls)], within_s)
            if isinstance(scored, Problem):
                return [Reading(problem=scored, fingerprint=backend.fingerprint)] * len(calls)
            return scored
        found = await _within([self._complete(backend, call) for call in calls], within_s)
        return [Reading(problem=one) if isinstance(one, Problem) else one for one in found]

    async def draw(self, calls: Sequence[DrawCall], within_s: float) -> list[Drawn]:
        """Draw answers of the served model; none raises."""
        found = await _within([self._draw(call) for call in calls], within_s)
        return [Drawn(problem=one) if isinstance(one, Problem) else one for one in found]

    async def _score(self, scorer: Scorer, backend: Backend, calls: Sequence[LabelCall]) -> list[Reading]:
        async with self._room:
            found = await scorer.score_labels([(call.messages, call.labels) for call in calls])
        return [_reading(tuple(logprobs), backend.fingerprint) for logprobs in found]

    async def _complete(self, backend: Backend, call: LabelCall) -> Reading:
        async with self._room:
            completion = await backend.complete(_one_step(call, self._extra))
        return _reading(label_logprobs(completion.answers[0], call.labels), completion.fingerprint)

    async def _draw(self, call: DrawCall) -> Drawn:
        async with self._room:
            completion = await self._backends[Whom.SERVED].complete(call.case)
        return Drawn(completion.answers[0].content, fingerprint=completion.fingerprint)


def label_logprobs(answer: Answer, labels: Sequence[str]) -> tuple[float, ...]:
    """Return the log-probability (nats) of each label at the answer's first token.

    Spellings of a label (with a space or a mark) count together. A label that is not among the
    alternatives stands at its upper bound. Nothing is returned where the token's probabilities are not
    known or hold no label.
    """
    token = next((token for token in answer.tokens if token.span is TokenSpan.CONTENT), None)
    if answer.quality is LogprobQuality.UNAVAILABLE or token is None or token.logprob is None:
        return ()
    seen = dict.fromkeys(labels, 0.0)
    listed = dict([*token.top, (token.text, token.logprob)])
    for text, logprob in listed.items():
        label = text.strip(_MARKS)
        if label in seen:
            seen[label] += exp(logprob)
    if not any(seen.values()):
        return ()
    bound = unseen_probability(token)
    return tuple(log(max(probability or bound, _SMALLEST)) for probability in seen.values())


def _reading(logprobs: tuple[float, ...], fingerprint: str | None) -> Reading:
    """Return a reading, without probabilities where the labels together have next to none."""
    if fsum(map(exp, logprobs)) < LEAST_MASS:
        return Reading(problem=Problem.LOGPROBS, fingerprint=fingerprint)
    return Reading(logprobs, fingerprint=fingerprint)


def _one_step(call: LabelCall, extra: JsonObject) -> Case:
    """Return the case whose answer is one token; the options bring as many alternatives as there are."""
    own = {"messages": list(call.messages), "max_tokens": 1, "temperature": 0}
    conversation = parse_chat({**extra, **own, **({"model": call.model} if call.model else {})})
    options = tuple(Option(label, label) for label in call.labels)
    return Case(conversation, Evidence((), EvidenceState.NONE), Query("", options))


async def _within(work: Sequence[Coroutine[Any, Any, _T]], seconds: float) -> list[_T | Problem]:
    """Return what comes of each piece of work in time, or why nothing does; leave none running."""
    tasks = [asyncio.ensure_future(_no_error(one)) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds) if tasks else (set(), set())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() if task in done else Problem.TIMEOUT for task in tasks]


async def _no_error(work: Coroutine[Any, Any, _T]) -> _T | Problem:
    try:
        return await work
    except UpstreamTimeout:
        return Problem.TIMEOUT
    except GatekeeperError as error:
        lasting = isinstance(error, InvalidRequest) or error.status in _LASTING
        return Problem.REFUSED if lasting else Problem.ERROR
