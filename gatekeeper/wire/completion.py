"""Chat completions: the OpenAI body of a model server read into a Completion."""

from collections.abc import Iterable
from typing import Final

import orjson

from gatekeeper.errors import UpstreamError, UpstreamGarbled
from gatekeeper.exchange import Answer, Completion, JsonObject, ToolCall
from gatekeeper.wire.logprobs import normalise
from gatekeeper.wire.names import is_name
from gatekeeper.wire.reasoning import divide

REASONING_FIELDS: Final = ("reasoning_content", "reasoning", "thinking")


def parse_chat_completion(
    body: JsonObject, *, backend: str = "", fingerprint: str | None = None, staged: bool = False
) -> Completion:
    """Read every choice of a chat completion, in order of index.

    Raises UpstreamGarbled for anything that is no valid completion, and UpstreamError where the server
    put an error into its body.
    """
    raise_for_error(body)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _garbled("no choices")
    model = body.get("model")
    return Completion(
        answers=ordered(_answer(choice, at) for at, choice in enumerate(choices)),
        raw=body,
        model=model if isinstance(model, str) else "",
        fingerprint=fingerprint,
        backend=backend,
        staged=staged,
    )


def raise_for_error(body: JsonObject) -> None:
    """Raise UpstreamError if a body or stream chunk carries an error object; its text stays behind."""
    error = body.get("error")
    if not error:
        return
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code <= 599 else None
    raise UpstreamError("The model server reported an error in place of an answer.", status=status)


def ordered(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """Return answers in order of index; raises UpstreamGarbled where two have the same."""
    found = tuple(sorted(answers, key=_index))
    if len({answer.index for answer in found}) < len(found):
        raise _garbled("two choices with the same index")
    return found


def _index(answer: Answer) -> int:
    return answer.index


def _answer(choice: object, position: int) -> Answer:
    if not isinstance(choice, dict):
        raise _garbled("a choice is no object")
    index = choice.get("index", position)
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise _garbled("a choice's index is no whole number")
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _garbled("a choice has no message")
    content, thinking, part_refusal = _content(message.get("content"))
    inline, answer = divide(content)
    fields = (_text(message, field) for field in REASONING_FIELDS)
    reasoning = "\n".join(dict.fromkeys(text for text in (*fields, thinking, inline) if text))
    tool_calls = _tool_calls(message)
    tokens, quality = normalise(choice, answer, reasoning, tool_calls)
    return Answer(
        index=index,
        content=answer,
        tokens=tokens,
        quality=quality,
        reasoning=reasoning,
        tool_calls=tool_calls,
        refusal="\n".join(text for text in (_text(message, "refusal"), part_refusal) if text),
        finish_reason=_text(choice, "finish_reason") or None,
        raw=choice,
    )


def _content(value: object) -> tuple[str, str, str]:
    """Return text, reasoning and refusal of a message's content, a string or a list of parts."""
    if value is None:
        return "", "", ""
    if isinstance(value, str):
        return value, "", ""
    if not isinstance(value, list):
        raise _garbled("content is neither text nor parts")
    texts: dict[str, list[str]] = {"text": [], "thinking": [], "refusal": []}
    for part in value:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in texts:
            raise _garbled("a content part of a type that cannot be judged")
        inner = part.get(kind)
        texts[kind].append("".join(_content(inner)) if isinstance(inner, list) else _text(part, kind))
    return "".join(texts["text"]), "".join(texts["thinking"]), "".join(texts["refusal"])


def _tool_calls(message: JsonObject) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise _garbled("tool_calls is no list")
    legacy = message.get("function_call")
    return tuple(_tool_call(call) for call in calls) + ((_function(legacy),) if legacy else ())


def _tool_call(call: object) -> ToolCall:
    if not isinstance(call, dict):
        raise _garbled("a tool call is no object")
    return _function(call["custom"], "input") if "custom" in call else _function(call.get("function"))


def _function(function: object, argument_field: str = "arguments") -> ToolCall:
    if not isinstance(function, dict):
        raise _garbled("a tool call names no function")
    arguments = function.get(argument_field)
    if isinstance(arguments, dict | list):
        arguments = orjson.dumps(arguments).decode()
    elif arguments is not None and not isinstance(arguments, str):
        raise _garbled("a tool call's arguments are no text")
    name = _text(function, "name")
    if name and not is_name(name):
        raise _garbled("a tool call names a function in words")
    return ToolCall(name, arguments or "")


def _text(holder: JsonObject, field: str) -> str:
    value = holder.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _garbled(f"{field} is no text")
    return value


def _garbled(what: str) -> UpstreamGarbled:
    return UpstreamGarbled(f"The model server's answer is no valid chat completion: {what}.")
