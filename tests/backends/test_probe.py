"""A live server is asked what it can do, and believed only in what it shows."""

from typing import Any

import pytest

from gatekeeper.backends.base import Capabilities
from gatekeeper.backends.probe import probe
from gatekeeper.errors import UpstreamError
from tests.fake_upstream import FakeUpstream, golden, json_body, load, status, stream, unless


def _asks_for_logprobs(body: dict[str, Any]) -> bool:
    return bool(body.get("logprobs"))


async def test_an_able_server(upstream: FakeUpstream) -> None:
    """A server that gives everything is found able, with the cap that it shows."""
    upstream.play(golden("openai"))
    assert await probe(upstream.url) == Capabilities(
        logprobs=True,
        top_logprobs=2,
        logprobs_with_tools=True,
        logprobs_with_stream=True,
        models=("fake-model",),
    )
    assert all(body["max_tokens"] == 8 for body in upstream.chats)


async def test_the_model_is_the_operators(upstream: FakeUpstream) -> None:
    """Where the operator names a model, that one is asked."""
    upstream.play(golden("openai"))
    await probe(upstream.url, model="big")
    assert {body["model"] for body in upstream.chats} == {"big"}


async def test_a_lower_cap_is_found(upstream: FakeUpstream) -> None:
    """A server that refuses twenty alternatives is asked for fewer."""
    refusal = status(400, message="top_logprobs must be at most 5")
    upstream.play(unless(lambda body: body.get("top_logprobs", 0) > 5, refusal, golden("openai")))
    assert (await probe(upstream.url)).top_logprobs == 2
    assert [body["top_logprobs"] for body in upstream.chats] == [20, 5, 5, 5]


async def test_tools_with_stream_refused(upstream: FakeUpstream) -> None:
    """A llama-server refuses token probabilities in streams with tools."""
    refusal = status(400, message="logprobs is not supported with tools + stream")
    upstream.play(unless(lambda body: bool(body.get("tools")), refusal, golden("llama_server")))
    found = await probe(upstream.url)
    assert (found.logprobs, found.logprobs_with_stream, found.logprobs_with_tools) == (True, True, False)
    assert found.notes == ("refuses token probabilities in streams with tools",)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("llama_server_zeros", "zeros"),
        ("vllm_sentinel", "sentinels"),
        ("vllm_token_ids", "token ids"),
        ("tgi_no_alternatives", "no alternatives"),
    ],
)
async def test_traps_are_named(upstream: FakeUpstream, name: str, note: str) -> None:
    """What makes a server's probabilities useless is said to the operator."""
    upstream.play(golden(name))
    assert any(note in line for line in (await probe(upstream.url)).notes)


async def test_rows_missing_from_streams(upstream: FakeUpstream) -> None:
    """A server whose streams carry no probabilities is found out."""
    upstream.play(unless(lambda body: bool(body.get("stream")), golden("vllm_null"), golden("openai")))
    found = await probe(upstream.url)
    assert (found.logprobs, found.logprobs_with_stream) == (True, False)


async def test_a_server_without_logprobs(upstream: FakeUpstream) -> None:
    """A server that refuses or ignores the wish still serves; confidence will be unavailable."""
    for act in (
        golden("vllm_null"),
        unless(_asks_for_logprobs, status(400, message="unknown field"), golden("openai")),
    ):
        upstream.play(act)
        found = await probe(upstream.url)
        assert (found.logprobs, found.top_logprobs) == (False, 0)
        assert found.notes == ("gives no token probabilities: confidence will be unavailable",)


async def test_a_server_without_a_model_list(upstream: FakeUpstream) -> None:
    """Not every server lists its models."""
    upstream.models_act = status(404)
    upstream.play(golden("openai"))
    assert (await probe(upstream.url)).models == ()


async def test_a_broken_stream_is_no_crash(upstream: FakeUpstream) -> None:
    """A server that cannot stream is found so."""
    broken = stream(load("openai")["chunks"][:2], dies=True, done=False)
    upstream.play(unless(lambda body: bool(body.get("stream")), broken, golden("openai")))
    assert not (await probe(upstream.url)).logprobs_with_stream


@pytest.mark.parametrize("act", [status(500), json_body({"error": {"message": "x", "code": 500}})])
async def test_a_server_that_fails_is_an_error(upstream: FakeUpstream, act: Any) -> None:
    """`gatekeeper probe` says that the server does not answer, not that it cannot give logprobs."""
    upstream.play(act)
    with pytest.raises(UpstreamError):
        await probe(upstream.url)
