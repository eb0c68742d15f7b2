"""The HTTP client keeps its promises to a server that keeps none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gatekeeper.backends.upstream import LogprobsRefused, UpstreamClient, base_url
from gatekeeper.errors import ConfigurationError, UpstreamError, UpstreamGarbled, UpstreamTimeout
from tests.fake_upstream import CANARY, FakeUpstream, golden, hang, hang_up, load, raw, status, stream

CHAT = "/chat/completions"
ASK = {"model": "m", "messages": []}


@asynccontextmanager
async def _client(upstream: FakeUpstream, **options: Any) -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient(upstream.url, **options)
    await client.open()
    try:
        yield client
    finally:
        await client.close()


async def _chunks(client: UpstreamClient) -> list[dict[str, Any]]:
    return [chunk async for chunk in client.events(CHAT, {**ASK, "stream": True})]


async def test_answer_comes_back(upstream: FakeUpstream) -> None:
    """The server's JSON comes back, and the API key goes with the request."""
    upstream.play(golden("openai"))
    async with _client(upstream, api_key="s3cret") as client:
        assert await client.post(CHAT, ASK) == load("openai")["body"]
    assert upstream.received[0].headers["Authorization"] == "Bearer s3cret"
    assert upstream.chats == [ASK]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("comments", [False, True])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("write_size", [None, 7])
async def test_streams_of_every_framing_are_read(
    upstream: FakeUpstream, line_end: bytes, comments: bool, done: bool, write_size: int | None
) -> None:
    """CRLF, comments, a missing [DONE] and characters cut by the network change nothing."""
    chunks = load("openai_split_character")["chunks"]
    upstream.play(stream(chunks, line_end=line_end, comments=comments, done=done, write_size=write_size))
    async with _client(upstream) as client:
        assert await _chunks(client) == chunks


@pytest.mark.parametrize("code", [429, 502, 503, 504])
async def test_a_busy_server_is_asked_again(upstream: FakeUpstream, code: int) -> None:
    """A refusal before anything was generated is retried."""
    upstream.play(status(code, retry_after="0"), golden("openai"))
    async with _client(upstream) as client:
        assert await client.post(CHAT, ASK) == load("openai")["body"]
    assert len(upstream.chats) == 2


async def test_a_closed_connection_is_opened_again(upstream: FakeUpstream) -> None:
    """A connection that ends without an answer is retried."""
    upstream.play(hang_up(), golden("openai"))
    async with _client(upstream) as client:
        assert await client.post(CHAT, ASK) == load("openai")["body"]


async def test_retries_are_bounded(upstream: FakeUpstream) -> None:
    """A server that stays busy is given up, and its status and Retry-After are passed on."""
    upstream.play(status(503, retry_after="0"))
    async with _client(upstream, retries=1) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.post(CHAT, ASK)
    assert (raised.value.status, raised.value.retry_after) == (503, 0)
    assert len(upstream.chats) == 2


async def test_a_long_pause_is_not_waited_for(upstream: FakeUpstream) -> None:
    """A server that asks for a minute is not kept on trying; the client hears for how long."""
    upstream.play(status(429, retry_after="60"))
    async with _client(upstream) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.post(CHAT, ASK)
    assert (raised.value.status, raised.value.retry_after) == (429, 60)
    assert len(upstream.chats) == 1


@pytest.mark.parametrize("code", [400, 401, 404, 500])
async def test_errors_keep_status_and_lose_text(upstream: FakeUpstream, code: int) -> None:
    """An error that quotes a patient is passed on by its status only."""
    upstream.play(status(code, error=CANARY))
    async with _client(upstream) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.post(CHAT, ASK)
    assert raised.value.status == code
    assert raised.value.code == "upstream_error"
    assert "Mustermann" not in repr(raised.value)
    assert len(upstream.chats) == 1


async def test_codes_that_help_the_client_are_kept(upstream: FakeUpstream) -> None:
    """A prompt over the model's window is named as such."""
    upstream.play(status(400, error="context_length_exceeded"))
    async with _client(upstream) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.post(CHAT, ASK)
    assert raised.value.code == "context_length_exceeded"


async def test_redirects_are_not_followed(upstream: FakeUpstream) -> None:
    """A redirect never carries a request, or the API key, to another address."""
    upstream.play(raw(b"", status_code=307, headers={"Location": "/v1/models"}))
    async with _client(upstream) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.post(CHAT, ASK)
    assert raised.value.status == 502
    assert len(upstream.received) == 1


async def test_refused_logprobs_are_told_apart(upstream: FakeUpstream) -> None:
    """An error about token probabilities can be answered by asking without them."""
    upstream.play(status(400, message="logprobs is not supported with tools + stream"))
    async with _client(upstream) as client:
        with pytest.raises(LogprobsRefused):
            await client.post(CHAT, ASK)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[1]", b'{"a":', b"\xff\xfe"])
async def test_garbage_is_refused(upstream: FakeUpstream, data: bytes) -> None:
    """An answer that is no JSON object never counts as one, and the error does not quote it."""
    upstream.play(raw(data))
    async with _client(upstream) as client:
        with pytest.raises(UpstreamGarbled) as raised:
            await client.post(CHAT, ASK)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("where", "kept", "refused"),
    [("message", False, True), ("logprobs", False, False), ("logprobs", True, True)],
)
async def test_answers_that_could_not_be_written_again_are_refused(
    upstream: FakeUpstream, where: str, kept: bool, refused: bool
) -> None:
    """No depth of JSON ends a gate or a recording; the rows of probabilities leave a gate made anew."""
    deep = b"[" * 300 + b"]" * 300
    filler = b'"' + b"x" * 5_000 + b'"'
    body = b'{"choices":[{"%s":%s}],"more":%s}' % (where.encode(), deep, filler)
    upstream.play(raw(body), raw(body))
    async with _client(upstream, keeps_bodies=kept) as client:
        if refused:
            with pytest.raises(UpstreamGarbled):
                await client.post(CHAT, ASK)
        else:
            assert "choices" in await client.post(CHAT, ASK)


