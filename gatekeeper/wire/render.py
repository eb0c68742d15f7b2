"""What a client gets: judged answers in OpenAI's shape, as one body or as a stream.

A held answer's choice is made from nothing. A released answer keeps its texts that were judged, what
carries no text (numbers, booleans, null), and the few strings that OpenAI's protocol needs; any other
text is taken out and counted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from gatekeeper.exchange import Answer, Completion, JsonObject, Token, TokenSpan
from gatekeeper.wire.completion import REASONING_FIELDS
from gatekeeper.wire.logprobs import spells
from gatekeeper.wire.names import is_name

_LONGEST_FIELD: Final = 48
"""Characters of a field's name that pass with its number; servers' fields are one short word."""

_LONGEST_TOKEN: Final = 256
"""Characters of an alternative token that pass; no vocabulary has longer ones."""

_PIECE: Final = 64
"""Characters of content per chunk of a rendered stream, more where a word needs them."""

_TOP_STRINGS: Final = frozenset({"id", "object", "model", "system_fingerprint", "service_tier"})
_NUMBER_OBJECTS: Final = frozenset({"usage", "timings"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of one answer.

    `message` is the policy's text in place of a held answer, `notice` what is appended to a released
    one, `envelope` the `gatekeeper` object of this choice where there are several.
    """

    index: int
    kind: Literal["released", "held"]
    answer: Answer
    notice: str = ""
    message: str = ""
    keep_reasoning: bool = True
    envelope: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A response body and the number of fields that were taken out of it unread."""

    body: dict[str, Any]
    dropped: int


def render_completion(
    completion: Completion,
    replies: Sequence[Reply],
    envelope: JsonObject,
    *,
    wants_logprobs: bool = False,
    wants_top_logprobs: int = 0,
) -> Rendered:
    """Return the body for the client; `envelope` becomes its `gatekeeper` object."""
    rendering = _Rendering(wants_top_logprobs if wants_logprobs else None)
    body = rendering.top(completion.raw)
    body["choices"] = [rendering.choice(reply) for reply in sorted(replies, key=_index)]
    body["gatekeeper"] = envelope
    return Rendered(body, rendering.dropped)


def render_stream(body: JsonObject, *, include_usage: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a body as chunks; the last one carries the `gatekeeper` object of a rendered one.

    Folding the chunks gives the body back, without its usage where that was not asked for.
    """
    held_back = {"choices", "usage", "gatekeeper"}
    top = {key: value for key, value in body.items() if key not in held_back}
    top["object"] = "chat.completion.chunk"
    if include_usage:
        top["usage"] = None
    pending: dict[str, Any] | None = None
    for choice in body["choices"]:
        for piece in _choice_pieces(choice):
            if pending is not None:
                yield pending
            pending = {**top, "choices": [piece]}
    if include_usage:
        if pending is not None:
            yield pending
        pending = {**top, "choices": [], "usage": body.get("usage")}
    last = pending or top
    yield {**last, "gatekeeper": body["gatekeeper"]} if "gatekeeper" in body else last


def top_fields(raw: JsonObject) -> tuple[dict[str, Any], int]:
    """Return the names and numbers beside the choices, and how many other fields were taken out."""
    rendering = _Rendering(None)
    return rendering.top(raw), rendering.dropped


def short_alternatives(token: Token, most: int) -> list[tuple[str, float]]:
    """Return a token's likeliest alternatives that can be tokens; a longer text may be an answer."""
    return [(text, logprob) for text, logprob in token.top if len(text) <= _LONGEST_TOKEN][:most]


def _index(reply: Reply) -> int:
    return reply.index


