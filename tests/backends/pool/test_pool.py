"""Several servers behind one gate: each takes its share, and none of them is missed."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.pool import Pool, Upstream, parse_upstream
from gatekeeper.backends.upstream import UpstreamClient
from gatekeeper.errors import ConfigurationError, UpstreamError
from gatekeeper.wire.chunks import fold
from tests.backends.conftest import case
from tests.fake_upstream import FakeUpstream, golden, hang_up, json_body, load, status, stream

DOWN = status(503)


@pytest.fixture
def servers() -> Iterator[tuple[FakeUpstream, FakeUpstream]]:
    """Yield two servers that answer."""
    with ExitStack() as stack:
        both = tuple(stack.enter_context(FakeUpstream(models=(f"model-{name}",))) for name in "ab")
        for server in both:
            server.play(golden("openai"))
        yield both[0], both[1]


@dataclass(frozen=True, slots=True)
class First:
    """Stands in for chance: the first server is always tried first."""

    order: Iterator[float]

    def random(self) -> float:
        """Return ever smaller numbers, in turn for each server."""
        return next(self.order)

    def uniform(self, low: float, high: float) -> float:
        """Return the lower bound."""
        return low


@asynccontextmanager
async def pool_of(
    servers: Sequence[FakeUpstream],
    weights: Sequence[int] = (1, 1),
    *,
    fingerprints: Sequence[str | None] = (None, None),
    in_order: bool = True,
    check_every_s: float = 3600.0,
) -> AsyncIterator[Pool]:
    """Yield a started pool; tried in order unless left to (seeded) chance."""

    def falling() -> Iterator[float]:
        while True:
            yield from (0.9, 0.1)

    members = [
        (OpenAIBackend(UpstreamClient(server.url, retries=0), fingerprint=declared), weight)
        for server, weight, declared in zip(servers, weights, fingerprints, strict=True)
    ]
    chance: Any = First(falling()) if in_order else random.Random(7)
    pool = Pool(members, check_every_s=check_every_s, chance=chance)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        await pool.start()
        for server in servers:
            server.received.clear()
        yield pool


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a:8000/v1", Upstream("http://a:8000/v1")),
        ("http://a:8000/v1=3", Upstream("http://a:8000/v1", 3)),
        ("http://a:8000#Q8_0", Upstream("http://a:8000", 1, "Q8_0")),
        ("https://a/v1=12#sha256:0f=1", Upstream("https://a/v1", 12, "sha256:0f=1")),
    ],
)
def test_upstreams_are_written_with_weight_and_fingerprint(text: str, expected: Upstream) -> None:
    """`URL=WEIGHT#FINGERPRINT`, of which only the address is needed."""
    assert parse_upstream(text) == expected


@pytest.mark.parametrize(
    "text", ["", "=3", "http://a=0", "http://a=-1", "http://a=x", "http://a b", "http://a#"]
)
def test_a_misspelt_upstream_is_refused(text: str) -> None:
    """The operator hears how an upstream is written."""
    with pytest.raises(ConfigurationError, match="URL=WEIGHT"):
        parse_upstream(text)


async def test_requests_are_shared_by_weight(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """A server of weight 3 gets about three times as many requests as one of weight 1."""
    async with pool_of(servers, (3, 1), in_order=False) as pool:
        for _ in range(200):
            await pool.complete(case())
    assert len(servers[0].chats) + len(servers[1].chats) == 200
    # The binomial distribution of 200 at 3/4 stays within this but once in ten thousand times.
    assert 126 <= len(servers[0].chats) <= 173


async def test_answers_are_named_by_who_gave_them(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """Each answer carries its own server's fingerprint, so that it is calibrated as that model."""
    servers[1].play(json_body({**load("openai")["body"], "model": "other"}))
    async with pool_of(servers, in_order=False, fingerprints=("Q8", "Q4")) as pool:
        found = Counter([(await pool.complete(case())).fingerprint for _ in range(20)])
        assert pool.fingerprint is None
    assert set(found) == {"openai:gpt-4o-mini-2024-07-18#Q8", "openai:other#Q4"}


