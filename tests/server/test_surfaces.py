"""The completions and responses surfaces: judged like chat, through the official client."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, client_of, script_of
from tests.serving import Proxy, Serve

Script = Callable[[str], Path]
MESSAGE = "This answer is held for review by a clinician."


@pytest.fixture(params=[True, False], ids=["right", "wrong"])
def proxy(request: pytest.FixtureRequest, serve: Serve, script: Script) -> tuple[Proxy, str, bool]:
    """Return a proxy, what it should deliver, and whether that is the answer."""
    answer = RIGHT if request.param else WRONG
    staged = script(script_of({"answer": answer, "confidence": 0.97}))
    return serve(script=staged), RIGHT if request.param else MESSAGE, request.param


def judged(reply: Any) -> dict[str, Any]:
    """Return the `gatekeeper` object."""
    found: dict[str, Any] = reply.model_extra["gatekeeper"]
    return found


def test_completions(proxy: tuple[Proxy, str, bool]) -> None:
    """A text completion is judged, and held like any other."""
    server, delivered, right = proxy
    reply = client_of(server).completions.create(
        model="any", prompt=QUESTION, logprobs=2, extra_body={"evidence": EVIDENCE}
    )
    (choice,) = reply.choices
    assert choice.text == delivered
    assert choice.finish_reason == ("stop" if right else "content_filter")
    assert (choice.logprobs is not None) is right
    assert judged(reply)["action"] == ("release" if right else "escalate")


def test_completions_stream(proxy: tuple[Proxy, str, bool]) -> None:
    """A streamed text completion says nothing before its verdict."""
    server, delivered, _ = proxy
    stream = client_of(server).completions.create(
        model="any", prompt=QUESTION, stream=True, extra_body={"evidence": EVIDENCE}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == delivered
    assert "gatekeeper" in (chunks[-1].model_extra or {})


def test_responses(proxy: tuple[Proxy, str, bool]) -> None:
    """A response is judged; a held one carries the policy's message and no word of the answer."""
    server, delivered, right = proxy
    reply = client_of(server).responses.create(
        model="any", input=QUESTION, instructions="Be brief.", extra_body={"evidence": EVIDENCE}
    )
    assert reply.output_text == delivered
    assert reply.status == "completed"
    assert (reply.incomplete_details is None) is right
    assert judged(reply)["action"] == ("release" if right else "escalate")
    assert right or "36 months" not in orjson.dumps(reply.model_dump(include={"output"})).decode()


def test_responses_stream(proxy: tuple[Proxy, str, bool]) -> None:
    """The official client's event stream ends in `response.completed`, which carries the object."""
    server, delivered, _ = proxy
    stream = client_of(server).responses.create(
        model="any", input=QUESTION, stream=True, extra_body={"evidence": EVIDENCE}
    )
    events = list(stream)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == delivered
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert judged(last.response)["action"] in {"release", "escalate"}
    assert last.response.output_text == delivered


def test_tool_results_are_evidence(serve: Serve, script: Script) -> None:
    """In the responses surface a function's output is evidence for what is said after it."""
    server = serve(script=script(script_of({"answer": WRONG, "confidence": 0.97})))
    reply = client_of(server).responses.create(
        model="any",
        input=[
            {"role": "user", "content": QUESTION},
            {"type": "function_call", "call_id": "c1", "name": "search", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": EVIDENCE[0]},
        ],
    )
    assert judged(reply)["evidence"] == {
        "state": "supplied",
        "documents": 1,
        "extractors": ["tool_message"],
        "conflicts": [],
    }
    assert judged(reply)["action"] == "escalate"


def test_tool_calls_are_items(serve: Serve, script: Script) -> None:
    """A released tool call is a function call item."""
    call = {"name": "lookup", "arguments": '{"text": "follow-up CT is due at 6 to 12 months"}'}
    answer = {"answer": RIGHT, "confidence": 0.97, "tool_calls": [call], "finish_reason": "tool_calls"}
    reply = client_of(serve(script=script(script_of(answer)))).responses.create(
        model="any", input=QUESTION, extra_body={"evidence": EVIDENCE}
    )
    kinds = [item.type for item in reply.output]
    assert kinds == ["message", "function_call"]
    assert reply.output[1].to_dict()["name"] == "lookup"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("responses", {"input": "x", "previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"input": "x", "background": True}, "background"),
        ("responses", {"input": []}, "input"),
        ("responses", {"input": [{"type": "web_search_call"}]}, "input[0].type"),
        ("completions", {"prompt": ["a", "b"]}, "prompt"),
        ("completions", {"prompt": [1, 2]}, "prompt"),
        ("completions", {"prompt": "x", "echo": True}, "echo"),
        ("completions", {"prompt": "x", "suffix": "y"}, "suffix"),
    ],
)
def test_what_cannot_be_judged_is_refused(serve: Serve, path: str, body: dict[str, Any], field: str) -> None:
    """A request whose answer could not be judged is 400 and names the field."""
    reply = httpx.post(f"{serve().url}/v1/{path}", json=body)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, field)


def test_models_of_the_embedded_backend(serve: Serve) -> None:
    """The embedded baseline names itself as what it is."""
    with openai.OpenAI(base_url=f"{serve().url}/v1", api_key="unused") as client:
        assert [model.id for model in client.models.list()] == ["extractive-baseline"]