class _Rendering:
    """One response being made; counts what it takes out. `alternatives` is None without logprobs."""

    def __init__(self, alternatives: int | None) -> None:
        self._alternatives = alternatives
        self.dropped = 0

    def top(self, raw: JsonObject) -> dict[str, Any]:
        """Return the fields beside the choices."""
        body: dict[str, Any] = {}
        for key, value in raw.items():
            if key in {"choices", "gatekeeper"}:
                continue
            if key in _TOP_STRINGS and is_name(value):
                body[key] = value
            elif key in _NUMBER_OBJECTS and isinstance(value, dict):
                body[key] = self._numbers(value)
            else:
                self._keep_wordless(body, key, value)
        return body

    def choice(self, reply: Reply) -> dict[str, Any]:
        """Return one choice."""
        choice = self._released(reply) if reply.kind == "released" else _held(reply)
        if reply.envelope is not None:
            choice["gatekeeper"] = reply.envelope
        return choice

    def _released(self, reply: Reply) -> dict[str, Any]:
        raw = reply.answer.raw
        if raw is None:
            raise ValueError("Only an answer that was read from a completion can be released.")
        choice: dict[str, Any] = {"index": reply.index, "message": self._message(reply, raw["message"])}
        for key, value in raw.items():
            if key == "logprobs":
                choice[key] = self._logprobs(reply, value)
            elif key == "finish_reason" and is_name(value):
                choice[key] = value
            elif key not in {"index", "message", "gatekeeper"}:
                self._keep_wordless(choice, key, value)
        return choice

    def _message(self, reply: Reply, raw: JsonObject) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant"}
        for key, value in raw.items():
            if key == "content":
                message[key] = self._content(reply, value)
            elif key in REASONING_FIELDS:
                message[key] = value if reply.keep_reasoning else None
            elif key == "refusal":
                message[key] = value
            elif key == "tool_calls" and value:
                message[key] = [self._tool_call(call) for call in value]
            elif key == "function_call" and value:
                message[key] = self._function(value, "arguments")
            elif key != "role":
                self._keep_wordless(message, key, value)
        if reply.notice:
            message["content"] = _with_notice(message.get("content"), reply.notice)
        return message

    def _content(self, reply: Reply, raw: object) -> object:
        if isinstance(raw, str):
            return raw if reply.keep_reasoning else reply.answer.content
        if not isinstance(raw, list):
            return None
        if not reply.keep_reasoning:
            refusals = [self._part(part) for part in raw if part["type"] == "refusal"]
            return [{"type": "text", "text": reply.answer.content}, *refusals]
        return [self._part(part) for part in raw]

    def _part(self, raw: JsonObject) -> dict[str, Any]:
        """Keep the judged text of a content part."""
        kind = raw["type"]
        text = raw.get(kind)
        if isinstance(text, list):
            text = [self._part(inner) for inner in text]
        self.dropped += sum(not _wordless(value) for key, value in raw.items() if key not in {"type", kind})
        return {"type": kind, kind: text}

    def _tool_call(self, raw: JsonObject) -> dict[str, Any]:
        call: dict[str, Any] = {}
        function, arguments = ("custom", "input") if "custom" in raw else ("function", "arguments")
        for key, value in raw.items():
            if key == function:
                call[key] = self._function(value, arguments)
            elif key in {"id", "type"} and is_name(value):
                call[key] = value
            else:
                self._keep_wordless(call, key, value)
        return call

    def _function(self, raw: JsonObject, arguments: str) -> dict[str, Any]:
        function: dict[str, Any] = {}
        for key, value in raw.items():
            if key in {"name", arguments}:
                function[key] = value
            else:
                self._keep_wordless(function, key, value)
        return function

    def _logprobs(self, reply: Reply, raw: object) -> dict[str, Any] | None:
        """Return the rows that the client asked for, of tokens that belong to a released text."""
        if self._alternatives is None or not isinstance(raw, dict):
            return None
        rows: dict[str, Any] = {"content": None, "refusal": None}
        try:
            if raw.get("content") is not None:
                tokens = zip(raw["content"], reply.answer.tokens, strict=False)
                rows["content"] = [
                    self._row(row, token.text) for row, token in tokens if _shown(token, reply)
                ]
            if raw.get("refusal") is not None:
                said = "".join(row["token"] for row in raw["refusal"]) == reply.answer.refusal
                rows["refusal"] = [self._row(row, row["token"]) for row in raw["refusal"]] if said else []
        except (AttributeError, KeyError, TypeError, ValueError):
            self.dropped += 1
            return None
        return rows

    def _row(self, raw: JsonObject, text: str) -> dict[str, Any]:
        top = [one for one in raw.get("top_logprobs") or [] if len(one["token"]) <= _LONGEST_TOKEN]
        if self._alternatives is not None and len(top) > self._alternatives:
            top = sorted(top, key=_by_logprob)[: self._alternatives]
        return {
            **_candidate({**raw, "token": text}),
            "top_logprobs": [_candidate(alternative) for alternative in top],
        }

    def _numbers(self, raw: Mapping[str, object]) -> dict[str, Any]:
        """Keep the numbers of nested objects such as `usage`."""
        numbers: dict[str, Any] = {}
        for key, value in raw.items():
            if isinstance(value, dict):
                numbers[key] = self._numbers(value)
            else:
                self._keep_wordless(numbers, key, value)
        return numbers

    def _keep_wordless(self, holder: dict[str, Any], key: str, value: object) -> None:
        if _wordless(value) and _is_field(key):
            holder[key] = value
        else:
            self.dropped += 1


