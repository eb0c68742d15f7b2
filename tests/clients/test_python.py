"""Applications change their base URL and nothing else."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import openai
import orjson
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, script_of
from tests.serving import Serve

Script = Callable[[str], Path]
IN_PROMPT = f"<context>{EVIDENCE[0]}</context>\n{QUESTION}"


async def test_async_client(serve: Serve, script: Script) -> None:
    """The asynchronous official client works, streaming included."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="unused") as client:
        stream = await client.chat.completions.create(
            model="any",
            messages=[{"role": "user", "content": QUESTION}],
            extra_body={"evidence": EVIDENCE},
            stream=True,
        )
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(pieces) == RIGHT


@pytest.mark.parametrize(("answer", "delivered"), [(RIGHT, True), (WRONG, False)])
def test_langchain(serve: Serve, script: Script, answer: str, *, delivered: bool) -> None:
    """LangChain's ChatOpenAI gets judged answers from evidence that stands in the prompt."""
    proxy = serve(script=script(script_of({"answer": answer, "confidence": 0.97})))
    model = ChatOpenAI(model="any", base_url=f"{proxy.url}/v1", api_key=SecretStr("unused"))
    reply = model.invoke(IN_PROMPT)
    assert (reply.content == answer) is delivered
    streamed = "".join(str(chunk.content) for chunk in model.stream(IN_PROMPT))
    assert (streamed == answer) is delivered


def test_curl(serve: Serve, script: Script) -> None:
    """A plain HTTP client gets the answer and the object beside it."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    body = orjson.dumps({"messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE})
    command = ["curl", "-s", f"{proxy.url}/v1/chat/completions", "-H", "content-type: application/json"]
    done = subprocess.run([*command, "-d", body], capture_output=True, check=True)
    reply = orjson.loads(done.stdout)
    assert reply["choices"][0]["message"]["content"] == RIGHT
    assert reply["gatekeeper"]["action"] == "release"
