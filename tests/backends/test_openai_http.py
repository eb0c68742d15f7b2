"""A model server's answers come back as words of the gate, with token probabilities where it has any."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.upstream import UpstreamClient
from gatekeeper.errors import UpstreamError, UpstreamGarbled
from gatekeeper.exchange import LogprobQuality
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.rows import Row
from tests.backends.conftest import case
from tests.fake_upstream import FakeUpstream, golden, hang_up, json_body, load, status, stream, unless

OPTIONS = {"A": "left", "B": "right"}
REFUSAL = status(400, message="logprobs is not supported with tools + stream")


@pytest.fixture
async def backend(upstream: FakeUpstream) -> AsyncIterator[OpenAIBackend]:
    """Yield a backend that found an able server, with the probe's requests forgotten."""
    upstream.play(golden("openai"))
    backend = OpenAIBackend(UpstreamClient(upstream.url, retries=0), fingerprint="q4")
    await backend.start()
    upstream.received.clear()
    yield backend
    await backend.close()


async def test_the_answer_is_read(backend: OpenAIBackend) -> None:
    """An answer comes with its tokens and says where it is from."""
    completion = await backend.complete(case())
    assert completion.answers[0].content == "Hold metformin."
    assert completion.answers[0].quality is LogprobQuality.FULL
    assert (completion.backend, completion.staged) == ("openai", False)


