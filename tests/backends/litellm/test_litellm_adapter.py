"""Providers behind litellm are asked what was meant, believed in what they show, and quoted in nothing."""

import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from gatekeeper.backends.litellm_adapter import LiteLLMBackend
from gatekeeper.errors import ConfigurationError, InvalidRequest, NotSupported, UpstreamError, UpstreamTimeout
from gatekeeper.exchange import Answer, LogprobQuality, Surface
from gatekeeper.wire.chunks import fold
from gatekeeper.wire.surfaces import WIRES
from tests.backends.conftest import case
from tests.fake_upstream import CANARY, FakeUpstream, golden, hang, status, unless
from tests.serving import Serve

# litellm reads pydantic's old attributes on every chunk of a stream.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

OFFLINE = """
import asyncio, logging, socket, sys

class Guard(socket.socket):
    def connect(self, *address):
        raise SystemExit(f"connects to {address}")

def no_names(*arguments, **options):
    raise SystemExit(f"looks up {arguments}")

socket.socket, socket.getaddrinfo = Guard, no_names

import gatekeeper.server.backend
assert "litellm" not in sys.modules, "litellm is imported where nobody asked for it"

from gatekeeper.backends.litellm_adapter import _load
litellm = _load()
assert litellm.telemetry is False
assert not logging.getLogger("LiteLLM").isEnabledFor(logging.CRITICAL)
assert litellm.get_supported_openai_params("anthropic/claude-sonnet-4-5")
"""


@asynccontextmanager
async def provider(upstream: FakeUpstream, **options: Any) -> AsyncIterator[LiteLLMBackend]:
    """Yield a started backend whose provider is the fake one."""
    backend = LiteLLMBackend("openai/big", api_base=upstream.url, api_key="s3cret", **options)
    await backend.start()
    upstream.received.clear()
    yield backend
    await backend.close()


def asks_for_logprobs(body: dict[str, Any]) -> bool:
    """Return whether a request asks for token probabilities."""
    return bool(body.get("logprobs"))


def answer_of(body: Any) -> Answer:
    """Return the only answer of a body."""
    (answer,) = WIRES[Surface.CHAT].parse_answer(body).answers
    return answer


def test_it_calls_out_to_nobody(tmp_path: Any) -> None:
    """Importing litellm opens no connection, reads no .env file and leaves its logger silent."""
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-a-file\n")
    check = textwrap.dedent(OFFLINE) + "import os; assert 'OPENAI_API_KEY' not in os.environ\n"
    asked = [sys.executable, "-c", check]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_an_answer_keeps_its_probabilities(upstream: FakeUpstream) -> None:
    """Text, token probabilities, ids and usage survive the way through litellm."""
    upstream.play(golden("openai"))
    async with provider(upstream, fingerprint="as-declared") as backend:
        completion = await backend.complete(case("Metformin?", temperature=0, user="u-1"))
    (answer,) = completion.answers
    assert (answer.content, answer.quality) == ("Hold metformin.", LogprobQuality.FULL)
    assert completion.raw["id"] == "chatcmpl-C1"
    assert completion.fingerprint == backend.fingerprint == "litellm:gpt-4o-mini-2024-07-18#as-declared"
    (sent,) = upstream.chats
    assert sent.keys() == {"model", "messages", "temperature", "logprobs", "top_logprobs"}
    assert upstream.received[0].headers["Authorization"] == "Bearer s3cret"


async def test_a_stream_adds_up_to_the_same(upstream: FakeUpstream) -> None:
    """Streamed, the same text and token probabilities arrive."""
    upstream.play(golden("openai"))
    async with provider(upstream) as backend:
        async with aclosing(backend.stream(case("Metformin?"))) as chunks:
            streamed = answer_of(fold([chunk async for chunk in chunks]))
        whole = (await backend.complete(case("Metformin?"))).answers[0]
    assert (streamed.content, streamed.tokens) == (whole.content, whole.tokens)


async def test_a_provider_without_probabilities_still_serves(upstream: FakeUpstream) -> None:
    """Where they are refused the answer comes without, and start-up says so."""
    upstream.play(unless(asks_for_logprobs, status(400), golden("vllm_null")))
    backend = LiteLLMBackend("openai/big", api_base=upstream.url, api_key="s3cret")
    found = await backend.start()
    assert (found.logprobs, found.top_logprobs) == (False, 0)
    assert "no token probabilities" in found.notes[0]
    (answer,) = (await backend.complete(case())).answers
    assert answer.quality is LogprobQuality.UNAVAILABLE
    await backend.close()


