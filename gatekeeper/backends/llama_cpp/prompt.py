"""A conversation → the tokens that the model reads, by the chat template of its file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from gatekeeper.backends.llama_cpp.native import Model, Tokens
from gatekeeper.errors import ConfigurationError, InvalidRequest, NotSupported
from gatekeeper.exchange import Conversation, JsonObject, Surface
from gatekeeper.wire.request import parse_chat


class Prompts:
    """Writes prompts for one model. Raises ConfigurationError where its file has no usable chat template.

    A control token spelled out in a message would read as a turn of its own, so that a retrieved
    document could speak as the system: such spellings are broken up by a space.
    """

    def __init__(self, model: Model, path: Path) -> None:
        if not model.chat_template:
            raise ConfigurationError(f"{path}: holds no chat template; use an instruction-tuned model")
        try:
            self._format = Jinja2ChatFormatter(
                model.chat_template, eos_token=model.end_text(), bos_token=model.begin_text()
            )
        except Exception as error:
            raise ConfigurationError(f"{path}: its chat template cannot be used ({error})") from error
        self._model = model
        spelled = sorted(map(re.escape, model.control_texts()), key=len, reverse=True)
        self._controls = re.compile("|".join(spelled)) if spelled else None

    def of_conversation(self, conversation: Conversation) -> Tokens:
        """Return the prompt of a chat request. Raises InvalidRequest for what the model cannot read."""
        if conversation.surface is not Surface.CHAT:
            raise NotSupported("The in-process model serves /v1/chat/completions only.")
        options = conversation.body.get("chat_template_kwargs") or {}
        if not isinstance(options, dict) or not all(isinstance(value, bool) for value in options.values()):
            raise InvalidRequest("chat_template_kwargs holds switches only.", param="chat_template_kwargs")
        return self._model.tokenise(self.text(_messages(conversation.body), options))

    def text(self, messages: Sequence[JsonObject], options: Mapping[str, bool] | None = None) -> str:
        """Return messages as the template writes them, up to where the answer begins."""
        safe = [{**message, "content": self.defused(message["content"])} for message in messages]
        try:
            prompt: str = self._format(messages=safe, **(options or {})).prompt
        except Exception:
            # From nothing: the template's own error may quote a message.
            raise InvalidRequest(
                "The model's chat template does not take these messages; many want an optional system "
                "message first, then user and assistant in turn.",
                param="messages",
            ) from None
        return prompt

    def defused(self, text: str) -> str:
        """Return text in which no control token is spelled."""
        return self._controls.sub(_broken_up, text) if self._controls else text


def _broken_up(spelled: re.Match[str]) -> str:
    return f"{spelled[0][0]} {spelled[0][1:]}"


def _messages(body: JsonObject) -> list[dict[str, Any]]:
    """Return a request's messages with their content as text."""
    parsed = parse_chat(body).messages
    for message in body["messages"]:
        content = message.get("content")
        kinds = {part["type"] for part in content} if isinstance(content, list) else set()
        if not kinds <= {"text", "refusal", "file", "document"}:
            raise InvalidRequest("The in-process model reads text only.", param="messages")
    return [
        {"role": "system" if message.role == "developer" else message.role, "content": message.text}
        for message in parsed
    ]