async def test_servers_of_one_model_have_one_fingerprint(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """Where all serve the same, a calibration can be matched at start-up."""
    servers[1].models = servers[0].models
    async with pool_of(servers) as pool:
        assert pool.fingerprint == "openai:model-a"


@pytest.mark.parametrize("act", [DOWN, status(500), status(429), status(401), status(404), hang_up()])
async def test_a_failing_server_is_replaced(servers: tuple[FakeUpstream, FakeUpstream], act: Any) -> None:
    """A server that cannot answer does not fail the request while another can."""
    async with pool_of(servers) as pool:
        servers[0].play(act)
        assert (await pool.complete(case())).answers[0].content == "Hold metformin."
        async with aclosing(pool.stream(case())) as chunks:
            assert fold([chunk async for chunk in chunks])["choices"]
    assert [len(server.chats) for server in servers][1] == 2


async def test_a_server_that_is_gone_is_replaced(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """So does one whose port is closed."""
    with FakeUpstream() as third:
        third.play(golden("openai"))
        address = third
    async with pool_of((address, servers[1])) as pool:
        assert (await pool.complete(case())).answers[0].content == "Hold metformin."


@pytest.mark.parametrize("code", [400, 422])
async def test_a_wrong_request_is_wrong_everywhere(
    servers: tuple[FakeUpstream, FakeUpstream], code: int
) -> None:
    """A request that one server calls wrong is not sent to the next."""
    async with pool_of(servers) as pool:
        servers[0].play(status(code))
        with pytest.raises(UpstreamError) as raised:
            await pool.complete(case())
        with pytest.raises(UpstreamError):
            async for _ in pool.stream(case()):
                pass
    assert (raised.value.status, servers[1].chats) == (code, [])


async def test_a_stream_that_has_begun_is_not_begun_again(
    servers: tuple[FakeUpstream, FakeUpstream],
) -> None:
    """After the first token a broken stream is an error: two halves make no answer."""
    async with pool_of(servers) as pool:
        servers[0].play(stream(load("openai")["chunks"][:2], dies=True, done=False))
        with pytest.raises(UpstreamError):
            async for _ in pool.stream(case()):
                pass
    assert servers[1].chats == []


async def test_where_all_fail_the_last_word_is_kept(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """With no server left the client gets the status of the last one."""
    async with pool_of(servers) as pool:
        servers[0].play(status(500))
        servers[1].play(status(429, retry_after="7"))
        for failing in (pool.complete(case()), anext(pool.stream(case()))):
            with pytest.raises(UpstreamError) as raised:
                await failing
            assert (raised.value.status, raised.value.retry_after) == (429, 7)


async def test_a_server_that_is_down_is_left_alone(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """After a failure the next requests go straight to the other, and both down are tried all the same."""
    async with pool_of(servers) as pool:
        servers[0].play(DOWN)
        for _ in range(3):
            await pool.complete(case())
        assert [len(server.chats) for server in servers] == [1, 3]
        servers[1].play(DOWN)
        with pytest.raises(UpstreamError):
            await pool.complete(case())
        servers[0].play(golden("openai"))
        assert (await pool.complete(case())).answers[0].content == "Hold metformin."


async def test_a_server_that_comes_back_is_used_again(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """Health checks find a server that went and one that came back."""
    servers[0].models_act = DOWN
    async with pool_of(servers, check_every_s=0.02) as pool:
        await pool.complete(case())
        assert servers[0].chats == []
        servers[0].models_act = None
        async with asyncio.timeout(10):
            while not servers[0].chats:
                await pool.complete(case())
                await asyncio.sleep(0.01)


async def test_ready_while_one_is(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """The pool is healthy while any server is, and notices by itself when none is left."""
    async with pool_of(servers) as pool:
        servers[0].play(DOWN)
        await pool.complete(case())
        assert await pool.healthy()
        servers[1].play(DOWN)
        with pytest.raises(UpstreamError):
            await pool.complete(case())
        for server in servers:
            server.models_act = DOWN
        assert not await pool.healthy()
        servers[1].models_act = None
        assert await pool.healthy()


async def test_models_and_embeddings(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """All servers' models are listed once; embeddings come from one that answers."""
    async with pool_of(servers) as pool:
        assert [model["id"] for model in (await pool.models())["data"]] == ["model-a", "model-b"]
        assert (await pool.embed({"input": "x"}))["data"]
        servers[0].models_act = DOWN
        assert [model["id"] for model in (await pool.models())["data"]] == ["model-b"]
        servers[1].models_act = DOWN
        with pytest.raises(UpstreamError):
            await pool.models()


@pytest.mark.parametrize("listed", [{}, {"data": None}, {"data": [7]}])
async def test_a_list_of_models_that_is_none_is_left_out(
    servers: tuple[FakeUpstream, FakeUpstream], listed: dict[str, Any]
) -> None:
    """One server's broken list does not hide the others' models; broken ones alone are the servers' fault."""
    async with pool_of(servers) as pool:
        servers[0].models_act = json_body(listed)
        assert [model["id"] for model in (await pool.models())["data"]] == ["model-b"]
        servers[1].models_act = json_body(listed)
        with pytest.raises(UpstreamError):
            await pool.models()


async def test_a_model_without_an_id_is_listed_too(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """As a single server's would be."""
    async with pool_of(servers) as pool:
        servers[0].models_act = json_body({"data": [{"object": "model"}]})
        assert [model.get("id") for model in (await pool.models())["data"]] == [None, "model-b"]


async def test_the_pool_can_do_what_all_can(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """A capability that one server lacks is not promised for all."""
    servers[1].play(golden("vllm_null"))
    async with AsyncExitStack() as stack:
        pool = Pool([(OpenAIBackend(UpstreamClient(server.url)), 1) for server in servers])
        stack.push_async_callback(pool.close)
        found = await pool.start()
    assert (found.logprobs, found.top_logprobs) == (False, 0)
    assert found.models == ("model-a", "model-b")


async def test_leaving_a_stream_ends_the_servers(servers: tuple[FakeUpstream, FakeUpstream]) -> None:
    """A client that goes stops the generation behind the pool."""
    async with pool_of(servers) as pool:
        servers[0].play(stream(load("openai")["chunks"] * 100, pause_s=0.05))
        async with aclosing(pool.stream(case())) as chunks:
            await anext(chunks)
        assert await asyncio.to_thread(servers[0].abandoned.wait, 10)
