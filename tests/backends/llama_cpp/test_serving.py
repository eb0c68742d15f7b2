"""A GGUF file served through the gate, asked by the official client."""

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.serving import Proxy, Serve

EVIDENCE = {"evidence": ["Hold metformin for 48 h after contrast where eGFR is below 30."]}
MESSAGES = [{"role": "user", "content": "How long is metformin held after contrast?"}]


@pytest.fixture
def proxy(serve: Serve, gguf: Path) -> Proxy:
    """Return a proxy that runs the model in its own process."""
    return serve(gguf=gguf)


@pytest.fixture
def client(proxy: Proxy) -> Any:
    """Return the official client, pointed at the proxy."""
    return proxy.client()


def test_an_answer_is_judged(client: Any) -> None:
    """The answer comes with its token probabilities, judged by confidence of full quality."""
    completion = client.chat.completions.create(
        model="tiny", messages=MESSAGES, temperature=0, max_tokens=12, logprobs=True, extra_body=EVIDENCE
    )
    choice, judged = completion.choices[0], completion.model_extra["gatekeeper"]
    assert judged["action"] == "annotate"
    assert judged["assessment"]["confidence"]["quality"] == "full"
    assert judged["backend"] == "llama_cpp"
    said = "".join(row.token for row in choice.logprobs.content)
    assert len(said) >= 12
    assert choice.message.content.startswith(said)
    assert (completion.usage.completion_tokens, choice.finish_reason) == (12, "length")


def test_a_stream_carries_the_same(client: Any) -> None:
    """Streamed, the same words arrive as in one piece."""
    asked = {
        "model": "tiny",
        "messages": MESSAGES,
        "temperature": 0,
        "max_tokens": 12,
        "extra_body": EVIDENCE,
    }
    whole = client.chat.completions.create(**asked).choices[0].message.content
    with client.chat.completions.create(**asked, stream=True) as chunks:
        said = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(said) == whole


def test_other_surfaces_are_served(client: Any) -> None:
    """The Responses and Completions APIs reach the same model."""
    response = client.responses.create(
        model="tiny", input=MESSAGES[0]["content"], temperature=0, max_output_tokens=8, extra_body=EVIDENCE
    )
    chat = client.chat.completions.create(
        model="tiny", messages=MESSAGES, temperature=0, max_tokens=8, extra_body=EVIDENCE
    )
    assert response.output_text == chat.choices[0].message.content
    text = client.completions.create(
        model="tiny", prompt="Once", temperature=0, max_tokens=8, extra_body=EVIDENCE
    )
    assert text.choices[0].text


def test_the_clients_errors_are_theirs(client: Any) -> None:
    """Too long a prompt is 400 with the code that clients know; tools are refused by name."""
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x" * 3000}])
    assert raised.value.code == "context_length_exceeded"
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    with pytest.raises(openai.BadRequestError, match="tools"):
        client.chat.completions.create(model="tiny", messages=MESSAGES, tools=[tool])


def test_the_model_is_listed_and_ready(proxy: Proxy, client: Any) -> None:
    """The proxy is ready once the file is loaded, and names it."""
    assert httpx.get(f"{proxy.url}/readyz").json()["backend"] == {"name": "llama_cpp", "healthy": True}
    assert [model.id for model in client.models.list()] == ["tiny"]
