"""Answers from a file, with given token probabilities: for tests and demonstrations, never for patients.

The file is a YAML or JSON list. Each entry answers the conversations whose last user message holds `match`:

    - match: metformin
      answer: Hold metformin for 48 h.
      confidence: 0.97            # probability of the whole answer, spread evenly over its words
    - match: which side
      tokens: [[Left, -0.02, [[Right, -4.1]]], [" kidney", -0.1]]   # text, nats, alternatives
    - match: two opinions
      choices: [{answer: "Yes."}, {answer: "No.", finish_reason: length}]
"""

import re
import time
from collections.abc import AsyncIterator, Mapping
from math import log
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from gatekeeper.backends.base import Capabilities
from gatekeeper.errors import ConfigurationError, InvalidRequest, NotSupported
from gatekeeper.exchange import Case, Completion, JsonObject
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.render import render_stream

MODEL: Final = "scripted"
FINGERPRINT: Final = "scripted"

_Nats = Annotated[float, Field(le=0.0)]
_Candidate = tuple[str, _Nats]
_BEFORE_SPACE: Final = re.compile(r"(?<=\S)(?=\s)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Call(_Strict):
    name: str
    arguments: str = "{}"


class _Choice(_Strict):
    """One scripted answer; `answer` may be left out where `tokens` spell it."""

    answer: str | None = None
    tokens: tuple[_Candidate | tuple[str, _Nats, tuple[_Candidate, ...]], ...] = ()
    confidence: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    finish_reason: str = "stop"
    tool_calls: tuple[_Call, ...] = ()
    reasoning: str | None = None

    @model_validator(mode="after")
    def _says_something_once(self) -> Self:
        if self.tokens and self.confidence is not None:
            raise ValueError("give tokens or confidence, not both")
        if self.answer is None and not self.tokens and not self.tool_calls:
            raise ValueError("give answer, tokens or tool_calls")
        return self


class _Entry(_Choice):
    """What to answer to a message that holds `match`."""

    match: str
    choices: tuple[_Choice, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _choices_speak_for_themselves(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("choices") and "answer" not in data:
            return {**data, "answer": ""}
        return data


class ScriptedBackend:
    """A Backend that reads its answers from a file; its completions are marked as staged."""

    name: Final = "scripted"

    def __init__(self, script: Path) -> None:
        self._entries = _read(script)

    @property
    def fingerprint(self) -> str:
        """Names no model: the answers are staged."""
        return FINGERPRINT

    async def start(self) -> Capabilities:
        """Nothing to open."""
        return Capabilities(
            logprobs=True,
            top_logprobs=20,
            logprobs_with_tools=True,
            logprobs_with_stream=True,
            models=(MODEL,),
            notes=("staged: answers come from a file, no model generates them",),
        )

    async def close(self) -> None:
        """Nothing to let go of."""

    async def healthy(self) -> bool:
        """Return True: there is nothing that could be away."""
        return True

    async def complete(self, case: Case) -> Completion:
        """Return the scripted answer. Raises InvalidRequest where the script has none."""
        return parse_chat_completion(
            self._body(case), backend=self.name, fingerprint=FINGERPRINT, staged=True
        )

    async def stream(self, case: Case) -> AsyncIterator[JsonObject]:
        """Yield the same answer as chunks."""
        for chunk in render_stream(self._body(case), include_usage=True):
            yield chunk

    async def models(self) -> JsonObject:
        """Return the one model."""
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "radsafe-gatekeeper"}
        return {"object": "list", "data": [model]}

    async def embed(self, body: Mapping[str, object]) -> JsonObject:
        """Raise NotSupported."""
        raise NotSupported("The scripted backend has no embeddings.")

    def _body(self, case: Case) -> dict[str, Any]:
        said = [message.text for message in case.conversation.messages if message.role == "user"]
        entry = next((entry for entry in self._entries if said and entry.match in said[-1]), None)
        if entry is None:
            raise InvalidRequest("The script has no answer to this message; add an entry that matches it.")
        written = entry.choices or (entry,)
        if len(written) == 1:
            written *= case.conversation.n
        choices = [_choice(index, choice) for index, choice in enumerate(written)]
        return {
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": MODEL,
            "choices": choices,
            "usage": _usage(said[-1], choices),
        }


def _read(script: Path) -> tuple[_Entry, ...]:
    try:
        data = yaml.safe_load(script.read_text())
        return TypeAdapter(tuple[_Entry, ...]).validate_python(data)
    except OSError as error:
        raise ConfigurationError(f"{script}: cannot be read") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{script}: is no YAML") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in problem["loc"])
        raise ConfigurationError(f"{script}: {where}: {problem['msg']}") from error


def _choice(index: int, choice: _Choice) -> dict[str, Any]:
    rows = [_row(*token) for token in choice.tokens] or _spread(choice.answer, choice.confidence)
    content = choice.answer if choice.answer is not None else "".join(row["token"] for row in rows)
    message: dict[str, Any] = {"role": "assistant", "content": content or None, "refusal": None}
    if choice.reasoning is not None:
        message["reasoning_content"] = choice.reasoning
    if choice.tool_calls:
        message["tool_calls"] = [
            {"id": f"call_{index}_{at}", "type": "function", "function": call.model_dump()}
            for at, call in enumerate(choice.tool_calls)
        ]
    return {
        "index": index,
        "message": message,
        "logprobs": {"content": rows, "refusal": None} if rows else None,
        "finish_reason": choice.finish_reason,
    }


def _spread(answer: str | None, confidence: float | None) -> list[dict[str, Any]]:
    """Give every word the same share of the answer's log-probability."""
    if confidence is None or not answer:
        return []
    words = _BEFORE_SPACE.split(answer)
    rest = 1.0 - confidence ** (1.0 / len(words))
    other = ((" …", log(rest)),) if rest > 0.0 else ()
    return [_row(word, log(confidence) / len(words), other) for word in words]


def _row(text: str, logprob: float, others: tuple[_Candidate, ...] = ()) -> dict[str, Any]:
    top = [_candidate(*candidate) for candidate in ((text, logprob), *others)]
    return {**_candidate(text, logprob), "top_logprobs": top}


def _candidate(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _usage(question: str, choices: list[dict[str, Any]]) -> dict[str, int]:
    asked = len(question.split())
    answered = sum(len((choice["message"]["content"] or "").split()) for choice in choices)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