@pytest.mark.parametrize("streams", [False, True])
async def test_huge_answers_are_refused(upstream: FakeUpstream, streams: bool) -> None:
    """An endless answer cannot fill the memory."""
    text = "x" * 50_000
    upstream.play(stream([text] * 10) if streams else raw(b'"' + text.encode() + b'"'))
    async with _client(upstream, max_response_bytes=40_000) as client:
        with pytest.raises(UpstreamGarbled, match="size"):
            await (_chunks(client) if streams else client.post(CHAT, ASK))


async def test_a_stream_that_dies_is_an_error(upstream: FakeUpstream) -> None:
    """A connection lost in mid-stream is reported and the request is not sent again."""
    upstream.play(stream(load("openai")["chunks"][:3], done=False, dies=True))
    async with _client(upstream) as client:
        with pytest.raises(UpstreamError, match="broke off"):
            await _chunks(client)
    assert len(upstream.chats) == 1


@pytest.mark.parametrize("act", [hang(), stream([{}] * 100, pause_s=0.05)], ids=["silent", "slow"])
async def test_the_deadline_holds(upstream: FakeUpstream, act: Any) -> None:
    """A server that is silent or trickles is given up at the deadline."""
    upstream.play(act)
    async with _client(upstream, deadline_s=0.3) as client:
        with pytest.raises(UpstreamTimeout):
            await _chunks(client)


async def test_retries_end_at_the_deadline(upstream: FakeUpstream) -> None:
    """A pause that would pass the deadline is not begun."""
    upstream.play(status(503, retry_after="4"))
    async with _client(upstream, deadline_s=1.0) as client:
        with pytest.raises(UpstreamError):
            await client.post(CHAT, ASK)
    assert len(upstream.chats) == 1


async def test_nobody_there(upstream: FakeUpstream) -> None:
    """A server that is not running is said not to be reachable."""
    client = UpstreamClient("http://127.0.0.1:9", retries=0)
    await client.open()
    with pytest.raises(UpstreamError, match="reached"):
        await client.post(CHAT, ASK)
    assert not await client.reachable()
    await client.close()


@pytest.mark.parametrize("streams", [False, True])
async def test_cancelling_stops_the_generation(upstream: FakeUpstream, streams: bool) -> None:
    """When the application goes away, the model server sees its connection close."""
    upstream.play(stream([{}] * 1_000, pause_s=0.01) if streams else hang())
    async with _client(upstream) as client:
        call: asyncio.Task[Any] = asyncio.create_task(_chunks(client) if streams else client.post(CHAT, ASK))
        assert await asyncio.to_thread(upstream.asked.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await asyncio.to_thread(upstream.abandoned.wait, 5)


async def test_leaving_a_stream_closes_it(upstream: FakeUpstream) -> None:
    """A consumer that stops reading stops the generation."""
    upstream.play(stream([{}] * 1_000, pause_s=0.01))
    async with _client(upstream) as client:
        chunks = client.events(CHAT, ASK)
        assert await anext(chunks) == {}
        await chunks.aclose()
        assert await asyncio.to_thread(upstream.abandoned.wait, 5)


async def test_connections_are_reused(upstream: FakeUpstream) -> None:
    """Requests do not pay for a new connection each."""
    upstream.play(golden("openai"))
    async with _client(upstream) as client:
        for _ in range(5):
            await client.post(CHAT, ASK)
    assert upstream.connections == 1


async def test_a_loading_server_is_not_reachable(upstream: FakeUpstream) -> None:
    """Readiness follows the server: loading is not ready, a missing model list is."""
    async with _client(upstream, retries=0) as client:
        assert await client.reachable()
        upstream.models_act = status(503)
        assert not await client.reachable()
        upstream.models_act = status(404)
        assert await client.reachable()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("https://models.local/v1/", "https://models.local/v1"),
        ("https://models.local/openai/v1", "https://models.local/openai/v1"),
    ],
)
def test_bare_addresses_are_completed(given: str, used: str) -> None:
    """An operator may leave the path out."""
    assert base_url(given) == used


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions/", "/v1/models", "/v1/responses"])
def test_the_address_of_an_endpoint_is_refused(path: str) -> None:
    """An operator who copied the address of one endpoint reads the one that is meant."""
    with pytest.raises(ConfigurationError, match=r"such as http://127\.0\.0\.1:8000/v1, not"):
        base_url(f"http://127.0.0.1:8000{path}")


async def test_a_model_that_the_server_lacks_is_told(upstream: FakeUpstream) -> None:
    """The first error of an application that names another model says where to look."""
    upstream.play(status(404))
    async with _client(upstream, retries=0) as client:
        with pytest.raises(UpstreamError, match="--upstream-model") as refused:
            await client.post("/chat/completions", {})
    assert refused.value.status == 404


def test_other_addresses_are_refused() -> None:
    """A file or a bare host name is no model server."""
    with pytest.raises(ConfigurationError):
        base_url("127.0.0.1:8000")