async def test_probabilities_that_a_client_wants_stay_as_they_came(
    backend: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """What is to leave is kept as the server wrote it; what nobody asked for is only read."""
    upstream.play(golden("openai"), golden("openai"))
    sent = load("openai")["body"]["choices"][0]["logprobs"]
    kept, read = await backend.complete(case(logprobs=True)), await backend.complete(case())
    assert kept.raw["choices"][0]["logprobs"] == sent
    assert isinstance(read.raw["choices"][0]["logprobs"]["content"][0], Row)
    assert kept.answers[0].tokens == read.answers[0].tokens


async def test_what_looks_like_a_row_elsewhere_changes_nothing(
    backend: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """A long answer whose message lists tokens of its own is read, whether or not rows leave with it."""
    body = load("openai")["body"]
    message = body["choices"][0]["message"]
    message["content"] *= 500
    message["annotations"] = body["choices"][0]["logprobs"]["content"]
    upstream.play(json_body(body))
    for logprobs in (True, False):
        completion = await backend.complete(case(logprobs=logprobs))
        assert completion.answers[0].content == message["content"]


async def test_declared_and_served_model_are_told_apart(
    backend: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """A calibration is bound to what the operator declared and to the model that answered."""
    assert (await backend.complete(case())).fingerprint == "openai:gpt-4o-mini-2024-07-18#q4"
    upstream.play(golden("vllm_null"))
    assert (await backend.complete(case())).fingerprint == "openai:Qwen/Qwen3-8B#q4"
    undeclared = OpenAIBackend(UpstreamClient(upstream.url))
    await undeclared.start()
    assert (await undeclared.complete(case())).fingerprint == "openai:Qwen/Qwen3-8B"
    await undeclared.close()


async def test_probabilities_are_asked_for_within_the_cap(
    backend: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """The server is never asked for more alternatives than it was seen to give."""
    await backend.complete(case(options=OPTIONS))
    assert (upstream.chats[0]["logprobs"], upstream.chats[0]["top_logprobs"]) == (True, 2)


async def test_multiple_choice_asks_for_more_alternatives(upstream: FakeUpstream) -> None:
    """The letters of all options should be among the alternatives."""
    backend = OpenAIBackend(UpstreamClient("http://127.0.0.1:9", retries=0))
    assert (await backend.start()).top_logprobs == 20
    await backend.close()
    backend = OpenAIBackend(UpstreamClient(upstream.url, retries=0))
    upstream.play(status(500), golden("openai"))
    await backend.start()
    await backend.complete(case(options=OPTIONS))
    await backend.complete(case())
    assert [body["top_logprobs"] for body in upstream.chats[-2:]] == [20, 5]
    await backend.close()


async def test_a_held_stream_is_generated_whole(backend: OpenAIBackend, upstream: FakeUpstream) -> None:
    """A client's stream that has to be judged first is asked for in one piece."""
    await backend.complete(case(stream=True, stream_options={"include_usage": True}, evidence_field="x"))
    assert upstream.chats[0]["stream"] is False
    assert "stream_options" not in upstream.chats[0]


async def test_a_refusal_of_probabilities_is_answered_without(
    backend: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """A server that gives no probabilities for this request still answers it, once."""
    upstream.play(unless(lambda body: bool(body.get("logprobs")), REFUSAL, golden("vllm_null")))
    completion = await backend.complete(case())
    assert completion.answers[0].quality is LogprobQuality.UNAVAILABLE
    assert len(upstream.chats) == 2
    chunks = [chunk async for chunk in backend.stream(case())]
    assert parse_chat_completion(fold(chunks)).answers[0].content == "Give 5 mg"


async def test_a_client_that_wants_probabilities_hears_the_refusal(
    backend: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """Where the client itself asked, the server's refusal is its answer."""
    upstream.play(REFUSAL)
    with pytest.raises(UpstreamError) as raised:
        await backend.complete(case(logprobs=True))
    assert raised.value.status == 400
    with pytest.raises(UpstreamError):
        [chunk async for chunk in backend.stream(case(logprobs=True))]


async def test_streams_with_tools_spare_a_server_that_refuses(upstream: FakeUpstream) -> None:
    """A server known to refuse probabilities in streams with tools is not asked for them there."""
    upstream.play(
        unless(lambda body: bool(body.get("tools") and body.get("stream")), REFUSAL, golden("openai"))
    )
    backend = OpenAIBackend(UpstreamClient(upstream.url, retries=0))
    await backend.start()
    upstream.play(golden("openai"))
    tools = [{"type": "function", "function": {"name": "f"}}]
    await backend.complete(case(tools=tools))
    [chunk async for chunk in backend.stream(case(tools=tools))]
    assert [bool(body.get("logprobs")) for body in upstream.chats[-2:]] == [True, False]
    await backend.close()


async def test_streams_are_passed_chunk_by_chunk(backend: OpenAIBackend, upstream: FakeUpstream) -> None:
    """The server's chunks come through as they are."""
    assert [chunk async for chunk in backend.stream(case())] == load("openai")["chunks"]
    assert upstream.chats[0]["stream_options"] == {"include_usage": True}


async def test_the_operators_model_replaces_the_clients(upstream: FakeUpstream) -> None:
    """Applications need not know what the model server calls its model."""
    upstream.play(golden("openai"))
    backend = OpenAIBackend(UpstreamClient(upstream.url), model="llama")
    await backend.start()
    await backend.complete(case())
    assert upstream.chats[-1]["model"] == "llama"
    await backend.close()


async def test_a_missing_model_is_the_servers_first(backend: OpenAIBackend, upstream: FakeUpstream) -> None:
    """A request that names no model is answered by the one that is served."""
    await backend.complete(case(model=None))
    assert upstream.chats[0]["model"] == "fake-model"


async def test_a_server_that_is_away_at_start_is_served_later(upstream: FakeUpstream) -> None:
    """The gate may start before the model server; probabilities are asked for all the same."""
    upstream.play(hang_up(), hang_up(), golden("openai"))
    backend = OpenAIBackend(UpstreamClient(upstream.url, retries=0))
    found = await backend.start()
    assert found.notes == ("the server could not be asked what it can do, so usual behaviour is assumed",)
    upstream.play(golden("openai"))
    assert (await backend.complete(case())).answers[0].quality is LogprobQuality.FULL
    await backend.close()


async def test_health_follows_the_server(backend: OpenAIBackend, upstream: FakeUpstream) -> None:
    """Readiness asks the model server."""
    assert await backend.healthy()
    upstream.models_act = status(503)
    assert not await backend.healthy()


async def test_models_and_embeddings_are_passed_on(backend: OpenAIBackend) -> None:
    """What holds no answer comes from the server as it is."""
    models: Any = await backend.models()
    assert [model["id"] for model in models["data"]] == ["fake-model"]
    embedded: Any = await backend.embed({"model": "m", "input": "x"})
    assert embedded["data"][0]["embedding"] == [0.25, -0.5]


async def test_what_is_no_answer_is_refused(backend: OpenAIBackend, upstream: FakeUpstream) -> None:
    """JSON of another shape never counts as an answer, nor does a stream that breaks off."""
    upstream.play(json_body({"object": "chat.completion", "choices": []}))
    with pytest.raises(UpstreamGarbled):
        await backend.complete(case())
    upstream.play(stream(load("openai")["chunks"][:3]))
    with pytest.raises(UpstreamGarbled):
        fold([chunk async for chunk in backend.stream(case())])
