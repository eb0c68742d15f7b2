"""A folded stream is the body that the server would have sent at once."""

from typing import Any

import pytest
from hypothesis import given

from gatekeeper.errors import UpstreamError, UpstreamGarbled
from gatekeeper.wire.chunks import Fold, fold
from gatekeeper.wire.render import render_stream
from tests.fake_upstream import CANARY
from tests.wire.strategies import completions


def _chunk(delta: Any, finish: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def _message(*deltas: Any) -> Any:
    return fold([*map(_chunk, deltas), _chunk({}, "stop")])["choices"][0]["message"]


@given(completions())
def test_folding_undoes_streaming(body: dict[str, Any]) -> None:
    """Every body comes back from its stream unchanged."""
    assert fold(render_stream(body, include_usage=True)) == body


def test_fold_leaves_chunks_alone() -> None:
    """Chunks that are folded can still be recorded as they came."""
    first = {"choices": [{"index": 0, "delta": {"content": ""}, "logprobs": {"content": [1]}}]}
    second = {"choices": [{"index": 0, "delta": {}, "logprobs": {"content": [2]}, "finish_reason": "stop"}]}
    assert fold([first, second])["choices"][0]["logprobs"] == {"content": [1, 2]}
    assert first["choices"][0]["logprobs"] == {"content": [1]}


def test_text_and_parts_may_mix() -> None:
    """A server that sends thoughts as parts and the answer as text loses neither."""
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    assert _message({"content": [thought]}, {"content": "Le"}, {"content": "ft"})["content"] == [
        thought,
        {"type": "text", "text": "Le"},
        {"type": "text", "text": "ft"},
    ]
    assert _message({"content": ""}, {"content": "Left"}, {"content": [thought]})["content"] == [
        {"type": "text", "text": "Left"},
        thought,
    ]


def test_tool_calls_without_index_are_told_apart() -> None:
    """Servers that send whole calls without an index do not run them together."""
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "[]"}},
    ]
    message = _message({"tool_calls": [calls[0]]}, {"tool_calls": [calls[1]]})
    assert message["tool_calls"] == calls


def test_repeated_names_are_one_name() -> None:
    """Servers that repeat id and name in every piece of a call do not double them."""
    pieces = [
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": part}}]}
        for part in ('{"a"', ":1}")
    ]
    assert _message(*pieces)["tool_calls"] == [{"id": "a", "function": {"name": "f", "arguments": '{"a":1}'}}]


def test_legacy_function_call_is_joined() -> None:
    """Calls of the older protocol come in pieces too."""
    message = _message(
        {"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}
    )
    assert message["function_call"] == {"name": "f", "arguments": "{}"}


def test_text_after_the_finish_is_kept() -> None:
    """What a server flushes late is part of the answer, so that it is judged."""
    body = fold([_chunk({"content": "Left"}), _chunk({}, "stop"), _chunk({"content": " side"})])
    assert body["choices"][0]["message"]["content"] == "Left side"
    assert body["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [{"choices": []}],
        [_chunk({"content": "Left"})],
        [_chunk({}, "stop"), _chunk({"content": "Left"}, index=1)],
        ["Left"],
        [{"choices": "Left"}],
        [{"choices": ["Left"]}],
        [_chunk("Left", "stop")],
        [_chunk({}, "stop", index=-1)],
        [_chunk({"tool_calls": "f"}, "stop")],
        [_chunk({"tool_calls": ["f"]}, "stop")],
        [_chunk({"tool_calls": [{"index": "0"}]}, "stop")],
    ],
)
def test_what_is_no_whole_stream_is_refused(chunks: list[Any]) -> None:
    """A stream that breaks off or has another shape never counts as an answer."""
    with pytest.raises(UpstreamGarbled):
        fold(chunks)


def test_error_in_the_stream_is_an_error() -> None:
    """A server that fails while it streams is reported without its text."""
    folding = Fold()
    folding.add(_chunk({"content": "Le"}))
    with pytest.raises(UpstreamError) as raised:
        folding.add({"error": {"message": CANARY, "code": 503}})
    assert raised.value.status == 503
    assert CANARY not in repr(raised.value)
