"""The body of `/v1/responses` read into a Conversation."""

from collections.abc import Iterator
from typing import Any, Final

from gatekeeper.errors import InvalidRequest
from gatekeeper.exchange import Conversation, JsonObject, Message, Part, Surface
from gatekeeper.wire.request import MAX_TOP_LOGPROBS, bounded, typed

_STATEFUL: Final = {
    "previous_response_id": "send the whole conversation as input: earlier responses cannot be read here",
    "conversation": "send the whole conversation as input: a stored one cannot be read here",
    "background": "leave background out: an answer that is fetched later would not be judged",
    "prompt": "send instructions and input: a stored prompt cannot be read here",
}
_ROLES: Final = frozenset({"user", "assistant", "system", "developer"})
_TEXTS: Final = frozenset({"input_text", "output_text", "text", "summary_text", "refusal"})
_WORDLESS: Final = frozenset({"input_image", "input_audio"})
_CALLS: Final = frozenset({"function_call", "custom_tool_call", "reasoning", "item_reference"})
"""Items of earlier turns that are neither question nor evidence."""

_LOGPROBS: Final = "message.output_text.logprobs"


def parse_responses(body: JsonObject) -> Conversation:
    """Read the body of `/v1/responses`. Raises InvalidRequest, naming the field.

    What the server would have to remember is refused: it could not be judged.
    """
    for field, why in _STATEFUL.items():
        if body.get(field):
            raise InvalidRequest(why, param=field)
    include = typed(body, "include", list, [])
    return Conversation(
        surface=Surface.RESPONSES,
        model=typed(body, "model", str, ""),
        messages=tuple(_messages(body)),
        body=body,
        stream=typed(body, "stream", bool, False),
        include_usage=True,
        wants_logprobs=_LOGPROBS in include,
        wants_top_logprobs=bounded(body, "top_logprobs", 0, 0, MAX_TOP_LOGPROBS),
        has_tools=bool(typed(body, "tools", list, [])),
    )


def _messages(body: JsonObject) -> Iterator[Message]:
    instructions = typed(body, "instructions", str, "")
    if instructions:
        yield Message("system", (Part(instructions, "/instructions"),))
    given = body.get("input")
    if isinstance(given, str) and given:
        yield Message("user", (Part(given, "/input"),))
        return
    if not isinstance(given, list) or not given:
        raise InvalidRequest("Send input as text or as a list with at least one item.", param="input")
    for position, item in enumerate(given):
        yield from _item(item, f"/input/{position}", f"input[{position}]")


def _item(item: object, pointer: str, where: str) -> Iterator[Message]:
    if not isinstance(item, dict):
        raise InvalidRequest("Each input item is an object.", param=where)
    kind = str(item.get("type", "message"))
    if kind == "message":
        role = item.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise InvalidRequest(
                f"A message's role is one of {', '.join(sorted(_ROLES))}.", param=f"{where}.role"
            )
        yield Message(role, tuple(_parts(item.get("content"), f"{pointer}/content", f"{where}.content")))
    elif kind in {"function_call_output", "custom_tool_call_output"}:
        yield Message("tool", tuple(_parts(item.get("output"), f"{pointer}/output", f"{where}.output")))
    elif kind == "file_search_call":
        yield Message("tool", tuple(_search_results(item, pointer)))
    elif kind not in _CALLS:
        raise InvalidRequest("This type of input item cannot be judged.", param=f"{where}.type")


def _parts(content: object, pointer: str, where: str) -> Iterator[Part]:
    if isinstance(content, str):
        yield Part(content, pointer)
        return
    if not isinstance(content, list):
        raise InvalidRequest("Content is a string or a list of parts.", param=where)
    for index, part in enumerate(content):
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        if kind in _TEXTS:
            field = "refusal" if kind == "refusal" else "text"
            if not isinstance(part.get(field), str):
                raise InvalidRequest("A text part carries a string.", param=f"{where}[{index}].{field}")
            yield Part(part[field], f"{pointer}/{index}/{field}")
        elif kind == "input_file":
            yield from _file(part, f"{pointer}/{index}")
        elif kind not in _WORDLESS:
            raise InvalidRequest(
                "This type of content part cannot be judged.", param=f"{where}[{index}].type"
            )


def _file(part: dict[str, Any], pointer: str) -> Iterator[Part]:
    text = part.get("text")
    if isinstance(text, str):
        yield Part(text, f"{pointer}/text", "file")


def _search_results(item: dict[str, Any], pointer: str) -> Iterator[Part]:
    results = item.get("results")
    for index, result in enumerate(results if isinstance(results, list) else ()):
        text = result.get("text") if isinstance(result, dict) else None
        if isinstance(text, str):
            yield Part(text, f"{pointer}/results/{index}/text")
