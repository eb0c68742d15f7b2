"""Streams of chat completion chunks, folded into the body that an answer without streaming has."""

from collections.abc import Iterable
from typing import Any, Final

from gatekeeper.errors import UpstreamGarbled
from gatekeeper.exchange import JsonObject
from gatekeeper.wire.completion import raise_for_error

_CHUNK_OBJECT: Final = "chat.completion.chunk"
_OBJECT: Final = "chat.completion"


def fold(chunks: Iterable[JsonObject]) -> dict[str, Any]:
    """Return the body that the server would have sent without streaming.

    Raises UpstreamError for an error object in the stream, UpstreamGarbled for chunks of another form
    and for a stream that ends before every choice has its `finish_reason`.
    """
    folding = Fold()
    for chunk in chunks:
        folding.add(chunk)
    return folding.body()


class _Text(list[str]):
    """Text that is still growing: joined once at the end, so long answers take linear time."""


class Fold:
    """Adds chunks up, one at a time."""

    def __init__(self) -> None:
        self._top: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, chunk: JsonObject) -> None:
        """Add the next chunk. Raises as `fold` does."""
        if not isinstance(chunk, dict):
            raise _garbled("a chunk is no object")
        raise_for_error(chunk)
        for key, value in chunk.items():
            if key == "choices":
                self._add_choices(value)
            elif value is not None or key not in self._top:
                self._top[key] = value

    def body(self) -> dict[str, Any]:
        """Return the whole. Raises UpstreamGarbled if the stream broke off."""
        if not self._choices:
            raise _garbled("no choices")
        if any(choice.get("finish_reason") is None for choice in self._choices.values()):
            raise _garbled("it broke off")
        return self.so_far()

    def so_far(self) -> dict[str, Any]:
        """Return the body that the chunks make so far."""
        choices = [_finished(self._choices[index]) for index in sorted(self._choices)]
        return {**self.top, "choices": choices}

    @property
    def top(self) -> dict[str, Any]:
        """The fields beside the choices."""
        top = dict(self._top)
        if top.get("object") == _CHUNK_OBJECT:
            top["object"] = _OBJECT
        return top

    def _add_choices(self, choices: object) -> None:
        if not isinstance(choices, list):
            raise _garbled("choices is no list")
        for choice in choices:
            index = choice.get("index", 0) if isinstance(choice, dict) else None
            if not isinstance(index, int) or isinstance(index, bool) or index < 0:
                raise _garbled("a choice has no valid index")
            whole = self._choices.get(index)
            if whole is None:
                whole = self._choices[index] = {"index": index, "message": {"role": "assistant"}}
            _add_choice(whole, choice)


def _add_choice(whole: dict[str, Any], choice: dict[str, Any]) -> None:
    for key, value in choice.items():
        if key == "delta":
            _add_delta(whole["message"], value)
        elif key == "logprobs":
            _add_logprobs(whole, value)
        elif key != "index" and (value is not None or key not in whole):
            whole[key] = value


def _add_delta(message: dict[str, Any], delta: object) -> None:
    if delta is None:
        return
    if not isinstance(delta, dict):
        raise _garbled("a delta is no object")
    for key, value in delta.items():
        if key == "tool_calls":
            _add_tool_calls(message, value)
        elif key == "function_call" and isinstance(value, dict):
            _add_texts(message.setdefault(key, {}), value)
        elif key == "role":
            message[key] = value or message[key]
        else:
            _add_value(message, key, value)


def _add_value(holder: dict[str, Any], key: str, value: object) -> None:
    """Append text to text and parts to parts; anything else replaces what stood there."""
    present = holder.get(key)
    if isinstance(present, _Text) and isinstance(value, str):
        present.append(value)
    elif isinstance(present, _Text):
        if isinstance(value, list):
            holder[key] = _parts("".join(present)) + value
        elif value is not None:
            raise _garbled("a text goes on as something else")
    elif isinstance(present, list):
        present.extend(value if isinstance(value, list) else _parts(value))
    elif isinstance(value, str):
        holder[key] = _Text([value])
    elif value is not None or present is None:
        holder[key] = list(value) if isinstance(value, list) else value


def _parts(text: object) -> list[Any]:
    return [{"type": "text", "text": text}] if text else []


def _add_texts(holder: dict[str, Any], delta: dict[str, Any]) -> None:
    """Append the argument texts of a function; a name that is sent again is the same name."""
    for key, value in delta.items():
        if key == "name" and "".join(holder.get(key) or ()) == value:
            continue
        _add_value(holder, key, value)


def _add_tool_calls(message: dict[str, Any], deltas: object) -> None:
    if deltas is None:
        return
    if not isinstance(deltas, list):
        raise _garbled("tool_calls is no list")
    calls: dict[int, dict[str, Any]] = message.setdefault("tool_calls", {})
    for delta in deltas:
        if not isinstance(delta, dict):
            raise _garbled("a tool call is no object")
        call = calls.setdefault(_tool_call_index(delta, calls), {})
        for key, value in delta.items():
            if key in {"function", "custom"} and isinstance(value, dict):
                _add_texts(call.setdefault(key, {}), value)
            elif key != "index" and value is not None:
                call[key] = value


def _tool_call_index(delta: dict[str, Any], calls: dict[int, dict[str, Any]]) -> int:
    """Return the call that a delta continues; some servers leave the index out and send calls whole."""
    index = delta.get("index")
    if index is None:
        return len(calls) if delta.get("id") or not calls else max(calls)
    if not isinstance(index, int):
        raise _garbled("a tool call's index is no whole number")
    return index


def _add_logprobs(whole: dict[str, Any], logprobs: object) -> None:
    present = whole.setdefault("logprobs", None)
    if not isinstance(logprobs, dict):
        return
    if present is None:
        present = whole["logprobs"] = {}
    for key, value in logprobs.items():
        _add_value(present, key, value)


def _finished(choice: dict[str, Any]) -> dict[str, Any]:
    message = {"content": None, **choice["message"]}
    if "tool_calls" in message:
        calls = message["tool_calls"]
        message["tool_calls"] = [_joined(calls[index]) for index in sorted(calls)]
    return {**choice, "message": _joined(message)}


def _joined(holder: dict[str, Any]) -> dict[str, Any]:
    return {
        key: "".join(value)
        if isinstance(value, _Text)
        else _joined(value)
        if isinstance(value, dict)
        else value
        for key, value in holder.items()
    }


def _garbled(what: str) -> UpstreamGarbled:
    return UpstreamGarbled(f"The model server's stream is no valid chat completion: {what}.")
