"""Requests and answers that carry marks, and the reading of what a client received.

Every text of a model carries a mark with its kind and the number of its request. `OK` may reach the client
that asked; `PART` stands in whole sentences before a fault, which only a windowed stream delivers; `BAD`
stands in answers that contradict the evidence, `LOST` in what a fault cut off or hid, and reach nobody.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gatekeeper.exchange import Surface
from gatekeeper.wire.sse import DONE, SseParser
from gatekeeper.wire.surfaces import WIRES
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG

MARK: Final = re.compile(rb"ZQ([A-Z]+)(\d+)QZ")

Form = tuple[Surface, bool]
FORMS: Final[tuple[Form, ...]] = tuple((surface, stream) for surface in Surface for stream in (False, True))


def mark(kind: str, number: int) -> str:
    """Return the mark of one request's text."""
    return f"ZQ{kind}{number:06d}QZ"


def right(number: int, kind: str = "OK") -> str:
    """Return an answer that the evidence carries."""
    return f"{RIGHT} This is note {mark(kind, number)}."


def wrong(number: int) -> str:
    """Return an answer whose second half contradicts the evidence."""
    return f"{right(number, 'PART')} {WRONG} Thus {mark('BAD', number)} holds. {mark('BAD', number)} is all."


def path_of(surface: Surface) -> str:
    """Return where a surface is served."""
    return f"/v1{WIRES[surface].path}"


def request_of(surface: Surface, number: int, fault: str, *, stream: bool) -> dict[str, Any]:
    """Return a request whose `user` tells the model server which fault to show."""
    by_surface: dict[Surface, dict[str, Any]] = {
        Surface.CHAT: {"messages": [{"role": "user", "content": QUESTION}], "logprobs": not stream},
        Surface.COMPLETIONS: {"prompt": QUESTION, "logprobs": 2},
        Surface.RESPONSES: {"input": QUESTION},
    }
    return {
        "model": "fake-model",
        "evidence": EVIDENCE,
        "stream": stream,
        "user": f"{fault}:{number}",
        **by_surface[surface],
    }


def answer_of(surface: Surface, text: str, **odd: Any) -> dict[str, Any]:
    """Return a model server's body; `odd` fields stand at every level of it."""
    top = {"id": "x-1", "model": "fake-model", "created": 1, **odd}
    if surface is Surface.RESPONSES:
        part = {"type": "output_text", "text": text, "annotations": [], **odd}
        item = {"type": "message", "id": "m-1", "role": "assistant", "content": [part], **odd}
        return {**top, "object": "response", "status": "completed", "output": [item]}
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", **odd}
    if surface is Surface.COMPLETIONS:
        return {**top, "object": "text_completion", "choices": [{**choice, "text": text}]}
    message = {"role": "assistant", "content": text, **odd}
    return {**top, "object": "chat.completion", "choices": [{**choice, "message": message}]}


@dataclass(frozen=True, slots=True)
class Received:
    """All that came back for one request: `data` holds header fields and body."""

    number: int
    form: Form
    status: int
    content_type: str
    head: bytes
    body: bytes

    @property
    def streamed(self) -> bool:
        """Whether it is a stream of events."""
        return self.content_type.startswith("text/event-stream")

    @property
    def last(self) -> dict[str, Any]:
        """The body, or the last event of a stream that carries JSON; both end what was asked."""
        if not self.streamed:
            found = orjson.loads(self.body)
        else:
            parser = SseParser()
            events = [*parser.feed(self.body), *parser.finish()]
            found = orjson.loads([event for event in events if event != DONE][-1])
            ends = self.form[0] is not Surface.RESPONSES and "error" not in found
            assert (events[-1] == DONE) is ends, "the stream does not end as its clients expect"
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> str | None:
        """The code of the error that it ends in, which must be in OpenAI's shape, if it does."""
        if "error" not in self.last or self.last["error"] is None:
            return None
        error = self.last["error"]
        assert set(error) == {"message", "type", "param", "code"}, error
        assert error["message"]
        assert error["type"]
        assert self.streamed or self.status >= 400
        return str(error["code"])

    @property
    def judged(self) -> dict[str, Any] | None:
        """The `gatekeeper` object, if there was a decision; the answer is then whole."""
        if self.error is not None:
            return None
        last = self.last.get("response", self.last) if self.streamed else self.last
        found: dict[str, Any] = last["gatekeeper"]
        return found

    @property
    def action(self) -> str | None:
        """What the gate decided, if it did."""
        return None if self.judged is None else str(self.judged["action"])

    def check(self, *, windowed: bool) -> None:
        """Fail where this is no clear end, or holds a word that the client may not have."""
        assert self.action is not None or self.error is not None
        stream_in_windows = windowed and self.form == (Surface.CHAT, True)
        allowed = {b"OK", b"PART"} if stream_in_windows else {b"OK"}
        for kind, number in MARK.findall(self.head + self.body):
            assert (kind in allowed, int(number)) == (True, self.number), (self.form, kind, number)
        if self.action in {"block", "abstain", "escalate"} and not stream_in_windows:
            assert not MARK.search(self.head + self.body), "text of a held answer"