def _held(reply: Reply) -> dict[str, Any]:
    return {
        "index": reply.index,
        "message": {"role": "assistant", "content": reply.message, "refusal": None},
        "logprobs": None,
        "finish_reason": "content_filter",
    }


def _wordless(value: object) -> bool:
    """Whether a value carries no text: a number, a boolean, null or something empty."""
    return value is None or isinstance(value, int | float) or value in ("", [], {})


def _is_field(key: str) -> bool:
    """Whether a field's name is one short word of ASCII that begins with a small letter."""
    return len(key) <= _LONGEST_FIELD and key.isascii() and key.isidentifier() and key[0].islower()


def _shown(token: Token, reply: Reply) -> bool:
    """Whether a row's text is part of what leaves: stop tokens and rows without a place are not."""
    said = token.text.strip("\N{REPLACEMENT CHARACTER}")  # the token may be a part of a character
    if token.span is TokenSpan.REASONING:
        return reply.keep_reasoning and said in reply.answer.reasoning
    if token.span is TokenSpan.TOOL:
        return any(said in call.arguments or said in call.name for call in reply.answer.tool_calls)
    return token.offset is not None


def _candidate(raw: JsonObject) -> dict[str, Any]:
    token, logprob, data = raw["token"], raw.get("logprob"), raw.get("bytes")
    if not (isinstance(token, str) and isinstance(logprob, float | int | None)):
        raise TypeError(type(token))
    fits = isinstance(data, list) and spells(token, bytes(data))
    return {"token": token, "logprob": logprob, "bytes": data if fits else None}


def _by_logprob(raw: JsonObject) -> float:
    return -float(raw["logprob"])


def _with_notice(content: object, notice: str) -> object:
    if isinstance(content, list):
        return [*content, {"type": "text", "text": notice}]
    return f"{content}{notice}" if content else notice.strip()


def _choice_pieces(choice: JsonObject) -> Iterator[dict[str, Any]]:
    """Yield a choice as the parts of its chunks: role, content, finish."""
    index = choice["index"]
    message = dict(choice["message"])
    content = message.get("content")
    if message.get("tool_calls"):
        calls = enumerate(message["tool_calls"])
        message["tool_calls"] = [{**call, "index": position} for position, call in calls]
    blank = {"logprobs": None} if "logprobs" in choice else {}
    rows = {"logprobs": choice["logprobs"]} if choice.get("logprobs") else blank
    pieces: Iterable[str] = ()
    if isinstance(content, str) and content:
        message["content"] = ""
        # Rows and the text that they belong to stay in one chunk.
        pieces = _pieces(content) if rows is blank else (content,)
    yield {"index": index, "delta": message, **(blank if pieces else rows), "finish_reason": None}
    for piece in pieces:
        yield {"index": index, "delta": {"content": piece}, **rows, "finish_reason": None}
    finish = {key: value for key, value in choice.items() if key not in {"message", "logprobs"}}
    yield {**finish, "delta": {}, **blank}


def _pieces(content: str) -> Iterator[str]:
    """Cut text after words into pieces of about `_PIECE` characters."""
    begin = 0
    while len(content) - begin > _PIECE:
        space = content.find(" ", begin + _PIECE)
        if space < 0:
            break
        yield content[begin : space + 1]
        begin = space + 1
    yield content[begin:]
