"""A client gets what was released, and nothing of what was held."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekeeper.wire.chunks import fold
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.render import Rendered, Reply, render_completion, render_stream
from tests.fake_upstream import load, names
from tests.wire.strategies import completions

ENVELOPE = {"decision_id": "gkd_1", "action": "release"}
SECRET = "zqxjkvbp"


def _render(body: Any, *, logprobs: int | None = None, **reply: Any) -> Rendered:
    completion = parse_chat_completion(body)
    replies = [
        Reply(answer.index, **{"kind": "released", "answer": answer, **reply})
        for answer in completion.answers
    ]
    return render_completion(
        completion,
        replies,
        ENVELOPE,
        wants_logprobs=logprobs is not None,
        wants_top_logprobs=logprobs or 0,
    )


def _body(message: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Left.", **(message or {})}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **top}


def _secret(depth: int = 2) -> st.SearchStrategy[Any]:
    """Values that hold the secret in some place."""
    leaves = st.just(SECRET)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1),
        max_leaves=depth,
    )


@given(completions())
def test_released_answers_are_unchanged(body: dict[str, Any]) -> None:
    """A body with known fields only comes through as it is, with the gatekeeper's object added."""
    rendered = _render(body, logprobs=20)
    assert rendered.body == {**body, "gatekeeper": ENVELOPE}
    assert rendered.dropped == 0


@given(completions(), st.booleans())
def test_streamed_answers_are_the_same(body: dict[str, Any], include_usage: bool) -> None:
    """A client that streams gets the same body; the last chunk carries the decision."""
    whole = _render(body, logprobs=20).body
    chunks = list(render_stream(whole, include_usage=include_usage))
    assert [at for at, chunk in enumerate(chunks) if "gatekeeper" in chunk] == [len(chunks) - 1]
    if not include_usage:
        del whole["usage"]
    assert fold(chunks) == whole


@given(completions(), _secret(), st.sampled_from(["held", "top", "choice", "message"]))
def test_unknown_text_never_leaves(body: dict[str, Any], secret: Any, where: str) -> None:
    """Text in a field that the gate does not know is taken out and counted, wherever it stands."""
    choice = body["choices"][0]
    {"top": body, "choice": choice, "message": choice["message"], "held": choice["message"]}[where][
        "extra"
    ] = secret
    rendered = _render(body, kind="held" if where == "held" else "released", message="Held.")
    assert SECRET.encode() not in orjson.dumps(rendered.body)
    assert rendered.dropped == (where != "held")


@pytest.mark.parametrize(
    "field", ["content", "reasoning", "reasoning_content", "thinking", "refusal", "name", "audio"]
)
@pytest.mark.parametrize("stream", [False, True])
def test_held_answers_leave_no_text(field: str, stream: bool) -> None:
    """Whatever field the answer's text stands in, a held reply has the policy's message only."""
    body = _body({field: SECRET})
    body["choices"][0]["logprobs"] = {"content": [{"token": SECRET, "logprob": -0.1, "bytes": None}]}
    rendered = _render(body, kind="held", message="Ask a colleague.", logprobs=5).body
    sent = list(render_stream(rendered)) if stream else rendered
    assert SECRET.encode() not in orjson.dumps(sent)
    assert rendered["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Ask a colleague.", "refusal": None},
            "logprobs": None,
            "finish_reason": "content_filter",
        }
    ]


def test_held_tool_calls_are_gone() -> None:
    """A held answer's tool call cannot be run by the application."""
    rendered = _render(load("openai_tool_calls")["body"], kind="held", message="Held.")
    assert "tool_calls" not in rendered.body["choices"][0]["message"]


@pytest.mark.parametrize("name", names())
def test_golden_answers_keep_their_text(name: str) -> None:
    """Released answers of every server reach the client with the content that the server sent."""
    body = load(name)["body"]
    sent = _render(body).body
    for choice, original in zip(sent["choices"], body["choices"], strict=True):
        assert choice["message"]["content"] == original["message"]["content"]
        assert choice["finish_reason"] == original["finish_reason"]
        assert choice["logprobs"] is None if "logprobs" in choice else True
    assert {key: sent.get(key) for key in ("id", "created", "model")} == {
        key: body[key] for key in ("id", "created", "model")
    }


def test_logprobs_that_were_not_asked_for_are_stripped() -> None:
    """An application that did not ask for token probabilities does not get the gate's."""
    assert _render(load("openai")["body"]).body["choices"][0]["logprobs"] is None


def test_alternatives_are_cut_to_what_was_asked_for() -> None:
    """The gate asks for more alternatives than the client, which gets its own number, likeliest first."""
    body = load("openai")["body"]
    rows = _render(body, logprobs=1).body["choices"][0]["logprobs"]["content"]
    assert [[top["token"] for top in row["top_logprobs"]] for row in rows] == [
        ["Hold"],
        [" met"],
        ["formin"],
        ["."],
    ]
    rows = _render(body, logprobs=0).body["choices"][0]["logprobs"]["content"]
    assert [row["top_logprobs"] for row in rows] == [[], [], [], []]


