"""Token probabilities are read into rows only where that changes nothing else of a body."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.errors import UpstreamError
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.rows import Row, typical
from tests.fake_upstream import load, names
from tests.load.exchange import response_to

_ALTERNATIVE = {"token": "B", "logprob": -0.1, "bytes": [66]}
_PART = {"type": "text", "text": "B", "token": "B"}
_ROW = {**_ALTERNATIVE, "top_logprobs": [_ALTERNATIVE, {"token": '"logprobs":', "logprob": -3}]}
_CHOICE = {"index": 0, "message": {"content": "B"}, "logprobs": {"content": [_ROW], "refusal": None}}


def loads(data: bytes) -> Any:
    """Read a body as it is read where its rows may be of known fields."""
    return typical(data) or orjson.loads(data)


def _rows(body: Any) -> list[Any]:
    return [row for choice in body["choices"] for row in choice["logprobs"]["content"]]


def test_all_but_the_rows_stays_as_it_came() -> None:
    """Fields that nobody knows are there, in the server's order."""
    fields = {"stop_reason": None, "token_ids": [1, 2], "odd": {"logprobs": [], "n": {"m": 1}}}
    body = {"n": 1, "choices": [{**_CHOICE, **fields}], "usage": {"details": {"cached": 1.5}}, "last": "x"}
    read = loads(orjson.dumps(body))
    assert all(isinstance(row, Row) for row in _rows(read))
    read["choices"][0]["logprobs"]["content"] = [_ROW]
    assert orjson.dumps(read) == orjson.dumps(body)


@pytest.mark.parametrize("name", names())
def test_rows_of_every_server_read_alike(name: str) -> None:
    """Read into rows or as JSON, a server's answer has the same texts, tokens, alternatives and quality."""
    body = load(name)["body"]
    typed, plain = (parse_chat_completion(read).answers for read in (loads(orjson.dumps(body)), body))
    assert [(one.tokens, one.quality, one.content) for one in typed] == [
        (one.tokens, one.quality, one.content) for one in plain
    ]


@pytest.mark.parametrize("name", ["openai", "vllm_reasoning", "llama_server", "sglang_late_rows"])
def test_common_servers_get_the_cheap_way(name: str) -> None:
    """What the servers that most gates stand before write is a typical body."""
    rows = _rows(loads(orjson.dumps(load(name)["body"])))
    assert rows
    assert all(isinstance(row, Row) for row in rows)


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{**_CHOICE, "message": {"content": [_PART]}}]},
        {
            "choices": [
                {**_CHOICE, "message": {"tool_calls": [{"id": "1", "type": "function", "token": "B"}]}}
            ]
        },
        {"choices": [{**_CHOICE, "logprobs": {"content": [{**_ROW, "token": 1}]}}]},
        {"choices": [{**_CHOICE, "logprobs": {"content": [{**_ROW, "logprob": "-1"}]}}]},
        {"choices": [{**_CHOICE, "logprobs": {"content": [{**_ROW, "text": "beside it"}]}}]},
        {"choices": [{"logprobs": {"tokens": ["B"], "top_logprobs": [{"B": -0.1}]}}]},
        {"choices": [_CHOICE], "prompt_logprobs": [None, {"1": {"logprob": -1.0}}]},
        {"choices": [], "logprobs": {"content": [_ROW]}},
        {"choices": [_CHOICE], "usage": {"details": {"deeper": {"cached": 1}}}},
        {"choices": "none"},
        [_CHOICE],
        "logprobs",
    ],
    ids=range(12),
)
def test_other_bodies_are_read_as_json(body: object) -> None:
    """A list of objects that are no rows, or rows that are none: nothing of it is lost."""
    assert loads(orjson.dumps(body)) == body


@pytest.mark.parametrize("body", [b'{"seed":%d}', b'{"usage":{"n":%d}}', b'{"choices":[{"ids":[%d]}]}'])
def test_numbers_too_long_to_be_written_again_are_decimals(body: bytes) -> None:
    """As orjson reads them; a number that it could not write would end the request with an error."""
    assert orjson.dumps(loads(body % 2**70)) == orjson.dumps(orjson.loads(body % 2**70))


@pytest.mark.parametrize("value", [b"[" * 100_000 + b"]" * 100_000, b"1e999", b'"\xff"', b"NaN", b"01"])
def test_rows_that_are_no_json_make_the_body_none(value: bytes) -> None:
    """What one parser refuses is not let through by the other."""
    data = response_to("Left side.", 2).replace(b'"logprob":', b'"logprob":%s,"x":' % value, 1)
    with pytest.raises(orjson.JSONDecodeError):
        loads(data)


@given(st.binary(max_size=6), st.integers(0, 10_000))
def test_a_damaged_body_is_damaged_either_way(damage: bytes, at: int) -> None:
    """Bytes written over a body break it for both parsers, or both read the same of it."""
    data = bytearray(response_to("Left side.", 3))
    at %= len(data)
    data[at : at + len(damage)] = damage
    try:
        read = loads(bytes(data))
    except orjson.JSONDecodeError:
        read = None
    try:
        plain = orjson.loads(data)
    except orjson.JSONDecodeError:
        # Only what no row uses may be unreadable: the rows were made without it.
        assert read is None or all(isinstance(row, Row) for row in _rows(read))
        return
    assert _same(read, plain)


_ODD = [None, True, -1, 0.5, 2**63, "B", [], {}, [1], [None], [_ROW], [_PART], {"content": [_ROW]}]


@pytest.mark.parametrize("name", names())
def test_an_odd_value_anywhere_is_read_alike(name: str) -> None:
    """The same answers come of it, or the same refusal, whichever way it is read."""
    body = load(name)["body"]
    for holder, key in list(_places(body)):
        kept = holder[key]
        for holder[key] in _ODD:
            assert _answers(loads(orjson.dumps(body))) == _answers(body), (key, holder[key])
        holder[key] = kept


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what something stands in, and where in it; of a list, the first place."""
    for key in [*value] if isinstance(value, dict) else [0] if isinstance(value, list) and value else []:
        yield value, key
        yield from _places(value[key])


def _answers(body: Any) -> object:
    try:
        found = parse_chat_completion(body).answers
    except UpstreamError as refused:
        return type(refused), refused.status
    return [
        (one.index, one.content, one.reasoning, one.tool_calls, one.refusal, one.tokens, one.quality)
        for one in found
    ]


def _same(read: Any, plain: Any) -> bool:
    if isinstance(read, Row):
        return bool((read.token, read.logprob) == (plain["token"], plain.get("logprob")))
    if isinstance(read, dict):
        return read.keys() == plain.keys() and all(_same(read[key], plain[key]) for key in read)
    if isinstance(read, list):
        return len(read) == len(plain) and all(map(_same, read, plain))
    return bool(read == plain)
