"""Streams that leave sentence by sentence: each only after its verdict, and nothing after a violation."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from tests.fake_upstream import Act, FakeUpstream, json_body, spoken, unless
from tests.fake_upstream import stream as broken_off
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, client_of
from tests.serving import Proxy, Serve

NEXT = "The interval is counted from the first CT."
POLICY = """
name: window
version: "1"
streaming: window
checks:
  confidence: {unavailable: annotate}
rules:
  - {id: contradicted, when: {p_contradicted: {at_least: 0.5}}, then: escalate}
  - {id: unconfirmed, when: {claims.supported_share: {below: 0.4}}, then: annotate}
messages: {escalate: Held for review., annotate: Confirm this.}
"""
WHOLE = POLICY.replace("{below: 0.4}}, then: annotate", "{below: 0.4}}, then: abstain")

Start = Callable[..., Proxy]


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """Return a model server that speaks as it is told."""
    with FakeUpstream() as server:
        yield server


@pytest.fixture
def windowed(serve: Serve, upstream: FakeUpstream, tmp_path: Path) -> Start:
    """Return a function that serves a policy in front of a model that speaks one answer."""

    def start(act: Act, policy: str = POLICY) -> Proxy:
        upstream.play(act)
        path = tmp_path / "policy.yaml"
        path.write_text(policy, encoding="utf-8")
        return serve(upstream=[upstream.url], policy=path, audit_log=tmp_path / "decisions.jsonl")

    return start


def stream_of(proxy: Proxy, **rest: Any) -> Any:
    """Ask for a stream through the official client."""
    return client_of(proxy).chat.completions.create(
        model="fake-model",
        messages=[{"role": "user", "content": QUESTION}],
        extra_body={"evidence": EVIDENCE},
        stream=True,
        **rest,
    )


def text_of(chunks: Any) -> str:
    """Return the text that chunks carry."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def recorded(tmp_path: Path, count: int) -> list[dict[str, Any]]:
    """Return the records of the decision log once there are so many."""
    log, deadline = tmp_path / "decisions.jsonl", time.monotonic() + 5
    while len(log.read_bytes().splitlines()) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return [orjson.loads(line) for line in log.read_bytes().splitlines()]


def test_a_sentence_arrives_before_the_next_is_written(windowed: Start) -> None:
    """A reader has the first sentence while the model still thinks about the second."""
    thinking = threading.Event()
    stream = stream_of(windowed(spoken(RIGHT, " The", thinking, NEXT.removeprefix("The"))))
    first = next(stream)
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", RIGHT)
    thinking.set()
    rest = list(stream)
    assert text_of(rest) == f" {NEXT}"
    assert rest[-1].choices[0].finish_reason == "stop"
    assert (rest[-1].model_extra or {})["gatekeeper"]["action"] == "release"
    assert {chunk.id for chunk in rest} == {"chatcmpl-F1"}
    assert not any(chunk.choices[0].delta.role for chunk in rest)


def test_no_word_leaves_before_its_sentence_is_whole(windowed: Start) -> None:
    """Half a sentence stays here, since its end may turn it round."""
    thinking = threading.Event()
    proxy = windowed(spoken(RIGHT[:-10], thinking, RIGHT[-10:]))
    body = {"messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE, "stream": True}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{proxy.url}/v1/chat/completions", json=body, timeout=0.3)
    thinking.set()


