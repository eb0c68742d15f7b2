"""The size of recorded answers."""

from typing import Any

import orjson
import pytest

from gatekeeper.exchange import TokenSpan
from gatekeeper.wire.completion import parse_chat_completion
from radsafe_bench.runner.slimming import slim
from tests import fake_upstream


def _reasoning(tokens: int) -> dict[str, Any]:
    """Return a body with that many reasoning tokens before its answer, 20 alternatives each."""
    others = [{"token": f"t{number}", "logprob": -9.0, "bytes": [116]} for number in range(20)]
    rows = [{"token": "think ", "logprob": -0.1, "bytes": list(b"think "), "top_logprobs": others}] * tokens
    rows = [*rows, {"token": "B", "logprob": -0.2, "bytes": [66], "top_logprobs": others}]
    message = {"role": "assistant", "content": "B", "reasoning_content": "think " * tokens}
    choice = {"index": 0, "message": message, "logprobs": {"content": rows}, "finish_reason": "stop"}
    return {"model": "m", "choices": [choice]}


def test_reasoning_keeps_its_text_and_loses_its_alternatives() -> None:
    """4,096 tokens of reasoning take kilobytes in a record, not megabytes."""
    body = _reasoning(4096)
    slimmed = slim(parse_chat_completion(body))
    assert len(orjson.dumps(slimmed)) < len(orjson.dumps(body)) / 20
    assert slimmed["choices"][0]["message"] == body["choices"][0]["message"]
    assert slimmed["choices"][0]["logprobs"]["content"][-1] == body["choices"][0]["logprobs"]["content"][-1]


@pytest.mark.parametrize("name", fake_upstream.names())
def test_a_slim_answer_reads_as_the_whole_one(name: str) -> None:
    """Every server's answer keeps content, reasoning, quality and the tokens of its answer."""
    whole = parse_chat_completion(fake_upstream.load(name)["body"])
    again = parse_chat_completion(slim(whole))
    for before, after in zip(whole.answers, again.answers, strict=True):
        assert (after.content, after.reasoning, after.quality) == (
            before.content,
            before.reasoning,
            before.quality,
        )
        assert [(token.text, token.logprob, token.span, token.offset) for token in after.tokens] == [
            (token.text, token.logprob, token.span, token.offset) for token in before.tokens
        ]
        own = [token for token in before.tokens if token.span is not TokenSpan.REASONING]
        assert [token for token in after.tokens if token.span is not TokenSpan.REASONING] == own