def test_rows_outside_the_answer_stay_here() -> None:
    """Rows of hidden thoughts and stop tokens were not judged as part of the answer."""
    body = load("vllm_reasoning")["body"]
    rows = _render(body, logprobs=5, keep_reasoning=False).body["choices"][0]["logprobs"]["content"]
    assert [row["token"] for row in rows] == ["B"]


def test_malformed_rows_are_dropped() -> None:
    """Token rows that cannot be read do not reach a client that asked for them."""
    body = _body()
    body["choices"][0]["logprobs"] = {"content": [], "refusal": [{"token": 5}]}
    rendered = _render(body, logprobs=5)
    assert rendered.body["choices"][0]["logprobs"] is None
    assert rendered.dropped == 1


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_can_be_taken_out(field: str) -> None:
    """A policy that delivers no reasoning empties every field that may hold it."""
    message = _render(_body({field: SECRET}), keep_reasoning=False).body["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "Left.", field: None}


def test_reasoning_inside_the_content_can_be_taken_out() -> None:
    """Thoughts between marks leave with the marks."""
    body = _body({"content": f"<think>{SECRET}</think>Left."})
    assert _render(body, keep_reasoning=False).body["choices"][0]["message"]["content"] == "Left."
    parts = [{"type": "thinking", "thinking": SECRET}, {"type": "text", "text": "Left."}]
    message = _render(_body({"content": parts}), keep_reasoning=False).body["choices"][0]["message"]
    assert message["content"] == [{"type": "text", "text": "Left."}]


def test_notice_is_appended() -> None:
    """An annotated answer carries the policy's note after its own text, as text or as a part."""
    notice = "\n\nCheck this."
    assert _render(_body(), notice=notice).body["choices"][0]["message"]["content"] == "Left.\n\nCheck this."
    part = {"type": "text", "text": "Left."}
    parts = _render(_body({"content": [part]}), notice=notice).body["choices"][0]["message"]["content"]
    assert parts == [part, {"type": "text", "text": notice}]
    bare = _render(_body({"content": None}), notice=notice).body["choices"][0]["message"]["content"]
    assert bare == "Check this."


def test_unknown_parts_of_known_things_are_dropped() -> None:
    """Text beside the judged text of a part or tool call is taken out, numbers stay."""
    call = {
        "id": "a",
        "type": "function",
        "function": {"name": "f", "arguments": "{}", "note": SECRET},
        "at": 1,
    }
    part = {"type": "text", "text": "Left.", "annotations": [{"title": SECRET}]}
    rendered = _render(_body({"content": [part], "tool_calls": [call]}))
    assert rendered.body["choices"][0]["message"] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "Left."}],
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, "at": 1}
        ],
    }
    assert rendered.dropped == 2


def test_usage_keeps_numbers_only() -> None:
    """Token counts survive, nested ones too; text among them does not."""
    usage = {
        "total_tokens": 3,
        "details": {"cached_tokens": 0, "note": SECRET},
        "prompt_tokens_details": None,
    }
    rendered = _render(_body(usage=usage))
    assert rendered.body["usage"] == {
        "total_tokens": 3,
        "details": {"cached_tokens": 0},
        "prompt_tokens_details": None,
    }
    assert rendered.dropped == 1


def test_long_names_are_no_names() -> None:
    """An id or model name of a kilobyte is text, and is taken out."""
    rendered = _render(_body(system_fingerprint=SECRET * 100))
    assert "system_fingerprint" not in rendered.body
    assert rendered.dropped == 1


def test_each_choice_has_its_own_envelope() -> None:
    """With several choices each says what became of it, in a stream too."""
    completion = parse_chat_completion(load("two_choices")["body"])
    first, second = completion.answers
    replies = [
        Reply(1, "held", second, message="Held.", envelope={"action": "block"}),
        Reply(0, "released", first, envelope={"action": "release"}),
    ]
    body = render_completion(completion, replies, {"action": "block"}).body
    assert [choice["gatekeeper"]["action"] for choice in body["choices"]] == ["release", "block"]
    assert [choice["finish_reason"] for choice in body["choices"]] == ["stop", "content_filter"]
    chunks = list(render_stream(body))
    finals = [choice for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"]]
    assert [choice["gatekeeper"]["action"] for choice in finals] == ["release", "block"]


def test_an_answer_from_nowhere_is_not_released() -> None:
    """Only an answer that was read from a server's choice can be sent on."""
    completion = parse_chat_completion(_body())
    (answer,) = completion.answers
    with pytest.raises(ValueError, match="read from a completion"):
        render_completion(completion, [Reply(0, "released", type(answer)(0, "Left."))], ENVELOPE)


def test_stream_arrives_in_pieces_after_words() -> None:
    """A long answer streams in several chunks, none of which ends inside a word."""
    text = " ".join(["metformin"] * 60)
    chunks = list(render_stream(_render(_body({"content": text})).body))
    pieces = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    written = [piece for piece in pieces if piece]
    assert "".join(written) == text
    assert len(written) > 4
    assert all(piece.endswith(" ") for piece in written[:-1])