async def test_a_provider_that_is_away_is_taken_by_its_description(upstream: FakeUpstream) -> None:
    """The gate starts before its provider does."""
    upstream.play(status(503))
    async with provider(upstream) as backend:
        assert backend.fingerprint is None
        assert await backend.healthy()
        upstream.play(golden("openai"))
        assert (await backend.complete(case())).answers[0].quality is LogprobQuality.FULL


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (status(400), 400),
        (status(401), 401),
        (status(403), 403),
        (status(404), 404),
        (status(429), 429),
        (status(500), 500),
        (status(503), 503),
    ],
)
async def test_errors_keep_status_and_lose_text(
    upstream: FakeUpstream, act: Any, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """A provider's error keeps its status; what it quotes stays behind, and is printed nowhere."""
    upstream.play(golden("openai"))
    async with provider(upstream) as backend:
        upstream.play(act)
        for failing in (backend.complete(case(CANARY)), anext(backend.stream(case(CANARY)))):
            with pytest.raises(UpstreamError) as raised:
                await failing
            assert raised.value.status == code
            assert CANARY not in str(raised.value)
            assert raised.value.__cause__ is None
    assert CANARY not in "".join(capfd.readouterr())


async def test_a_provider_that_hangs_is_given_up(upstream: FakeUpstream) -> None:
    """After the deadline it is a timeout."""
    upstream.play(golden("openai"))
    async with provider(upstream, deadline_s=0.3) as backend:
        upstream.play(hang())
        with pytest.raises(UpstreamTimeout):
            await backend.complete(case())


@pytest.mark.parametrize(
    "field", ["api_base", "api_key", "fallbacks", "mock_response", "extra_headers", "guided_json"]
)
async def test_a_request_cannot_steer_litellm(upstream: FakeUpstream, field: str) -> None:
    """Fields that litellm would act on itself, or that nobody knows, are refused by name."""
    upstream.play(golden("openai"))
    wish: dict[str, Any] = {field: "http://127.0.0.1:1"}
    async with provider(upstream) as backend:
        with pytest.raises(InvalidRequest) as raised:
            await backend.complete(case(**wish))
    assert (raised.value.param, upstream.chats) == (field, [])


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x.png"}},
        {"type": "image_url", "image_url": "http://127.0.0.1:1/x.png"},
        {"type": "file", "file": {"file_id": "http://127.0.0.1:1/x.pdf"}},
    ],
)
async def test_nothing_is_fetched_for_a_client(upstream: FakeUpstream, part: dict[str, Any]) -> None:
    """An address in a message is never followed from here; an inline image is handed on."""
    upstream.play(golden("openai"))
    inline = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    async with provider(upstream) as backend:
        with pytest.raises(InvalidRequest):
            await backend.complete(case(messages=[{"role": "user", "content": [part]}]))
        assert upstream.chats == []
        await backend.complete(case(messages=[{"role": "user", "content": [inline]}]))
    assert upstream.chats[0]["messages"][0]["content"] == [inline]


async def test_an_option_that_a_provider_lacks_is_the_clients(upstream: FakeUpstream) -> None:
    """An option is never dropped without a word."""
    backend = LiteLLMBackend("ollama/llama3", api_base=upstream.url)
    await backend.start()
    with pytest.raises(InvalidRequest):
        await backend.complete(case(presence_penalty=1))
    await backend.close()


async def test_only_chat_is_served(upstream: FakeUpstream) -> None:
    """Other surfaces are refused with a word on what is served."""
    upstream.play(golden("openai"))
    asked = case()
    responses = WIRES[Surface.RESPONSES].parse_request({"input": "x"})
    async with provider(upstream) as backend:
        with pytest.raises(NotSupported, match="chat/completions"):
            await backend.complete(type(asked)(responses, asked.evidence, asked.query))
        with pytest.raises(NotSupported):
            await backend.embed({})
        assert [model["id"] for model in (await backend.models())["data"]] == ["openai/big"]


async def test_an_unknown_provider_stops_the_start() -> None:
    """A misspelt provider is an error of configuration that shows how it is written."""
    with pytest.raises(ConfigurationError, match="PROVIDER/MODEL"):
        await LiteLLMBackend("nobody/x").start()


async def test_nothing_is_asked_before_the_start() -> None:
    """A backend that was not started is not ready and says so."""
    backend = LiteLLMBackend("openai/big")
    assert not await backend.healthy()
    with pytest.raises(UpstreamError):
        await backend.complete(case())
    await backend.close()


def test_it_serves(upstream: FakeUpstream, serve: Serve) -> None:
    """From `--litellm` to the official client, the answer is judged."""
    upstream.play(golden("openai"))
    proxy = serve(litellm="openai/big", litellm_api_base=upstream.url, upstream_api_key="s3cret")
    client: Any = proxy.client()
    completion = client.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Metformin?"}],
        extra_body={"evidence": ["Hold metformin."]},
    )
    assert completion.choices[0].message.content.startswith("Hold metformin.")
    assert completion.model_extra["gatekeeper"]["backend"] == "litellm"
