"""Bounds, keys, failures and reloads: what happens when something is wrong."""

import asyncio
import signal
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import openai
import orjson
import pytest

from gatekeeper.assessment import Finding, Subject
from gatekeeper.audit import verify
from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.errors import AuditError, PolicyError
from gatekeeper.exchange import Case, Completion
from gatekeeper.gate import Gate
from gatekeeper.monitoring.logs import JsonLines
from gatekeeper.server.auth import new_key
from gatekeeper.server.selftest import fails_closed
from tests.processes import served, wait_for
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, ask, client_of, envelope, script_of
from tests.server.test_stream import Slow, Watched
from tests.serving import Proxy, Serve

Script = Callable[[str], Path]


def post(proxy: Proxy, **rest: Any) -> httpx.Response:
    """Send a chat request as plain HTTP."""
    return httpx.post(f"{proxy.url}/v1/chat/completions", timeout=10, **rest)


def error_of(response: httpx.Response) -> dict[str, Any]:
    """Return the error object, which must be in OpenAI's shape."""
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"{not json", "no valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "messages"),
        (b'{"messages": "hello"}', "messages"),
        (b'{"messages": [{"role": "user", "content": "x"}], "evidence": 7}', "evidence"),
    ],
)
def test_bad_requests_say_what_is_wrong(serve: Serve, body: bytes, hint: str) -> None:
    """A request that cannot be judged is 400 and names the field."""
    response = post(serve(), content=body)
    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"
    assert hint in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/audio/speech", 404),
        ("POST", "/v1/assistants", 404),
        ("GET", "/v1/files", 404),
        ("GET", "/", 404),
        ("GET", "/v1/chat/completions", 405),
    ],
)
def test_everything_else_is_refused(serve: Serve, method: str, path: str, status: int) -> None:
    """A path that the gate does not judge is refused and names what is served."""
    response = httpx.request(method, serve().url + path)
    assert response.status_code == status
    assert "/v1/chat/completions" in error_of(response)["message"]


@pytest.mark.parametrize(("path", "told"), [("/chat/completions", True), ("/audio/speech", False)])
def test_a_base_url_without_its_end_is_told(serve: Serve, path: str, *, told: bool) -> None:
    """Whoever left `/v1` out of the base URL reads so in the first error."""
    message = error_of(httpx.post(serve().url + path, json={}))["message"]
    assert ("is /v1 missing" in message) == told


def test_large_bodies_are_refused(serve: Serve) -> None:
    """A body over the limit is 413, whether its length is declared or not."""
    proxy = serve(max_body_bytes=1000)
    assert post(proxy, content=b"x" * 2000).status_code == 413
    assert post(proxy, content=iter([b"x" * 600, b"x" * 600])).status_code == 413


def test_keys_are_required_where_configured(serve: Serve, tmp_path: Path) -> None:
    """Without a valid key nothing is served but health and metrics."""
    keys = tmp_path / "keys"
    key = new_key("app", keys)
    proxy = serve(api_keys=keys)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert key not in keys.read_text()
    for given in ({}, {"authorization": "Bearer gk-wrong"}, {"authorization": f"Basic {key}"}):
        refused = post(proxy, json={}, headers=given)
        assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")
    client = proxy.client(api_key=key)
    assert [model.id for model in client.models.list()] == ["extractive-baseline"]
    assert httpx.get(f"{proxy.url}/healthz").text == "ok\n"