def test_a_contradicted_sentence_never_arrives(
    windowed: Start, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """At a violation the model is stopped, and the notice stands in place of all that would follow."""
    proxy = windowed(spoken(RIGHT, f" {WRONG}", f" {NEXT}", threading.Event(), " Never said."))
    chunks = list(stream_of(proxy))
    assert text_of(chunks) == f"{RIGHT}\n\nHeld for review."
    assert chunks[-1].choices[0].finish_reason == "content_filter"
    judged = (chunks[-1].model_extra or {})["gatekeeper"]
    assert (judged["action"], judged["reasons"][0]["rule"]) == ("escalate", "contradicted")
    assert "24 to 36" not in orjson.dumps(judged).decode()
    assert upstream.abandoned.wait(5)
    records = recorded(tmp_path, 2)
    assert [record["event"] for record in records] == ["window", "decision"]
    assert records[1]["action"] == "escalate"
    metrics = httpx.get(f"{proxy.url}/metrics").text
    assert 'gatekeeper_decisions_total{action="escalate",reason="contradicted"} 1.0' in metrics


def test_sentences_of_one_chunk_are_judged_one_by_one(windowed: Start) -> None:
    """A server that sends large chunks loses none of the sentences before a violation, and no other."""
    chunks = list(stream_of(windowed(spoken(f"{RIGHT} {WRONG} {NEXT}"))))
    assert text_of(chunks) == f"{RIGHT}\n\nHeld for review."


def test_a_last_sentence_that_contradicts_is_held(windowed: Start) -> None:
    """The end of a stream ends its last sentence, which is judged like any other."""
    chunks = list(stream_of(windowed(spoken(f"{RIGHT} ", WRONG))))
    assert text_of(chunks) == f"{RIGHT}\n\nHeld for review."
    assert chunks[-1].choices[0].finish_reason == "content_filter"


def test_an_answer_held_at_once_is_the_notice_alone(windowed: Start) -> None:
    """Where the first sentence contradicts, the stream is that of any held answer."""
    chunks = list(stream_of(windowed(spoken(f"{WRONG} {NEXT}"))))
    assert text_of(chunks) == "Held for review."


def test_raw_events_end_with_done(windowed: Start) -> None:
    """A stopped stream is still one that clients know how to end."""
    proxy = windowed(spoken(f"{RIGHT} {WRONG} {NEXT}"))
    body = {"messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE, "stream": True}
    lines = [
        line for line in httpx.post(f"{proxy.url}/v1/chat/completions", json=body).text.split("\n") if line
    ]
    assert lines[-1] == "data: [DONE]"
    assert "gatekeeper" in orjson.loads(lines[-2].removeprefix("data: "))


def test_a_note_follows_the_text(windowed: Start) -> None:
    """A rule that annotates reads the whole answer, and its note comes last."""
    unknown = "Ask the referrer for prior images. Bring them along. They matter."
    chunks = list(stream_of(windowed(spoken(unknown))))
    assert text_of(chunks) == f"{unknown}\n\nConfirm this."


def test_reasoning_stays_here(windowed: Start) -> None:
    """Reasoning inside the content is no sentence of the answer."""
    chunks = list(
        stream_of(windowed(spoken("<think>Let me see. It ", "may be. ", "</think>", f"{RIGHT} {NEXT}")))
    )
    assert text_of(chunks) == f"{RIGHT} {NEXT}"


def test_an_answer_that_turns_out_to_be_reasoning_ends_in_an_error(windowed: Start) -> None:
    """A server that hides the opening mark of its reasoning is found out and heard no further."""
    with pytest.raises(openai.APIError):
        list(stream_of(windowed(spoken(f"{RIGHT} {NEXT} ", "</think>", "Hold. Stop here."))))


@pytest.mark.parametrize(
    ("policy", "rest"),
    [
        (WHOLE, {}),
        (POLICY.replace("streaming: window", "streaming: hold"), {}),
        (POLICY.replace("streaming: window", "streaming: window\nreasoning: judge"), {}),
        (POLICY, {"logprobs": True}),
        (POLICY, {"response_format": {"type": "json_object"}}),
        (POLICY, {"n": 2}),
        (POLICY, {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}),
    ],
    ids=["rule reads the whole", "hold", "reasoning", "logprobs", "json", "choices", "tools"],
)
def test_what_needs_the_whole_answer_is_held(
    windowed: Start, upstream: FakeUpstream, policy: str, rest: dict[str, Any]
) -> None:
    """Where a sentence cannot be judged by itself the answer is generated and judged whole."""
    chunks = list(stream_of(windowed(spoken(f"{RIGHT} {NEXT}"), policy), **rest))
    assert text_of(chunks).startswith(RIGHT)
    assert upstream.chats[-1]["stream"] is False


def test_a_client_that_goes_stops_the_model(windowed: Start, upstream: FakeUpstream, tmp_path: Path) -> None:
    """When the reader leaves after a sentence, generation ends and the log says so."""
    stream = stream_of(windowed(spoken(f"{RIGHT} The", threading.Event())))
    assert next(stream).choices[0].delta.content == RIGHT
    stream.close()
    assert upstream.abandoned.wait(5)
    records = recorded(tmp_path, 2)
    assert [record.get("code", record["event"]) for record in records] == ["window", "cancelled"]


def test_a_full_disk_lets_no_sentence_out(windowed: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the log cannot take does not begin to leave."""
    proxy = windowed(spoken(f"{RIGHT} {NEXT}"))
    monkeypatch.setattr("gatekeeper.audit.log.os.write", _full)
    with pytest.raises(openai.APIStatusError) as caught:
        list(stream_of(proxy))
    assert caught.value.status_code == 503


def _full(*_: object) -> int:
    raise OSError(28, "no space left")


def test_a_server_that_dies_after_a_sentence_ends_the_stream_with_an_error(
    windowed: Start, tmp_path: Path
) -> None:
    """What was judged has left; that the rest never came is an error for the client and for the log."""
    choice = {"index": 0, "delta": {"content": f"{RIGHT} The"}, "finish_reason": None}
    stream = stream_of(
        windowed(unless(_probed, json_body(PROBED), broken_off([{"choices": [choice]}], dies=True)))
    )
    assert next(stream).choices[0].delta.content == RIGHT
    with pytest.raises(openai.APIError):
        list(stream)
    assert [record["event"] for record in recorded(tmp_path, 2)] == ["window", "no_decision"]


PROBED = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]
}


def _probed(body: dict[str, Any]) -> bool:
    """Whether this is the question that the gate asks at its start."""
    return not body.get("stream")
