"""Judged answers as a response object, and as the events of its stream.

Everything is made from the judged words; of the server's body only names and numbers stay.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from secrets import token_hex
from typing import Any

import orjson

from gatekeeper.exchange import Completion, JsonObject, Token
from gatekeeper.wire.names import is_name
from gatekeeper.wire.render import Rendered, Reply, short_alternatives, top_fields
from gatekeeper.wire.responses.reading import CALLS
from gatekeeper.wire.sse import encode_event

_ECHOED = ("max_output_tokens", "parallel_tool_calls", "temperature", "top_p")


def render_response(
    completion: Completion,
    replies: Sequence[Reply],
    envelope: JsonObject,
    *,
    wants_logprobs: bool = False,
    wants_top_logprobs: int = 0,
) -> Rendered:
    """Return the response object for the client; `envelope` becomes its `gatekeeper` object.

    A held answer is a completed response whose one message is the policy's, with
    `incomplete_details.reason` saying `content_filter`.
    """
    (reply,) = replies
    top, dropped = top_fields({key: value for key, value in completion.raw.items() if key != "output"})
    held = reply.kind == "held"
    cut = reply.answer.finish_reason == "length" and not held
    why = "content_filter" if held else "max_output_tokens" if cut else None
    body: dict[str, Any] = {
        "id": _id("resp", top.get("id")),
        "object": "response",
        "created_at": top.get("created_at", top.get("created", 0)),
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": why} if why else None,
        "instructions": None,
        "metadata": {},
        "model": top.get("model", ""),
        "output": _output(reply, wants_top_logprobs if wants_logprobs else None),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **{key: top[key] for key in _ECHOED if key in top},
        "usage": _usage(top.get("usage")),
        "gatekeeper": envelope,
    }
    return Rendered(body, dropped)


def _output(reply: Reply, alternatives: int | None) -> list[dict[str, Any]]:
    if reply.kind == "held":
        return [_message([_text(reply.message, [])])]
    answer, items = reply.answer, []
    if answer.reasoning and reply.keep_reasoning:
        summary = [{"type": "summary_text", "text": answer.reasoning}]
        items.append({"id": _id("rs"), "type": "reasoning", "summary": summary})
    parts = []
    if answer.content or reply.notice:
        rows = [] if alternatives is None else _rows(answer.tokens, alternatives)
        parts.append(_text(answer.content + reply.notice, rows))
    if answer.refusal:
        parts.append({"type": "refusal", "refusal": answer.refusal})
    if parts:
        items.append(_message(parts))
    for position, call in enumerate(answer.tool_calls):
        items.append(
            {
                "id": _id("fc"),
                "type": "function_call",
                "status": "completed",
                "call_id": _call_id(reply, position),
                "name": call.name,
                "arguments": call.arguments,
            }
        )
    return items


def _message(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": _id("msg"), "type": "message", "role": "assistant", "status": "completed", "content": parts}


def _text(text: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": rows}


def _rows(tokens: Sequence[Token], alternatives: int) -> list[dict[str, Any]]:
    return [
        {
            "token": token.text,
            "logprob": token.logprob,
            "bytes": list(token.text.encode()),
            "top_logprobs": [
                {"token": text, "logprob": logprob, "bytes": list(text.encode())}
                for text, logprob in short_alternatives(token, alternatives)
            ],
        }
        for token in tokens
        if token.offset is not None
    ]


def _call_id(reply: Reply, position: int) -> str:
    """Return the server's id of a tool call, which its result will be matched by, or a fresh one."""
    raw = reply.answer.raw or {}
    items = [item for item in raw.get("output", ()) if isinstance(item, dict)]
    calls = [item for item in items if item.get("type") in CALLS]
    calls = calls or (raw.get("message") or {}).get("tool_calls") or []
    call = calls[position] if position < len(calls) else {}
    return _id("call", call.get("call_id", call.get("id")))


def _id(prefix: str, given: object = None) -> str:
    return given if is_name(given) else f"{prefix}_{token_hex(12)}"


def _usage(usage: object) -> dict[str, Any] | None:
    """Return token counts under the names of this surface; chat servers call them otherwise."""
    if not isinstance(usage, dict):
        return None
    read = _count(usage.get("input_tokens"), usage.get("prompt_tokens"))
    written = _count(usage.get("output_tokens"), usage.get("completion_tokens"))
    return {
        "input_tokens": read,
        "input_tokens_details": usage.get("input_tokens_details") or {"cached_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": usage.get("output_tokens_details") or {"reasoning_tokens": 0},
        "total_tokens": usage.get("total_tokens", read + written),
    }


def _count(*values: object) -> int:
    return next((value for value in values if isinstance(value, int)), 0)


def response_events(body: JsonObject) -> Iterator[bytes]:
    """Yield a rendered response as the events of a stream; the last one carries the `gatekeeper` object."""
    numbers = count()

    def event(kind: str, **fields: Any) -> bytes:
        data = {"type": kind, "sequence_number": next(numbers), **fields}
        return encode_event(orjson.dumps(data), kind)

    begun = {key: value for key, value in body.items() if key != "gatekeeper"}
    begun |= {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    for position, item in enumerate(body["output"]):
        empty: dict[str, Any] = {key: type(item[key])() for key in ("content", "arguments") if key in item}
        at = {"output_index": position}
        yield event("response.output_item.added", **at, item={**item, "status": "in_progress", **empty})
        for kind, fields in _inside(item):
            yield event(kind, **at, item_id=item["id"], **fields)
        yield event("response.output_item.done", **at, item=item)
    ended = "response.incomplete" if body["status"] == "incomplete" else "response.completed"
    yield event(ended, response=body)


def _inside(item: JsonObject) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield kind and fields of the events between an item's beginning and its end."""
    if item["type"] == "function_call":
        yield "response.function_call_arguments.delta", {"delta": item["arguments"]}
        yield "response.function_call_arguments.done", {"arguments": item["arguments"], "name": item["name"]}
    for index, part in enumerate(item.get("content") or ()):
        at, field = {"content_index": index}, "text" if part["type"] == "output_text" else "refusal"
        empty = {**part, field: "", **({"logprobs": []} if field == "text" else {})}
        rows = {"logprobs": part["logprobs"]} if field == "text" else {}
        yield "response.content_part.added", {**at, "part": empty}
        yield f"response.{part['type']}.delta", {**at, "delta": part[field], **rows}
        yield f"response.{part['type']}.done", {**at, field: part[field], **rows}
        yield "response.content_part.done", {**at, "part": part}