async def test_overload_is_503_with_retry_after(serve: Serve, script: Script) -> None:
    """With every place and the queue taken, a request is told when to come again."""
    backend = Slow(script(script_of({"answer": RIGHT, "confidence": 0.97})))
    proxy = serve(backend, max_concurrency=1, max_queue=1)
    body = {"model": "any", "messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE}
    async with httpx.AsyncClient(timeout=10) as client:
        url = f"{proxy.url}/v1/chat/completions"
        responses = await asyncio.gather(*(client.post(url, json=body) for _ in range(4)))
    assert sorted(response.status_code for response in responses) == [200, 200, 503, 503]
    refused = next(response for response in responses if response.status_code == 503)
    assert (refused.headers["retry-after"], error_of(refused)["code"]) == ("1", "overloaded")


def test_the_deadline_ends_a_request(serve: Serve, script: Script) -> None:
    """A model that takes too long is a 504, and its generation is cancelled."""
    backend = Watched(script(script_of({"answer": RIGHT})))
    response = post(
        serve(backend, deadline_s=0.2), json={"messages": [{"role": "user", "content": QUESTION}]}
    )
    assert (response.status_code, error_of(response)["code"]) == (504, "upstream_timeout")
    assert backend.cancelled


def test_no_decision_leaves_unrecorded(
    serve: Serve, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the decision log cannot be written, the answer does not leave."""
    proxy = serve(
        script=script(script_of({"answer": RIGHT, "confidence": 0.97})), audit_log=tmp_path / "log.jsonl"
    )
    decisions = proxy.runtime._log
    assert decisions is not None

    def full(record: object) -> None:
        raise AuditError("the decision log cannot be written", code="audit_unavailable")

    monkeypatch.setattr(decisions, "append", full)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(proxy)
    assert caught.value.status_code == 503
    assert RIGHT not in caught.value.response.text


def test_every_decision_is_in_the_log(serve: Serve, script: Script, tmp_path: Path) -> None:
    """The log of decisions verifies and names the decision that the client saw."""
    log = tmp_path / "log.jsonl"
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})), audit_log=log)
    judged = envelope(ask(proxy))
    assert verify(log).lines == 1
    record = orjson.loads(log.read_bytes())
    assert (record["id"], record["action"]) == (judged["decision_id"], "release")
    assert record["policy"] == judged["policy"]["digest"]


def test_a_changed_policy_takes_effect_and_a_broken_one_does_not(
    serve: Serve, script: Script, tmp_path: Path
) -> None:
    """Saving a policy swaps it in; saving a broken one keeps the last good one and is counted."""
    policy = tmp_path / "policy.yaml"
    shipped = Path("policies/default.yaml").read_text(encoding="utf-8")
    policy.write_text(shipped, encoding="utf-8")
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})), policy=policy)
    policy.write_text(shipped.replace("name: default", "name: changed"), encoding="utf-8")
    wait_for(lambda: envelope(ask(proxy))["policy"]["name"] == "changed")
    policy.write_text("name: broken\n", encoding="utf-8")
    wait_for(
        lambda: (
            'gatekeeper_policy_reloads_total{result="refused"} 1.0' in httpx.get(f"{proxy.url}/metrics").text
        )
    )
    assert envelope(ask(proxy))["policy"]["name"] == "changed"


class Hanging:
    """A check that never comes back."""

    name = "slots"
    inline = False

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Wait for ever."""
        await asyncio.sleep(3600)
        return ()


class Crashing(Hanging):
    """A check that fails with a message that quotes the patient's text."""

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        """Fail."""
        raise ValueError(subject.answer.content)


@pytest.mark.parametrize(("check", "kind"), [(Hanging(), "timeout"), (Crashing(), "error")])
def test_a_failing_check_holds_the_answer(
    serve: Serve, script: Script, check: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that hangs or crashes is `unavailable`, which the default policy escalates."""
    monkeypatch.setattr("gatekeeper.bundle.Slots", lambda: check)
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    judged = envelope(ask(proxy))
    assert judged["action"] == "escalate"
    assert "slots" in judged["assessment"]["unavailable"]
    assert "check_unavailable" in [reason["rule"] for reason in judged["reasons"]]
    metrics = httpx.get(f"{proxy.url}/metrics").text
    assert f'gatekeeper_check_failures_total{{check="slots",kind="{kind}"}} 1.0' in metrics


async def test_the_self_test_notices_a_gate_that_fails_open(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a broken check went unnoticed, the process would not start."""
    gate = serve().runtime.gate
    await fails_closed(gate)

    def open_gate(*_: object) -> list[Finding]:
        return []

    monkeypatch.setattr(Gate, "computed", open_gate)
    with pytest.raises(PolicyError, match="went unnoticed"):
        await fails_closed(gate)


CANARY = "ZZ-PATIENT-4711"


class Leaky(ScriptedBackend):
    """A backend that fails with a message that quotes the request."""

    async def complete(self, case: Case) -> Completion:
        """Fail with the patient's text in the message."""
        raise RuntimeError(CANARY)


def test_an_identifier_reaches_no_log_metric_or_error(
    serve: Serve, script: Script, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An identifier planted in question, evidence, answer and failure is in nothing that is kept."""
    log = tmp_path / "log.jsonl"
    answer = f"{RIGHT} The patient is {CANARY}."
    staged = script(script_of({"answer": answer, "confidence": 0.9}, match=CANARY))
    proxy = serve(script=staged, audit_log=log)
    ask(proxy, f"{QUESTION} {CANARY}", [*EVIDENCE, {"id": CANARY, "text": f"Notes on {CANARY}."}])
    leaky = serve(Leaky(staged))
    failed = post(leaky, json={"messages": [{"role": "user", "content": CANARY}], "user": CANARY})
    assert (failed.status_code, error_of(failed)["code"]) == (500, "internal_error")
    metrics = "".join(httpx.get(f"{at.url}/metrics").text for at in (proxy, leaky))
    assert verify(log).lines == 1
    for kept in (log.read_text(), failed.text, metrics):
        assert CANARY not in kept
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "gatekeeper"]
    assert any("RuntimeError" in line for line in lines)
    assert not any(CANARY in line for line in lines)


def test_health_and_readiness(serve: Serve) -> None:
    """`/readyz` names backend and policy."""
    ready = httpx.get(f"{serve().url}/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "backend": {"name": "extractive", "healthy": True},
        "policy": {"name": "default", "version": "1.0", "mode": "enforce"},
    }


def test_sigterm_drains(tmp_path: Path, script: Script) -> None:
    """On SIGTERM the process ends cleanly and the log is whole; SIGHUP before it does not end it."""
    log = tmp_path / "log.jsonl"
    staged = script(script_of({"answer": RIGHT, "confidence": 0.97}))
    with served(tmp_path, "--script", staged, "--audit-log", log) as gate:
        gate.process.send_signal(signal.SIGHUP)
        with openai.OpenAI(base_url=f"{gate.url}/v1", api_key="unused") as client:
            completion = client.chat.completions.create(
                model="any",
                messages=[{"role": "user", "content": QUESTION}],
                extra_body={"evidence": EVIDENCE},
            )
        assert completion.choices[0].message.content == RIGHT
        assert gate.stop() in {0, -signal.SIGTERM}
    assert "STAGED" in gate.output.read_text()
    assert verify(log).lines == 1


def test_client_of_is_unchanged_by_the_gate(serve: Serve) -> None:
    """Embeddings are refused by a backend that has none, in OpenAI's shape."""
    with pytest.raises(openai.NotFoundError):
        client_of(serve()).embeddings.create(model="any", input="text")
