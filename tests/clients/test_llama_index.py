"""LlamaIndex, whose own prompts carry the evidence: run where it is installed beside the `dev` extra.

It needs an `openai` below 3, so the locks leave it out:

    pip install -e ".[dev]" llama-index-llms-openai-like
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, script_of
from tests.server.test_surfaces import MESSAGE
from tests.serving import Serve

openai_like = pytest.importorskip("llama_index.llms.openai_like", reason="needs LlamaIndex: see this file")
llms = pytest.importorskip("llama_index.core.base.llms.types")
schema = pytest.importorskip("llama_index.core.schema")
synthesizers = pytest.importorskip("llama_index.core.response_synthesizers")

Script = Callable[[str], Path]
Said = tuple[Any, str, str]


@pytest.fixture(params=[True, False], ids=["right", "wrong"])
def said(request: pytest.FixtureRequest, serve: Serve, script: Script) -> Said:
    """Return LlamaIndex's model, what the proxy should deliver, and its action."""
    answer = RIGHT if request.param else WRONG
    proxy = serve(script=script(script_of({"answer": answer, "confidence": 0.97})))
    model = openai_like.OpenAILike(
        model="any", api_base=f"{proxy.url}/v1", api_key="unused", is_chat_model=True, max_retries=0
    )
    return (model, RIGHT, "release") if request.param else (model, MESSAGE, "escalate")


def messages() -> list[Any]:
    """Return a question for which the application has put the evidence into tags."""
    content = f"<context>{EVIDENCE[0]}</context>\n{QUESTION}"
    return [llms.ChatMessage(role="user", content=content)]


def test_chat(said: Said) -> None:
    """A chat is judged, and the object beside it stands in the raw reply."""
    model, delivered, action = said
    reply = model.chat(messages())
    assert reply.message.content == delivered
    assert reply.raw.model_extra["gatekeeper"]["action"] == action


def test_chat_stream(said: Said) -> None:
    """A streamed chat says what a whole one says."""
    model, delivered, _ = said
    assert "".join(piece.delta or "" for piece in model.stream_chat(messages())) == delivered


async def test_async_chat(said: Said) -> None:
    """The asynchronous methods work, streaming included."""
    model, delivered, _ = said
    reply = await model.achat(messages())
    pieces = [piece.delta or "" async for piece in await model.astream_chat(messages())]
    assert (reply.message.content, "".join(pieces)) == (delivered, delivered)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("mode", ["compact", "refine", "tree_summarize", "simple_summarize"])
def test_query(said: Said, mode: str, *, streaming: bool) -> None:
    """What a query engine retrieved is found in LlamaIndex's own prompt, and judges the answer."""
    model, delivered, _ = said
    nodes = [schema.NodeWithScore(node=schema.TextNode(text=text), score=1.0) for text in EVIDENCE]
    synthesizer = synthesizers.get_response_synthesizer(llm=model, response_mode=mode, streaming=streaming)
    assert str(synthesizer.synthesize(QUESTION, nodes=nodes)) == delivered


def test_refined_query(said: Said) -> None:
    """The prompt that refines an answer with a second passage carries its passage too."""
    model, delivered, _ = said
    passages = [EVIDENCE[0], EVIDENCE[0].replace("For a", "In general, for a")]
    nodes = [schema.NodeWithScore(node=schema.TextNode(text=text), score=1.0) for text in passages]
    synthesizer = synthesizers.get_response_synthesizer(llm=model, response_mode="refine")
    assert str(synthesizer.synthesize(QUESTION, nodes=nodes)) == delivered
