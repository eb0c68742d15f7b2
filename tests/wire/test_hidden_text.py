"""Text where the protocol has none: in names, field names and token rows. None of it leaves."""

from typing import Any

import orjson
import pytest

from gatekeeper.errors import UpstreamGarbled
from gatekeeper.exchange import Surface
from gatekeeper.wire.render import Reply
from gatekeeper.wire.surfaces import WIRES
from tests.faults.exchange import answer_of, mark
from tests.faults.upstream import odd_fields, rows_of

TEXT = "Hold for 48 hours."


def sent(surface: Surface, body: dict[str, Any], kind: Any, *, keep_reasoning: bool = True) -> bytes:
    """Return what a client gets of a server's body, with the token probabilities that it asked for."""
    wire = WIRES[surface]
    completion = wire.parse_answer(body)
    replies = [
        Reply(answer.index, kind, answer, message="Held.", keep_reasoning=keep_reasoning)
        for answer in completion.answers
    ]
    rendered = wire.render(completion, replies, {}, wants_logprobs=True, wants_top_logprobs=5)
    return orjson.dumps(rendered.body)


@pytest.mark.parametrize("kind", ["released", "held"])
@pytest.mark.parametrize("surface", Surface)
def test_in_names_and_fields(surface: Surface, kind: str) -> None:
    """Words in ids, model names and names of fields are taken out, of held and of released answers."""
    body = answer_of(surface, TEXT, **odd_fields(1)) | {"model": f"words {mark('LOST', 1)}"}
    found = sent(surface, body, kind)
    assert b"ZQ" not in found
    assert (TEXT.encode() in found) is (kind == "released")


@pytest.mark.parametrize(
    "odd",
    [
        {"token": mark("LOST", 1)},
        {"top_logprobs": [{"token": mark("LOST", 1) * 20, "logprob": -1.0}]},
        {"top_logprobs": [{"token": "x", "logprob": -1.0, "bytes": [mark("LOST", 1)]}]},
    ],
)
def test_in_token_rows(odd: dict[str, Any]) -> None:
    """A row says what its bytes say, which were judged; alternatives are tokens and no texts."""
    body = answer_of(Surface.CHAT, TEXT)
    body["choices"][0]["logprobs"] = rows_of(TEXT, -0.5, **odd)
    found = sent(Surface.CHAT, body, "released")
    assert b"ZQ" not in found
    assert TEXT.encode() in found


def test_in_rows_before_and_after_the_answer() -> None:
    """Rows beside the content leave where they are of the reasoning or a tool call, and no others."""
    body = answer_of(Surface.CHAT, TEXT)
    call = {"id": "c", "type": "function", "function": {"name": "note", "arguments": '{"a": 1}'}}
    body["choices"][0]["message"] |= {"reasoning_content": "Because.", "tool_calls": [call]}
    parts = (mark("LOST", 1), "Because.", TEXT, '{"a":', " 1}", mark("LOST", 2))
    body["choices"][0]["logprobs"] = {"content": [{"token": part, "logprob": -0.5} for part in parts]}
    rows = orjson.loads(sent(Surface.CHAT, body, "released"))["choices"][0]["logprobs"]["content"]
    assert [row["token"] for row in rows] == ["Because.", TEXT, '{"a":', " 1}"]


def _rows_on(surface: Surface, token: str, alternative: str) -> dict[str, Any]:
    """Return an answer with one token row, in the form of its surface."""
    body, row = answer_of(surface, TEXT), {"token": token, "logprob": -0.5}
    if surface is Surface.COMPLETIONS:
        legacy = {"tokens": [token], "token_logprobs": [-0.5], "top_logprobs": [{alternative: -1.0}]}
        body["choices"][0]["logprobs"] = legacy
    elif surface is Surface.RESPONSES:
        rows = [row | {"top_logprobs": [{"token": alternative, "logprob": -1.0}]}]
        body["output"][-1]["content"][0]["logprobs"] = rows
    else:
        rows = [row | {"top_logprobs": [{"token": alternative, "logprob": -1.0}]}]
        body["choices"][0]["logprobs"] = {"content": rows}
    return body


@pytest.mark.parametrize("surface", Surface)
def test_in_a_row_around_the_answer(surface: Surface) -> None:
    """A row that holds the answer and more is no part of the answer; white space around it is."""
    more = _rows_on(surface, f"{mark('LOST', 1)} {TEXT} {mark('LOST', 2)}", "x")
    assert b"ZQ" not in sent(surface, more, "released")
    assert sent(surface, _rows_on(surface, f" {TEXT}\n", "x"), "released").count(TEXT.encode()) >= 2


@pytest.mark.parametrize("surface", Surface)
def test_in_long_alternatives(surface: Surface) -> None:
    """An alternative that is longer than any token is a text, on every surface."""
    assert b"ZQ" not in sent(surface, _rows_on(surface, TEXT, mark("LOST", 1) * 20), "released")


def test_in_the_reason_for_an_end() -> None:
    """Why a completion ended is one word."""
    body = answer_of(Surface.COMPLETIONS, TEXT)
    body["choices"][0]["finish_reason"] = f"as {mark('LOST', 1)} says"
    assert b"ZQ" not in sent(Surface.COMPLETIONS, body, "released")


@pytest.mark.parametrize("surface", [Surface.CHAT, Surface.RESPONSES])
def test_in_the_name_of_a_function(surface: Surface) -> None:
    """A tool call whose function is a sentence is no tool call: nothing judges names."""
    body, name = answer_of(surface, TEXT), f"give {mark('LOST', 1)} now"
    if surface is Surface.CHAT:
        call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
        body["choices"][0]["message"]["tool_calls"] = [call]
    else:
        body["output"].append({"type": "function_call", "call_id": "c", "name": name, "arguments": "{}"})
    with pytest.raises(UpstreamGarbled):
        sent(surface, body, "released")
