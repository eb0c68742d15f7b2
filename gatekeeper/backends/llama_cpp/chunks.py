"""Drawn tokens → the chunks of an OpenAI stream."""

import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatekeeper.backends.llama_cpp.engine import Drawn, Engine, Interrupted
from gatekeeper.backends.llama_cpp.native import Model, Tokens
from gatekeeper.backends.llama_cpp.sampling import Sampling
from gatekeeper.backends.llama_cpp.text import Text

_Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be generated: `n` choices, each token with its `alternatives` likeliest."""

    prompt: Tokens
    sampling: Sampling
    n: int
    alternatives: int


def generate(
    engine: Engine, wanted: Wanted, names: Mapping[str, str], interrupted: Interrupted
) -> Iterator[_Json]:
    """Yield the chunks of all choices, one choice after the other, and then of the usage.

    `names` are the strings beside the choices (`model`, `system_fingerprint`).
    """
    answer_id = f"chatcmpl-{uuid.uuid4().hex}"
    top = {"id": answer_id, "object": "chat.completion.chunk", "created": int(time.time()), **names}
    reused = completion_tokens = 0
    for index in range(wanted.n):
        kept = engine.read(wanted.prompt, interrupted)
        reused = kept if index == 0 else reused
        choice = _Choice(engine, wanted, index)
        for piece in choice.pieces(interrupted):
            yield {**top, "choices": [{"index": index, **piece}]}
        completion_tokens += choice.tokens
    yield {**top, "choices": [], "usage": _usage(len(wanted.prompt), completion_tokens, reused)}


class _Choice:
    """One choice while it is written. `tokens` counts what was drawn.

    A row of probabilities leaves with the first of its bytes; rows after a stop sequence do not.
    """

    def __init__(self, engine: Engine, wanted: Wanted, index: int) -> None:
        self.tokens = 0
        self._engine = engine
        self._wanted = wanted
        self._index = index
        self._text = Text(wanted.sampling.stops)
        self._rows: deque[tuple[int, _Json]] = deque()
        self._end = 0

    def pieces(self, interrupted: Interrupted) -> Iterator[_Json]:
        """Yield delta, rows and finish of each chunk."""
        yield _piece({"role": "assistant", "content": ""})
        wanted, room = self._wanted, self._engine.room(self._wanted.sampling)
        for drawn in self._engine.draw(wanted.sampling, self._index, wanted.alternatives, interrupted):
            self.tokens += 1
            yield from self._said(self._text.add(self._take(drawn)), self._text.size)
            if self._text.stopped:
                break
        else:
            yield from self._said(self._text.finish(), self._end + 1)
        finish = "length" if self.tokens == room and not self._text.stopped else "stop"
        yield _piece({}, finish=finish)

    def _take(self, drawn: Drawn) -> bytes:
        """Keep the row of a token until its bytes leave; return these."""
        data = self._engine.model.piece(drawn.token)
        self._rows.append((self._end, _row(self._engine.model, drawn)))
        self._end += len(data)
        return data

    def _said(self, text: str, size: int) -> Iterator[_Json]:
        rows = []
        while self._rows and self._rows[0][0] < size:
            rows.append(self._rows.popleft()[1])
        if text or rows:
            yield _piece({"content": text}, rows)


def _piece(delta: _Json, rows: list[_Json] | None = None, finish: str | None = None) -> _Json:
    logprobs = {"content": rows, "refusal": None} if rows else None
    return {"delta": delta, "logprobs": logprobs, "finish_reason": finish}


def _row(model: Model, drawn: Drawn) -> _Json:
    top = zip(drawn.top.tokens.tolist(), drawn.top.logprobs.tolist(), strict=True)
    return {
        **_candidate(model, drawn.token, drawn.logprob),
        "top_logprobs": [_candidate(model, token, logprob) for token, logprob in top],
    }


def _candidate(model: Model, token: int, logprob: float) -> _Json:
    text, data = model.spelling(token)
    return {"token": text, "logprob": min(logprob, 0.0), "bytes": data}


def _usage(prompt: int, completion: int, reused: int) -> _Json:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": reused},
    }
