"""What each server sends, traps and all, is read as the same few words."""

from typing import Any

import pytest

from gatekeeper.exchange import Answer
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.completion import parse_chat_completion
from tests.fake_upstream import load, names


def _read(answer: Answer) -> dict[str, Any]:
    return {
        "content": answer.content,
        "quality": answer.quality.value,
        "reasoning": answer.reasoning,
        "tool_calls": [[call.name, call.arguments] for call in answer.tool_calls],
        "refusal": answer.refusal,
        "tokens": [[token.text, token.span.value, token.offset] for token in answer.tokens],
    }


@pytest.mark.parametrize("name", names())
def test_body_is_read(name: str) -> None:
    """An answer without streaming is read as its golden file says."""
    recorded = load(name)
    assert _read(parse_chat_completion(recorded["body"]).answers[0]) == recorded["read"]


@pytest.mark.parametrize("name", names())
def test_stream_is_read(name: str) -> None:
    """The same answer streamed is read as the same words."""
    recorded = load(name)
    completion = parse_chat_completion(fold(recorded["chunks"]))
    assert _read(completion.answers[0]) == recorded["read"]
    assert len(completion.answers) == len(recorded["body"]["choices"])


def test_openai_stream_folds_to_its_body() -> None:
    """A client sees the same body whether or not the gate streamed upstream."""
    recorded = load("openai")
    expected = recorded["body"]
    del expected["choices"][0]["message"]["annotations"]
    assert fold(recorded["chunks"]) == expected
