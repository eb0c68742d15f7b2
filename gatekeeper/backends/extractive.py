"""The embedded backend: a retrieval baseline, no language model. It needs no weights.

It answers only from the evidence of the request. For multiple choice it names the option whose words
the evidence holds best, otherwise it quotes the sentences that match the question best. The softmax over
these matches is its distribution; without evidence it guesses an option or says that it cannot answer.
"""

import hashlib
import heapq
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from math import log
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from gatekeeper import __version__
from gatekeeper.backends.base import Capabilities
from gatekeeper.backends.retrieval import SHARPNESS, Overlap, softmax
from gatekeeper.errors import InvalidRequest, NotSupported
from gatekeeper.exchange import Case, Completion, Conversation, JsonObject, Option, Query
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.render import render_stream

MODEL: Final = "extractive-baseline"
FINGERPRINT: Final = f"extractive:{__version__}"

_SILENT: Final = "The supplied evidence does not answer this question."
_NO_EVIDENCE: Final = "No evidence was supplied, so this question cannot be answered."
_SILENCE_SHARE: Final = 0.15
"""A question is answered if the evidence holds more than this weighted share of its words."""

_SECOND_SHARE: Final = 0.5
"""A second sentence is quoted if it is at least this probable, relative to the first."""

_GUESS_SPREAD: Final = 0.01
"""Largest difference in score between options that are guessed: 8 % in odds."""

_CANDIDATES: Final = 20
"""Sentences that are looked at for alternatives, likeliest first."""

_SMALLEST: Final = 1e-30
"""Probability in place of one that underflows, so that its logarithm exists."""

_TOP: Final = 5
_BEFORE_SPACE: Final = re.compile(r"(?<=\S)(?=\s)")


class _Row(NamedTuple):
    """One token and the probabilities of everything that could stand at its position."""

    text: str
    probabilities: Mapping[str, float]


class ExtractiveBackend:
    """A Backend that retrieves. Deterministic at temperature 0, the default; seeded above."""

    name: Final = "extractive"

    @property
    def fingerprint(self) -> str:
        """Names this version of the retrieval."""
        return FINGERPRINT

    async def start(self) -> Capabilities:
        """Nothing to open."""
        return Capabilities(
            logprobs=True,
            top_logprobs=20,
            logprobs_with_tools=True,
            logprobs_with_stream=True,
            models=(MODEL,),
            notes=("retrieval baseline, no language model: answers only from supplied evidence",),
        )

    async def close(self) -> None:
        """Nothing to let go of."""

    async def healthy(self) -> bool:
        """Return True: there is nothing that could be away."""
        return True

    async def complete(self, case: Case) -> Completion:
        """Answer from the evidence. Raises InvalidRequest for what retrieval cannot do."""
        return parse_chat_completion(_body(case), backend=self.name, fingerprint=FINGERPRINT)

    async def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Yield the same answer as chunks."""
        for chunk in render_stream(_body(case), include_usage=True):
            yield chunk

    async def models(self) -> JsonObject:
        """Return the one model."""
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "radsafe-gatekeeper"}
        return {"object": "list", "data": [model]}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Raise NotSupported."""
        raise NotSupported("The embedded baseline has no embeddings; put a model server behind --upstream.")


