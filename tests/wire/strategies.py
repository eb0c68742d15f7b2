"""Hypothesis strategies for bodies that an OpenAI-compatible server may send."""

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

texts = st.text(st.characters(codec="utf-8"), max_size=40)
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
plain = st.text(st.characters(codec="utf-8", exclude_characters="<[◁"), min_size=1, max_size=40).filter(
    str.strip
)
"""Text without the marks of reasoning."""

names = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True)
"""Names of functions, as OpenAI's protocol has them."""

nats = st.floats(-20.0, -0.001)


@st.composite
def rows_of(draw: st.DrawFn, content: str) -> list[dict[str, Any]]:
    """Draw rows of tokens that spell the content, cut at any byte."""
    data = content.encode()
    cuts = draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=8))
    bounds = sorted({0, len(data)} | {cut for cut in cuts if cut < len(data)})
    rows = []
    for begin, end in pairwise(bounds):
        piece = data[begin:end]
        row = {"token": piece.decode(errors="replace"), "logprob": draw(nats), "bytes": list(piece)}
        others = draw(st.lists(st.tuples(words, nats), max_size=3))
        top = [dict(row)]
        top += [{"token": text, "logprob": value, "bytes": list(text.encode())} for text, value in others]
        rows.append({**row, "top_logprobs": top})
    return rows


@st.composite
def choices(draw: st.DrawFn, index: int) -> dict[str, Any]:
    """Draw one choice with only the fields of OpenAI's protocol and of servers' reasoning."""
    content = draw(plain)
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if draw(st.booleans()):
        message["reasoning_content"] = draw(words)
    if draw(st.booleans()):
        message["tool_calls"] = [
            {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for at, (name, arguments) in enumerate(draw(st.lists(st.tuples(names, texts), max_size=2)))
        ]
    rows = draw(st.none() | rows_of(content))
    return {
        "index": index,
        "message": message,
        "logprobs": None if rows is None else {"content": rows, "refusal": None},
        "finish_reason": draw(st.sampled_from(["stop", "length", "tool_calls"])),
    }


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a whole completion."""
    count = draw(st.integers(1, 3))
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1763000000,
        "model": "served-model",
        "system_fingerprint": "fp_1",
        "choices": [draw(choices(index)) for index in range(count)],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 0}},
    }
