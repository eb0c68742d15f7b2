"""Text where the protocol has none: in names, field names and token rows. None of it leaves."""

from typing import Any

import orjson
import pytest

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
