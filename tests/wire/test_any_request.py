"""Whatever bytes or JSON arrive, from clients or from model servers, are read or refused by name."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.claims import read_query
from gatekeeper.errors import InvalidRequest, UpstreamError, UpstreamGarbled
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Case, Surface
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.nesting import too_deep
from gatekeeper.wire.render import Reply
from gatekeeper.wire.sse import SseParser
from gatekeeper.wire.surfaces import WIRES
from tests.cases import TODAY
from tests.faults.exchange import FORMS, answer_of, request_of
from tests.faults.upstream import chunks_of, with_rows

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**18,
        1e300,
        "",
        "x",
        "\x00",
        "\u2028",
        [],
        {},
        [[]],
        [{}],
        [None],
        {"type": "text"},
    ]
)
JSON = st.recursive(
    ODD | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)

REQUESTS: dict[Surface, list[dict[str, Any]]] = {
    Surface.CHAT: [
        {
            **request_of(Surface.CHAT, 1, "none", stream=True),
            "messages": [
                {"role": "system", "content": "Context information is below.\n---\nHold.\n---\n"},
                {"role": "tool", "content": [{"type": "text", "text": "Hold for 48 h."}]},
                {
                    "role": "user",
                    "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,SGk="}}],
                },
            ],
            "documents": ["Hold.", {"id": "d", "data": {"text": "x"}}],
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "stream_options": {"include_usage": True},
            "response_format": {"type": "text"},
            "logprobs": True,
            "top_logprobs": 2,
            "n": 2,
        }
    ],
    Surface.COMPLETIONS: [
        {**request_of(Surface.COMPLETIONS, 1, "none", stream=False), "echo": False, "n": 1}
    ],
    Surface.RESPONSES: [
        {
            **request_of(Surface.RESPONSES, 1, "none", stream=False),
            "instructions": "Be brief.",
            "include": ["message.output_text.logprobs"],
            "text": {"format": {"type": "text"}},
            "input": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
                {"type": "function_call_output", "call_id": "c", "output": "Hold."},
                {"type": "file_search_call", "results": [{"text": "Hold."}]},
            ],
        }
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*path, key))


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """Draw a JSON object with something else in up to three places of it."""
    found = deepcopy(whole)
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([path for path in places(found) if path]))
        holder: Any = found
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = deepcopy(draw(JSON))
    return found


@pytest.mark.parametrize("surface", Surface)
@given(data=st.data())
def test_any_request_is_read_or_refused(surface: Surface, data: st.DataObject) -> None:
    """A damaged request is a 400 that names the field, or is judged and passed on; never a 500."""
    wire = WIRES[surface]
    body = data.draw(
        damaged(data.draw(st.sampled_from(REQUESTS[surface])))
        | st.dictionaries(st.text(max_size=5), JSON, max_size=4)
    )
    try:
        conversation = wire.parse_request(body)
        evidence = read_evidence(conversation, TODAY)
        query = read_query(conversation, evidence)
    except InvalidRequest as refused:
        assert refused.param
        return
    case = Case(conversation, evidence, query)
    sent = wire.upstream_body(case, logprobs=True, top_logprobs=5, stream=False)
    assert orjson.loads(orjson.dumps(sent))["stream"] is False


@pytest.mark.parametrize("surface", Surface)
@given(data=st.data())
def test_any_answer_is_read_and_sent_on_or_refused(surface: Surface, data: st.DataObject) -> None:
    """A damaged answer of a model server is delivered as a valid body and stream, or is a 502."""
    wire = WIRES[surface]
    whole = with_rows(surface, 1, -0.5) | {"usage": {"prompt_tokens": 1, "input_tokens_details": {"a": 1}}}
    body = data.draw(damaged(whole))
    try:
        completion = wire.parse_answer(body)
    except UpstreamError:
        return
    kind: Any = data.draw(st.sampled_from(["released", "held"]))
    replies = [
        Reply(answer.index, kind, answer, message="Held.", notice=data.draw(st.sampled_from(["", " Note."])))
        for answer in completion.answers
    ]
    rendered = wire.render(completion, replies, {"action": "x"}, wants_logprobs=True, wants_top_logprobs=5)
    conversation = wire.parse_request(request_of(surface, 1, "none", stream=True))
    assert orjson.loads(orjson.dumps(rendered.body))
    assert b"".join(wire.events(rendered.body, conversation))


@given(data=st.data())
def test_any_chunks_are_folded_or_refused(data: st.DataObject) -> None:
    """A damaged stream of a model server is an answer or a 502."""
    name = data.draw(st.sampled_from(["none", "odd", "wrong"]))
    chunks = [data.draw(damaged(chunk)) for chunk in chunks_of(name, 1)]
    try:
        body = fold(chunks)
        WIRES[Surface.CHAT].parse_answer(body)
    except UpstreamError:
        return
    assert orjson.dumps(body)


@given(
    st.lists(
        st.binary(max_size=30) | st.sampled_from([b"data: {}\n\n", b"\r", b"\n", b"data:", b"\xef\xbb\xbf"]),
        max_size=20,
    )
)
def test_any_bytes_are_events_or_refused(pieces: list[bytes]) -> None:
    """Whatever a server streams ends in events of bounded size or in a 502."""
    parser = SseParser(max_event=64)
    try:
        events = [event for piece in pieces for event in parser.feed(piece)] + parser.finish()
    except UpstreamGarbled:
        return
    assert all(len(event) <= 64 for event in events)


@pytest.mark.parametrize(("depth", "deep"), [(100, False), (254, False), (255, True), (1000, True)])
def test_nesting_is_bounded(depth: int, deep: bool) -> None:
    """JSON that could be read but not written again is refused before anything is done with it."""
    data = b"[" * depth + b"]" * depth
    assert too_deep(data, orjson.loads(data)) is deep
    assert not too_deep(b"[" + b"{}," * 500 + b"{}]", [{}] * 501)


@pytest.mark.parametrize(("surface", "stream"), FORMS)
def test_the_undamaged_are_read(surface: Surface, stream: bool) -> None:
    """What the damage starts from is valid, so that damage is what is tested."""
    wire = WIRES[surface]
    for body in (request_of(surface, 1, "none", stream=stream), *REQUESTS[surface]):
        assert wire.parse_request(body).body is body
    assert wire.parse_answer(answer_of(surface, "Hold.")).answers[0].content == "Hold."
