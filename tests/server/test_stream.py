"""Streams: nothing before the verdict, then a proper stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.errors import UpstreamError
from gatekeeper.exchange import Case, Completion
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, client_of, script_of
from tests.serving import Proxy, Serve

Script = Callable[[str], Path]


class Slow(ScriptedBackend):
    """A scripted backend that takes its time."""

    seconds = 0.3

    async def complete(self, case: Case) -> Completion:
        """Answer after a while."""
        await asyncio.sleep(self.seconds)
        return await super().complete(case)


def events(proxy: Proxy, **rest: Any) -> list[str]:
    """Return the raw lines of a stream, empty ones left out."""
    body = {
        "model": "any",
        "messages": [{"role": "user", "content": QUESTION}],
        "evidence": EVIDENCE,
        "stream": True,
        **rest,
    }
    with httpx.stream("POST", f"{proxy.url}/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        assert response.headers["x-gatekeeper-decision-id"].startswith("gkd_")
        return [line for line in response.iter_lines() if line]


def test_a_released_stream_is_a_proper_stream(serve: Serve, script: Script) -> None:
    """The official client reads the same text from a stream as from a body."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    stream = client_of(proxy).chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": QUESTION}],
        extra_body={"evidence": EVIDENCE},
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == RIGHT
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        "stop"
    ]
    assert chunks[-1].usage is not None
    assert (chunks[-1].model_extra or {})["gatekeeper"]["action"] == "release"


def test_a_held_stream_says_nothing_of_the_answer(serve: Serve, script: Script) -> None:
    """A held answer streams as the policy's message and ends with `content_filter` and `[DONE]`."""
    lines = events(serve(script=script(script_of({"answer": WRONG, "confidence": 0.99}))))
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    assert not any("36 months" in line for line in lines)
    last = orjson.loads(data[-2])
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["gatekeeper"]["action"] == "escalate"


def test_comments_keep_a_held_connection_alive(serve: Serve, script: Script) -> None:
    """While the answer is held back the client hears comments, and not one data event before them."""
    backend = Slow(script(script_of({"answer": RIGHT, "confidence": 0.97})))
    lines = events(serve(backend, keep_alive_s=0.05))
    first_data = next(number for number, line in enumerate(lines) if line.startswith("data:"))
    assert first_data >= 2
    assert all(line.startswith(":") for line in lines[:first_data])


class Failing(Slow):
    """A backend whose server fails after a while."""

    async def complete(self, case: Case) -> Completion:
        """Fail."""
        await super().complete(case)
        raise UpstreamError("the model server failed", status=503)


def test_an_upstream_that_fails_at_once_keeps_its_status(serve: Serve, script: Script) -> None:
    """Before anything was sent an error is a plain error."""
    proxy = serve(Failing(script(script_of({"answer": RIGHT}))))
    with pytest.raises(openai.APIStatusError) as caught:
        client_of(proxy).chat.completions.create(
            model="any", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
    assert caught.value.status_code == 503


def test_an_upstream_that_fails_later_ends_the_stream_with_an_error(serve: Serve, script: Script) -> None:
    """After keep-alive comments an error rides in the stream, where the official client raises it."""
    proxy = serve(Failing(script(script_of({"answer": RIGHT}))), keep_alive_s=0.05)
    stream = client_of(proxy).chat.completions.create(
        model="any", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    with pytest.raises(openai.APIError):
        list(stream)


class Watched(Slow):
    """A backend that knows whether its call was cancelled."""

    seconds = 30.0
    asked = cancelled = False

    async def complete(self, case: Case) -> Completion:
        """Answer after far too long, unless cancelled."""
        self.asked = True
        try:
            return await super().complete(case)
        finally:
            self.cancelled = True

    def stream(self, case: Case) -> AsyncIterator[Any]:
        """Never asked: held streams are generated whole."""
        raise AssertionError


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_cancels_the_upstream_and_is_audited(
    serve: Serve, script: Script, tmp_path: Path, *, stream: bool
) -> None:
    """When the client hangs up, the generation stops and the log says that there was no decision."""
    backend = Watched(script(script_of({"answer": RIGHT})))
    log = tmp_path / "decisions.jsonl"
    proxy = serve(backend, audit_log=log)
    body = {"model": "any", "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{proxy.url}/v1/chat/completions", json=body, timeout=0.3)
    deadline = time.monotonic() + 5
    while not log.read_bytes() and time.monotonic() < deadline:
        time.sleep(0.01)
    (line,) = log.read_bytes().splitlines()
    assert backend.cancelled
    assert orjson.loads(line)["code"] == "cancelled"
