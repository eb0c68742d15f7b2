"""A conversation → the text that the model reads, by the chat template of its file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from gatekeeper.backends.llama_cpp.native import Model
from gatekeeper.errors import ConfigurationError, InvalidRequest
from gatekeeper.exchange import Conversation, JsonObject, Message, Surface
from gatekeeper.wire.surfaces import WIRES

_TEXTS: Final = frozenset(
    {"text", "refusal", "file", "document", "input_text", "output_text", "summary_text", "input_file"}
)


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
        spelled = sorted(map(re.escape, model.control_texts()), key=len, reverse=True)
        self._controls = re.compile("|".join(spelled)) if spelled else None

    def of_conversation(self, conversation: Conversation) -> str:
        """Return the prompt of a request: messages as the template writes them, the legacy surface's text.

        Raises InvalidRequest for what the model cannot read.
        """
        surface, body = conversation.surface, conversation.body
        messages = WIRES[surface].parse_request(body).messages
        if surface is Surface.COMPLETIONS:
            return messages[0].text
        _refuse_what_is_no_text(body)
        options = body.get("chat_template_kwargs") or {}
        if not isinstance(options, dict) or not all(isinstance(value, bool) for value in options.values()):
            raise InvalidRequest("chat_template_kwargs holds switches only.", param="chat_template_kwargs")
        return self.text([_plain(message) for message in messages], options)

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


def _plain(message: Message) -> dict[str, str]:
    """Return a message for a template: most know no developer."""
    return {"role": "system" if message.role == "developer" else message.role, "content": message.text}


def _refuse_what_is_no_text(body: JsonObject) -> None:
    """Refuse parts that would be left out of the prompt without a word, such as images."""
    for field in ("messages", "input"):
        items = body.get(field)
        for item in items if isinstance(items, list) else ():
            content = item.get("content")
            parts = content if isinstance(content, list) else ()
            if any(part.get("type") not in _TEXTS for part in parts):
                raise InvalidRequest("The in-process model reads text only.", param=field)
