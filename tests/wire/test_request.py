"""Chat requests are read strictly enough to be judged, and sent on as they came."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Case, Evidence, EvidenceState, Part, Query
from gatekeeper.wire.request import parse_chat, upstream_body


def _chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Which side?"}], **fields}


def _case(**fields: Any) -> Case:
    return Case(parse_chat(_chat(**fields)), Evidence((), EvidenceState.NONE), Query("Which side?"))


def _parts(*content: Any) -> list[Part]:
    message = parse_chat(_chat(messages=[{"role": "user", "content": list(content)}])).messages[0]
    return list(message.parts)


def test_texts_say_where_they_stand() -> None:
    """Every text carries the JSON pointer of its place in the body."""
    conversation = parse_chat(
        _chat(
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Which side?"}]},
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "left"},
            ]
        )
    )
    assert [(message.role, message.parts) for message in conversation.messages] == [
        ("system", (Part("Be brief.", "/messages/0/content"),)),
        ("user", (Part("Which side?", "/messages/1/content/0/text"),)),
        ("assistant", ()),
        ("tool", (Part("left", "/messages/3/content"),)),
    ]


def test_media_carry_no_text() -> None:
    """An image beside a question is sent on and not read."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert _parts(image, {"type": "text", "text": "Seen?"}) == [Part("Seen?", "/messages/0/content/1/text")]


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        ({"type": "file", "file": {"text": "Left."}}, "/messages/0/content/0/file/text"),
        (
            {"type": "document", "source": {"type": "text", "data": "Left."}},
            "/messages/0/content/0/source/data",
        ),
        (
            {"type": "document", "document": {"data": {"text": "Left."}}},
            "/messages/0/content/0/document/data/text",
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/plain;base64,TGVmdC4=", "filename": "a.txt"}},
            "/messages/0/content/0/file/file_data",
        ),
    ],
)
def test_text_of_attached_files_is_read(part: dict[str, Any], pointer: str) -> None:
    """A text file attached to a message can serve as evidence."""
    assert _parts(part) == [Part("Left.", pointer, "file")]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "document", "source": {"type": "base64", "data": "JVBERi0="}},
    ],
)
def test_files_without_text_are_not_read(part: dict[str, Any]) -> None:
    """A PDF or a file by reference is sent on and is no evidence."""
    assert _parts(part) == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hello"]}, "messages[0]"),
        ({"messages": [{"role": "wizard", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": {}}]}]}, "messages[0].content[0].type"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,?"}}],
                    }
                ]
            },
            "messages[0].content[0]",
        ),
        ({"n": 0}, "n"),
        ({"n": 17}, "n"),
        ({"n": True}, "n"),
        ({"n": "2"}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": []}, "stream_options"),
        ({"logprobs": 5}, "logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"tools": {}}, "tools"),
        ({"model": 7}, "model"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_cannot_be_judged_is_refused(fields: dict[str, Any], param: str) -> None:
    """The error names the field at fault, as OpenAI's own do."""
    with pytest.raises(InvalidRequest) as refused:
        parse_chat(_chat(**fields))
    assert refused.value.param == param


def test_sampling_options_are_read() -> None:
    """What decides how to answer the client is read from the body."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    conversation = parse_chat(
        _chat(
            n=2,
            stream=True,
            stream_options={"include_usage": True},
            logprobs=True,
            top_logprobs=3,
            tools=tools,
        )
    )
    assert (conversation.n, conversation.stream, conversation.include_usage) == (2, True, True)
    assert (conversation.wants_logprobs, conversation.wants_top_logprobs) == (True, 3)
    assert conversation.has_tools


def test_legacy_functions_count_as_tools() -> None:
    """Functions of the older protocol make tool calls possible too."""
    assert parse_chat(_chat(functions=[{"name": "f"}])).has_tools


def test_null_options_mean_their_defaults() -> None:
    """Clients that send null for what they leave open are served."""
    conversation = parse_chat(_chat(n=None, stream=None, logprobs=None, top_logprobs=None, tools=None))
    assert (conversation.n, conversation.stream, conversation.wants_logprobs) == (1, False, False)


def test_own_fields_stay_here() -> None:
    """The model server gets the client's body without the gatekeeper's fields and with logprobs."""
    case = _case(evidence=["Left."], options={"A": "left"}, temperature=0.2, guided_choice=["a"])
    assert upstream_body(case, logprobs=True, top_logprobs=5) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Which side?"}],
        "temperature": 0.2,
        "guided_choice": ["a"],
        "logprobs": True,
        "top_logprobs": 5,
        "stream": False,
    }


def test_client_gets_as_many_alternatives_as_it_asks_for() -> None:
    """The larger of both wishes goes upstream."""
    case = _case(logprobs=True, top_logprobs=7)
    assert upstream_body(case, logprobs=True, top_logprobs=5)["top_logprobs"] == 7
    assert upstream_body(case, logprobs=True, top_logprobs=20)["top_logprobs"] == 20


def test_without_logprobs_the_clients_wish_stands() -> None:
    """A server that refuses the gatekeeper's logprobs is asked for the client's own body."""
    assert "logprobs" not in upstream_body(_case(), logprobs=False, top_logprobs=0)
    body = upstream_body(_case(logprobs=True, top_logprobs=2), logprobs=False, top_logprobs=0)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 2)


def test_streams_ask_for_usage() -> None:
    """Usage is known whether or not the client asked; other stream options are kept."""
    case = _case(stream=True, stream_options={"include_obfuscation": False})
    body = upstream_body(case, logprobs=False, top_logprobs=0)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_stream_can_be_asked_for_whole() -> None:
    """A client's stream that is held anyway is generated in one piece."""
    body = upstream_body(_case(stream=True, stream_options={}), logprobs=False, top_logprobs=0, stream=False)
    assert body["stream"] is False
    assert "stream_options" not in body


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "file", "document", "file_data", "source", "data"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
_fields = st.sampled_from(["messages", "n", "stream", "stream_options", "logprobs", "top_logprobs", "tools"])


@given(st.dictionaries(_fields, _json), st.lists(_json, max_size=3))
def test_any_json_is_read_or_refused(fields: dict[str, Any], content: list[Any]) -> None:
    """No body, however odd, is anything but a conversation or an InvalidRequest."""
    for body in (fields, {**fields, "messages": [{"role": "user", "content": content}]}):
        try:
            conversation = parse_chat(body)
        except InvalidRequest as refused:
            assert refused.param
        else:
            assert conversation.body is body


@given(st.text(max_size=200))
def test_text_files_come_back_as_they_were(text: str) -> None:
    """An attached text is read character for character."""
    url = "data:text/plain;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()
    assert _parts({"type": "file", "file": {"file_data": url}})[0].text == text
