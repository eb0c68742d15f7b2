"""What goes to a server's `/v1/responses`, and its answer read into a Completion."""

from collections.abc import Iterable
from typing import Any, Final

from gatekeeper.errors import UpstreamGarbled
from gatekeeper.exchange import Answer, Case, Completion, JsonObject, ToolCall
from gatekeeper.wire.completion import raise_for_error
from gatekeeper.wire.logprobs import normalise
from gatekeeper.wire.names import is_name
from gatekeeper.wire.reasoning import divide
from gatekeeper.wire.request import OWN_FIELDS

CALLS: Final = ("function_call", "custom_tool_call")
_LOGPROBS: Final = "message.output_text.logprobs"


def response_body(
    case: Case, *, logprobs: bool, top_logprobs: int, stream: bool | None = None
) -> dict[str, Any]:
    """Return the body for the model server; it is asked for a whole answer, never for a stream."""
    body = {key: value for key, value in case.conversation.body.items() if key not in OWN_FIELDS}
    body.pop("stream_options", None)
    body["stream"] = False
    if logprobs:
        included = body.get("include") or []
        body["include"] = included if _LOGPROBS in included else [*included, _LOGPROBS]
        body["top_logprobs"] = max(top_logprobs, case.conversation.wants_top_logprobs)
    return body


def parse_response(
    body: JsonObject, *, backend: str = "", fingerprint: str | None = None, staged: bool = False
) -> Completion:
    """Read a response object; its output becomes one Answer. Raises UpstreamGarbled for anything else.

    Output items that hold text the gate cannot judge (a server's own searches, code it ran) are no part
    of the Answer and never leave.
    """
    raise_for_error(body)
    output = body.get("output")
    if not isinstance(output, list):
        raise UpstreamGarbled("The model server's answer has no output.")
    items = [item for item in output if isinstance(item, dict)]
    parts = [part for item in items if item.get("type") == "message" for part in _list(item.get("content"))]
    divided = divide("".join(_texts(parts, "output_text", "text")))
    content = divided.answer
    thought = [part for item in items if item.get("type") == "reasoning" for part in _thoughts(item)]
    reasoning = "\n".join(text for text in (*thought, divided.reasoning) if text)
    calls = tuple(_call(item) for item in items if item.get("type") in CALLS)
    rows = [row for part in parts for row in _list(part.get("logprobs"))]
    tokens, quality = normalise({"logprobs": {"content": rows}}, content, reasoning, calls)
    model = body.get("model")
    answer = Answer(
        index=0,
        content=content,
        tokens=tokens,
        quality=quality,
        reasoning=reasoning,
        tool_calls=calls,
        refusal="".join(_texts(parts, "refusal", "refusal")),
        finish_reason="length" if body.get("status") == "incomplete" else "stop",
        raw=body,
    )
    return Completion((answer,), body, model if isinstance(model, str) else "", fingerprint, backend, staged)


def _list(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(parts: Iterable[dict[str, Any]], kind: str, field: str) -> Iterable[str]:
    for part in parts:
        if part.get("type") == kind:
            if not isinstance(part.get(field), str):
                raise UpstreamGarbled("A content part of the model server's answer has no text.")
            yield part[field]


def _thoughts(item: dict[str, Any]) -> Iterable[str]:
    for part in (*_list(item.get("summary")), *_list(item.get("content"))):
        if isinstance(part.get("text"), str):
            yield part["text"]


def _call(item: dict[str, Any]) -> ToolCall:
    name, arguments = item.get("name"), item.get("arguments", item.get("input"))
    if not is_name(name) or not isinstance(arguments, str):
        raise UpstreamGarbled("A tool call of the model server names no function.")
    return ToolCall(name, arguments)