def _body(case: Case) -> dict[str, Any]:
    """Return the chat completion of a case."""
    request = case.conversation.body
    _refuse_what_retrieval_cannot_do(request)
    digest = _digest(case)
    overlap = Overlap(document.text for document in case.evidence.documents)
    generate = _letter if case.query.options else _quotation
    choices = [
        _choice(index, generate(case.query, overlap, _Chooser(request, digest, index)), case.conversation)
        for index in range(case.conversation.n)
    ]
    prompt_tokens = sum(len(message.text.split()) for message in case.conversation.messages)
    completion_tokens = sum(len(choice["logprobs"]["content"]) for choice in choices)
    return {
        "id": f"chatcmpl-{digest[:24]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "system_fingerprint": FINGERPRINT,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def _refuse_what_retrieval_cannot_do(request: JsonObject) -> None:
    response_format = request.get("response_format")
    if isinstance(response_format, dict) and response_format.get("type") not in (None, "text"):
        raise InvalidRequest("The embedded baseline writes no JSON.", param="response_format")
    if request.get("tool_choice") not in (None, "auto", "none"):
        raise InvalidRequest("The embedded baseline calls no tools.", param="tool_choice")


def _digest(case: Case) -> str:
    """Return a digest of what the answer depends on, sampling options left out."""
    texts = [[message.role, message.text] for message in case.conversation.messages]
    documents = [document.text for document in case.evidence.documents]
    return hashlib.sha256(orjson.dumps([texts, documents])).hexdigest()


class _Chooser:
    """Picks from scores: the best at temperature 0, else a sample from the softmax at that temperature.

    With a `seed`, samples of the same request differ by seed and choice index only.
    """

    def __init__(self, request: JsonObject, digest: str, index: int) -> None:
        self._temperature = _number(request, "temperature")
        seed = request.get("seed")
        if seed is not None and not isinstance(seed, int):
            raise InvalidRequest("seed is a whole number.", param="seed")
        entropy = None if seed is None else [seed % 2**64, int(digest[:16], 16), index]
        self._entropy = entropy

    def __call__(self, scores: Sequence[float]) -> int:
        if not self._temperature:
            return scores.index(max(scores))
        probabilities = softmax(scores, SHARPNESS / self._temperature)
        return int(np.random.default_rng(self._entropy).choice(len(scores), p=probabilities))


def _number(request: JsonObject, key: str) -> float:
    value = request.get(key) or 0.0
    if not isinstance(value, float | int) or not 0.0 <= value <= 2.0:
        raise InvalidRequest(f"{key} is a number from 0 to 2.", param=key)
    return float(value)


def _letter(query: Query, overlap: Overlap, choose: _Chooser) -> list[_Row]:
    """Name the option that the evidence supports best, least for a negated stem."""
    if overlap.sentences:
        scores = overlap.of_options(query.text, query.options)
    else:
        scores = [_guess(query, option) for option in query.options]
    if query.negated:
        scores = [-score for score in scores]
    letters = [option.letter for option in query.options]
    return [_Row(letters[choose(scores)], dict(zip(letters, softmax(scores), strict=True)))]


def _guess(query: Query, option: Option) -> float:
    """Return a score that means nothing and is the same every time."""
    digest = hashlib.sha256(f"{query.text}\0{option.text}".encode()).digest()
    return _GUESS_SPREAD * digest[0] / 255


def _quotation(query: Query, overlap: Overlap, choose: _Chooser) -> list[_Row]:
    """Quote the one or two sentences that match the question best, or say that none does."""
    if not overlap.sentences:
        return _rows([_NO_EVIDENCE], [1.0], 0)
    candidates = [*overlap.sentences, _SILENT]
    scores = [*overlap.of_question(query.text), _SILENCE_SHARE]
    probabilities = softmax(scores)
    silent = len(candidates) - 1
    first = choose(scores)
    rows = _rows(candidates, probabilities, first)
    others = [position for position in range(silent) if position != first]
    second = max(others, key=probabilities.__getitem__, default=silent)
    if silent not in {first, second} and probabilities[second] >= _SECOND_SHARE * probabilities[first]:
        rows += _rows([f" {text}" for text in candidates], probabilities, second)
    return rows


def _rows(candidates: Sequence[str], probabilities: Sequence[float], chosen: int) -> list[_Row]:
    """Return the chosen text's words, each with the mass of the candidates that have it at its place.

    The mass is not conditioned on the words before: a word of a text that was chosen with probability
    0.3 counts as uncertain to its end, and not as certain once the first word is given.
    """
    words = _BEFORE_SPACE.split(candidates[chosen])
    positions: list[defaultdict[str, float]] = [defaultdict(float) for _ in words]
    likeliest = heapq.nlargest(_CANDIDATES, range(len(candidates)), key=probabilities.__getitem__)
    for candidate in {chosen, *likeliest}:
        for position, word in zip(positions, _BEFORE_SPACE.split(candidates[candidate]), strict=False):
            position[word] += probabilities[candidate]
    return [_Row(word, position) for word, position in zip(words, positions, strict=True)]


def _choice(index: int, rows: Sequence[_Row], conversation: Conversation) -> dict[str, Any]:
    """Return one choice, cut where the request's token limit is reached."""
    kept = rows[: _limit(conversation.body)]
    alternatives = max(_TOP, conversation.wants_top_logprobs)
    return {
        "index": index,
        "message": {"role": "assistant", "content": "".join(row.text for row in kept), "refusal": None},
        "logprobs": {"content": [_logprob_row(row, alternatives) for row in kept], "refusal": None},
        "finish_reason": "stop" if len(kept) == len(rows) else "length",
    }


def _limit(request: JsonObject) -> int | None:
    for key in ("max_completion_tokens", "max_tokens"):
        value = request.get(key)
        if value is not None and (not isinstance(value, int) or value < 1):
            raise InvalidRequest(f"{key} is a whole number from 1.", param=key)
        if value is not None:
            return value
    return None


def _logprob_row(row: _Row, alternatives: int) -> dict[str, Any]:
    likeliest = heapq.nlargest(alternatives, row.probabilities, key=row.probabilities.__getitem__)
    top = [_candidate(text, row.probabilities[text]) for text in likeliest]
    return {**_candidate(row.text, row.probabilities[row.text]), "top_logprobs": top}


def _candidate(text: str, probability: float) -> dict[str, Any]:
    logprob = log(min(1.0, max(probability, _SMALLEST)))
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
