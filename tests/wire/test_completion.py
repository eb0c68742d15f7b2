"""Completions of a model server are read whole, or refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import UpstreamError, UpstreamGarbled
from gatekeeper.exchange import ToolCall
from gatekeeper.wire.completion import parse_chat_completion
from tests.fake_upstream import CANARY
from tests.wire.strategies import completions


def _body(message: Any = None, **choice: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Left."} if message is None else message
    return {
        "model": "served",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
    }


def _answer(**message: Any) -> Any:
    return parse_chat_completion(_body({"role": "assistant", **message})).answers[0]


def test_origin_is_passed_through() -> None:
    """A completion says which model, backend and fingerprint it comes from, and if it is staged."""
    completion = parse_chat_completion(_body(), backend="openai", fingerprint="f", staged=True)
    assert (completion.model, completion.backend, completion.fingerprint) == ("served", "openai", "f")
    assert completion.staged


@given(completions())
def test_every_choice_is_read(body: dict[str, Any]) -> None:
    """No choice, tool call or reasoning field is left unread."""
    answers = parse_chat_completion(body).answers
    assert [answer.index for answer in answers] == [choice["index"] for choice in body["choices"]]
    for answer, choice in zip(answers, body["choices"], strict=True):
        message = choice["message"]
        calls = [call["function"] for call in message.get("tool_calls", [])]
        assert answer.content == message["content"]
        assert answer.reasoning == message.get("reasoning_content", "")
        assert answer.tool_calls == tuple(ToolCall(call["name"], call["arguments"]) for call in calls)


def test_choices_come_in_order_of_index() -> None:
    """The first answer is choice 0, wherever the server put it."""
    body = _body()
    body["choices"] = [
        {"index": 1, "message": {"content": "b"}},
        {"index": 0, "message": {"content": "a"}},
    ]
    assert [answer.content for answer in parse_chat_completion(body).answers] == ["a", "b"]


def test_parts_of_content_are_joined() -> None:
    """Content, thoughts and refusals that come as parts are read like those that come as fields."""
    answer = _answer(
        content=[
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": "Left"},
            {"type": "text", "text": " side."},
            {"type": "refusal", "refusal": "No more."},
        ]
    )
    assert (answer.content, answer.reasoning, answer.refusal) == ("Left side.", "Hm.", "No more.")


def test_reasoning_in_several_places_is_read_once_each() -> None:
    """Equal reasoning in two fields counts once, and none of different reasonings is lost."""
    assert _answer(reasoning="Hm.", reasoning_content="Hm.", content="B").reasoning == "Hm."
    answer = _answer(reasoning="Hm.", thinking="So.", content="<think>Well.</think>B")
    assert (answer.reasoning, answer.content) == ("Hm.\nSo.\nWell.", "B")


def test_every_kind_of_tool_call_is_read() -> None:
    """Function calls, custom tools, objects as arguments and the legacy field all reach the checks."""
    answer = _answer(
        content=None,
        tool_calls=[
            {"type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"type": "function", "function": {"name": "g", "arguments": {"a": 1}}},
            {"type": "custom", "custom": {"name": "h", "input": "a = 1"}},
            {"type": "function", "function": {"name": "i", "arguments": None}},
        ],
        function_call={"name": "j", "arguments": "{}"},
    )
    assert answer.tool_calls == (
        ToolCall("f", '{"a":1}'),
        ToolCall("g", '{"a":1}'),
        ToolCall("h", "a = 1"),
        ToolCall("i", ""),
        ToolCall("j", "{}"),
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [None]},
        {"choices": [{"index": 0}]},
        {"choices": [{"index": 0, "message": "Left."}]},
        _body(index="0"),
        _body(index=True),
        _body(index=-1),
        _body(finish_reason=3),
        _body({"content": 5}),
        _body({"content": ["Left."]}),
        _body({"content": [{"type": "audio", "audio": {}}]}),
        _body({"content": "", "reasoning": ["Hm."]}),
        _body({"content": "", "refusal": 1}),
        _body({"content": "", "tool_calls": "f"}),
        _body({"content": "", "tool_calls": ["f"]}),
        _body({"content": "", "tool_calls": [{"type": "function"}]}),
        _body({"content": "", "tool_calls": [{"function": {"name": "f", "arguments": 5}}]}),
        {"choices": [_body()["choices"][0]] * 2},
    ],
)
def test_what_is_no_completion_is_refused(body: dict[str, Any]) -> None:
    """An answer of another shape never passes unread."""
    with pytest.raises(UpstreamGarbled):
        parse_chat_completion(body)


def test_error_in_the_body_is_an_error() -> None:
    """An error object under status 200 keeps its status and loses its text."""
    with pytest.raises(UpstreamError) as raised:
        parse_chat_completion({"error": {"message": CANARY, "code": 429}})
    assert raised.value.status == 429
    assert CANARY not in repr(raised.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "index",
                        "message",
                        "content",
                        "type",
                        "text",
                        "tool_calls",
                        "function",
                        "error",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_read_or_refused(choices: Any) -> None:
    """No answer, however odd, is anything but a completion or an UpstreamError without its text."""
    try:
        completion = parse_chat_completion({"choices": choices})
    except UpstreamError as refused:
        assert refused.message.startswith("The model server")
    else:
        assert len(completion.answers) == len(choices)
