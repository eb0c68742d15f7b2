"""Chat requests: the OpenAI body read into a Conversation, and the body that goes to the server."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final, TypeVar

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Case, Conversation, JsonObject, Message, Part, Surface

_T = TypeVar("_T")

MAX_CHOICES: Final = 16
MAX_TOP_LOGPROBS: Final = 20

OWN_FIELDS: Final = ("evidence", "options")
"""The gatekeeper's own fields of a request; they never reach the model server."""
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_WORDLESS_PARTS: Final = frozenset(
    {"image_url", "input_image", "image_embeds", "input_audio", "audio_url", "video_url", "thinking"}
)
_FILE_TEXTS: Final[tuple[tuple[str, ...], ...]] = (
    ("text",),
    ("content",),
    ("file", "text"),
    ("file", "content"),
    ("file", "file_data"),
    ("document",),
    ("document", "text"),
    ("document", "content"),
    ("document", "data"),
    ("document", "data", "text"),
    ("source", "data"),
)
"""Where OpenAI, Anthropic and Cohere shaped `file` and `document` parts carry their text."""


def parse_chat(body: JsonObject) -> Conversation:
    """Read the body of `/v1/chat/completions`.

    Unknown fields are left to the model server. Raises InvalidRequest, naming the field, for
    anything that cannot be judged as it stands.
    """
    if "audio" in typed(body, "modalities", list, []):
        raise InvalidRequest("Ask for text only: audio answers cannot be judged.", param="modalities")
    wants_logprobs = typed(body, "logprobs", bool, False)
    wants_top = bounded(body, "top_logprobs", 0, 0, MAX_TOP_LOGPROBS)
    if wants_top and not wants_logprobs:
        raise InvalidRequest("Set logprobs to true to use top_logprobs.", param="top_logprobs")
    has_tools = bool(typed(body, "tools", list, []) or typed(body, "functions", list, []))
    stream = typed(body, "stream", bool, False)
    stream_options: dict[str, Any] = typed(body, "stream_options", dict, {})
    return Conversation(
        surface=Surface.CHAT,
        model=typed(body, "model", str, ""),
        messages=_messages(body.get("messages")),
        body=body,
        n=bounded(body, "n", 1, 1, MAX_CHOICES),
        stream=stream,
        include_usage=stream and stream_options.get("include_usage") is True,
        wants_logprobs=wants_logprobs,
        wants_top_logprobs=wants_top,
        has_tools=has_tools,
    )


def upstream_body(
    case: Case, *, logprobs: bool, top_logprobs: int, stream: bool | None = None
) -> dict[str, Any]:
    """Return the body to send to the model server: the client's own, without the gatekeeper's fields.

    With `logprobs`, token probabilities are asked for with as many alternatives as the larger of
    `top_logprobs` and the client's own number; without, the client's wish stands alone. `stream` says
    how the server is to answer, by default as the client asked; a stream always asks for usage.
    """
    conversation = case.conversation
    body = {key: value for key, value in conversation.body.items() if key not in OWN_FIELDS}
    if logprobs:
        body["logprobs"] = True
        body["top_logprobs"] = max(top_logprobs, conversation.wants_top_logprobs)
    if conversation.stream if stream is None else stream:
        body["stream"] = True
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    else:
        body.pop("stream_options", None)
        body["stream"] = False
    return body


def _messages(value: object) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidRequest("Send messages as a list with at least one message.", param="messages")
    return tuple(_message(message, position) for position, message in enumerate(value))


def _message(value: object, position: int) -> Message:
    where = f"messages[{position}]"
    if not isinstance(value, dict):
        raise InvalidRequest("Each message is an object.", param=where)
    role = value.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise InvalidRequest(
            f"A message's role is one of {', '.join(sorted(_ROLES))}.", param=f"{where}.role"
        )
    content = value.get("content")
    pointer = f"/messages/{position}/content"
    if content is None:
        return Message(role, ())
    if isinstance(content, str):
        return Message(role, (Part(content, pointer),))
    if not isinstance(content, list):
        raise InvalidRequest("Content is a string, null or a list of parts.", param=f"{where}.content")
    parts = (
        part
        for index, item in enumerate(content)
        for part in _parts(item, f"{pointer}/{index}", f"{where}.content[{index}]")
    )
    return Message(role, tuple(parts))


def _parts(item: object, pointer: str, where: str) -> Iterator[Part]:
    """Yield the Part of one content part, nothing for parts without words."""
    if not isinstance(item, dict):
        raise InvalidRequest("Each content part is an object.", param=where)
    kind = str(item.get("type"))
    if kind in {"text", "refusal"}:
        text = item.get(kind)
        if not isinstance(text, str):
            raise InvalidRequest(f"A {kind} part carries a string.", param=f"{where}.{kind}")
        yield Part(text, f"{pointer}/{kind}", kind)
    elif kind in {"file", "document"}:
        yield from _file_part(item, pointer, where)
    elif kind not in _WORDLESS_PARTS:
        raise InvalidRequest("This type of content part cannot be judged.", param=f"{where}.type")


def _file_part(item: JsonObject, pointer: str, where: str) -> Iterator[Part]:
    """Yield the inline text of a file; a file by reference or in a binary format has none."""
    for path in _FILE_TEXTS:
        value: object = item
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, str):
            continue
        source = item.get("source")
        if path[0] == "source" and isinstance(source, dict) and source.get("type") != "text":
            return
        text = _data_url_text(value, where) if path[-1] == "file_data" else value
        if text is not None:
            yield Part(text, f"{pointer}/{'/'.join(path)}", "file")
        return


def _data_url_text(url: str, where: str) -> str | None:
    """Decode `data:text/…;base64,…`; None for other media types and bare base64 (a binary file)."""
    head, comma, payload = url.partition(",")
    if not (comma and head.startswith(("data:text/", "data:application/json")) and head.endswith(";base64")):
        return None
    try:
        return base64.b64decode(payload, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidRequest("The file's data is no base64 of UTF-8 text.", param=where) from error


def typed(body: JsonObject, key: str, kind: type[_T], default: _T) -> _T:
    """Return a field of the right type, or the default where it is absent; raises InvalidRequest."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise InvalidRequest(f"{key} has the wrong type.", param=key)
    return value


def bounded(body: JsonObject, key: str, default: int, low: int, high: int) -> int:
    """Return a whole number within bounds, or the default where it is absent; raises InvalidRequest."""
    value = body.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidRequest(f"{key} is a whole number from {low} to {high}.", param=key)
    return value
