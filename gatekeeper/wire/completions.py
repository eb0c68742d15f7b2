"""`/v1/completions`, the legacy text surface: requests, bodies of servers, and what a client gets.

The body that leaves is made from the judged words alone; of the server's only names and numbers stay.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from gatekeeper.errors import InvalidRequest, UpstreamGarbled
from gatekeeper.exchange import (
    Answer,
    Case,
    Completion,
    Conversation,
    JsonObject,
    Message,
    Part,
    Surface,
    Token,
)
from gatekeeper.wire.completion import ordered, raise_for_error
from gatekeeper.wire.logprobs import normalise
from gatekeeper.wire.names import is_name
from gatekeeper.wire.reasoning import divide
from gatekeeper.wire.render import Rendered, Reply, short_alternatives, top_fields
from gatekeeper.wire.request import MAX_CHOICES, OWN_FIELDS, bounded, typed

MAX_LOGPROBS: Final = 5
"""The most alternatives that the legacy surface gives."""

_UNJUDGEABLE: Final = {
    "echo": "an echoed prompt cannot be told from an answer; leave echo out",
    "suffix": "an insertion cannot be judged without what surrounds it; leave suffix out",
}


def parse_completions(body: JsonObject) -> Conversation:
    """Read the body of `/v1/completions`. Raises InvalidRequest, naming the field."""
    for field, why in _UNJUDGEABLE.items():
        if body.get(field):
            raise InvalidRequest(why, param=field)
    stream = typed(body, "stream", bool, False)
    stream_options: dict[str, Any] = typed(body, "stream_options", dict, {})
    wants = bounded(body, "logprobs", 0, 0, MAX_LOGPROBS)
    return Conversation(
        surface=Surface.COMPLETIONS,
        model=typed(body, "model", str, ""),
        messages=(Message("user", (_prompt(body.get("prompt")),)),),
        body=body,
        n=bounded(body, "n", 1, 1, MAX_CHOICES),
        stream=stream,
        include_usage=stream and stream_options.get("include_usage") is True,
        wants_logprobs=body.get("logprobs") is not None,
        wants_top_logprobs=wants,
    )


def _prompt(value: object) -> Part:
    if isinstance(value, str):
        return Part(value, "/prompt")
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return Part(value[0], "/prompt/0")
    raise InvalidRequest(
        "send one prompt, as text: several prompts or token ids cannot be judged together", param="prompt"
    )


def completions_body(
    case: Case, *, logprobs: bool, top_logprobs: int, stream: bool | None = None
) -> dict[str, Any]:
    """Return the body for the model server; it is asked for a whole answer, never for a stream."""
    body = {key: value for key, value in case.conversation.body.items() if key not in OWN_FIELDS}
    body.pop("stream_options", None)
    body["stream"] = False
    if logprobs:
        wanted = max(1, min(top_logprobs, MAX_LOGPROBS), case.conversation.wants_top_logprobs)
        body["logprobs"] = wanted
    return body


def parse_completions_response(
    body: JsonObject, *, backend: str = "", fingerprint: str | None = None, staged: bool = False
) -> Completion:
    """Read a text completion. Raises UpstreamGarbled for anything that is none."""
    raise_for_error(body)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise UpstreamGarbled("The model server's answer has no choices.")
    model = body.get("model")
    return Completion(
        answers=ordered(_answer(choice, at) for at, choice in enumerate(choices)),
        raw=body,
        model=model if isinstance(model, str) else "",
        fingerprint=fingerprint,
        backend=backend,
        staged=staged,
    )


def _answer(choice: object, position: int) -> Answer:
    if not isinstance(choice, dict) or not isinstance(choice.get("text"), str):
        raise UpstreamGarbled("A choice of the model server has no text.")
    divided = divide(choice["text"])
    content, reasoning = divided.answer, divided.reasoning
    tokens, quality = normalise({"logprobs": _rows(choice.get("logprobs"))}, content, reasoning)
    finish = choice.get("finish_reason")
    index = choice.get("index", position)
    if not isinstance(index, int):
        raise UpstreamGarbled("A choice of the model server has no index.")
    return Answer(
        index=index,
        content=content,
        tokens=tokens,
        quality=quality,
        reasoning=reasoning,
        finish_reason=finish if is_name(finish) else None,
        raw=choice,
    )


def _rows(logprobs: object) -> object:
    """Bring the legacy lists into the form of chat completions; llama-server sends that already."""
    if not isinstance(logprobs, dict) or "tokens" not in logprobs:
        return logprobs
    tokens, values = logprobs.get("tokens"), logprobs.get("token_logprobs")
    tops = logprobs.get("top_logprobs") or []
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        return None
    return {
        "content": [
            {"token": token, "logprob": value, "top_logprobs": _alternatives(tops, at)}
            for at, (token, value) in enumerate(zip(tokens, values, strict=True))
        ]
    }


def _alternatives(tops: Sequence[object], at: int) -> list[dict[str, Any]]:
    top = tops[at] if at < len(tops) else None
    if not isinstance(top, dict):
        return []
    return [{"token": token, "logprob": logprob} for token, logprob in top.items()]


def render_completions(
    completion: Completion,
    replies: Sequence[Reply],
    envelope: JsonObject,
    *,
    wants_logprobs: bool = False,
    wants_top_logprobs: int = 0,
) -> Rendered:
    """Return the body for the client; `envelope` becomes its `gatekeeper` object."""
    body, dropped = top_fields(completion.raw)
    body["object"] = "text_completion"
    alternatives = wants_top_logprobs if wants_logprobs else None
    body["choices"] = [_choice(reply, alternatives) for reply in sorted(replies, key=lambda one: one.index)]
    body["gatekeeper"] = envelope
    return Rendered(body, dropped)


def _choice(reply: Reply, alternatives: int | None) -> dict[str, Any]:
    held = reply.kind == "held"
    choice: dict[str, Any] = {
        "index": reply.index,
        "text": reply.message if held else reply.answer.content + reply.notice,
        "logprobs": None if held or alternatives is None else _legacy(reply.answer.tokens, alternatives),
        "finish_reason": "content_filter" if held else reply.answer.finish_reason,
    }
    if reply.envelope is not None:
        choice["gatekeeper"] = reply.envelope
    return choice


def _legacy(tokens: Sequence[Token], alternatives: int) -> dict[str, Any]:
    """Return the released content's token probabilities in the legacy lists."""
    shown = [token for token in tokens if token.offset is not None]
    return {
        "tokens": [token.text for token in shown],
        "token_logprobs": [token.logprob for token in shown],
        "top_logprobs": [dict(short_alternatives(token, alternatives)) for token in shown]
        if alternatives
        else None,
        "text_offset": [token.offset for token in shown],
    }


def stream_completions(body: JsonObject, *, include_usage: bool = False) -> Iterator[dict[str, Any]]:
    """Yield a rendered body as chunks; the last one carries the `gatekeeper` object."""
    top = {key: value for key, value in body.items() if key not in {"choices", "usage", "gatekeeper"}}
    parts = [{**top, "choices": [choice]} for choice in body["choices"]]
    if include_usage:
        parts.append({**top, "choices": [], "usage": body.get("usage")})
    parts[-1]["gatekeeper"] = body["gatekeeper"]
    yield from parts
