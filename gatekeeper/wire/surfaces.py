"""The surfaces that carry answers: how each is read, asked for upstream, read back and sent on."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol

import orjson

from gatekeeper.exchange import Case, Completion, Conversation, JsonObject, Surface
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.completions import (
    completions_body,
    parse_completions,
    parse_completions_response,
    render_completions,
    stream_completions,
)
from gatekeeper.wire.render import Rendered, Reply, render_completion, render_stream
from gatekeeper.wire.request import parse_chat, upstream_body
from gatekeeper.wire.responses import (
    parse_response,
    parse_responses,
    render_response,
    response_body,
    response_events,
)
from gatekeeper.wire.sse import DONE, encode_event


class _Body(Protocol):
    def __call__(
        self, case: Case, *, logprobs: bool, top_logprobs: int, stream: bool | None = None
    ) -> dict[str, Any]: ...


class _Read(Protocol):
    def __call__(
        self, body: JsonObject, *, backend: str = "", fingerprint: str | None = None, staged: bool = False
    ) -> Completion: ...


class _Render(Protocol):
    def __call__(
        self,
        completion: Completion,
        replies: list[Reply],
        envelope: JsonObject,
        *,
        wants_logprobs: bool = False,
        wants_top_logprobs: int = 0,
    ) -> Rendered: ...


class Wire(NamedTuple):
    """One surface: `path` below `/v1`, and its functions from bytes to our words and back."""

    path: str
    parse_request: Callable[[JsonObject], Conversation]
    upstream_body: _Body
    parse_answer: _Read
    render: _Render
    events: Callable[[JsonObject, Conversation], Iterator[bytes]]


def _chat_events(body: JsonObject, conversation: Conversation) -> Iterator[bytes]:
    for chunk in render_stream(body, include_usage=conversation.include_usage):
        yield encode_event(orjson.dumps(chunk))
    yield encode_event(DONE)


def _completions_events(body: JsonObject, conversation: Conversation) -> Iterator[bytes]:
    for chunk in stream_completions(body, include_usage=conversation.include_usage):
        yield encode_event(orjson.dumps(chunk))
    yield encode_event(DONE)


def _responses_events(body: JsonObject, conversation: Conversation) -> Iterator[bytes]:
    return response_events(body)


WIRES: Final[Mapping[Surface, Wire]] = {
    Surface.CHAT: Wire(
        "/chat/completions", parse_chat, upstream_body, parse_chat_completion, render_completion, _chat_events
    ),
    Surface.COMPLETIONS: Wire(
        "/completions",
        parse_completions,
        completions_body,
        parse_completions_response,
        render_completions,
        _completions_events,
    ),
    Surface.RESPONSES: Wire(
        "/responses", parse_responses, response_body, parse_response, render_response, _responses_events
    ),
}
