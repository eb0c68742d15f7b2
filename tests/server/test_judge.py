"""Answers judged by a model over HTTP, as an application sees them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gatekeeper.assessment import Verdict
from gatekeeper.errors import PolicyError
from gatekeeper.server.selftest import fails_closed
from tests.fake_upstream import FakeUpstream, hang, spoken, status
from tests.judging import believing, judging
from tests.serving import Proxy, Serve

ANSWER = "Contrast is warmed before it is given."
EVIDENCE = ["Contrast medium is given at room temperature."]
CHECKS = "slots: {enabled: false}, confidence: {enabled: false}, hedging: {enabled: false}"
POLICY = f"""
name: judged
version: "1"
checks:
  {{{CHECKS}, judge: {{enabled: true, deadline_s: 1, timeout_s: 5, unavailable: abstain}}}}
rules:
  - id: judged-wrong
    when: {{judge.p_contradicted: {{at_least: 0.5}}}}
    then: escalate
    unavailable: skip
"""
WRONG = judging(believing(warmed=Verdict.CONTRADICTED), otherwise=spoken(ANSWER))
RIGHT = judging(believing(warmed=Verdict.SUPPORTED), otherwise=spoken(ANSWER))


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    """Yield the model server."""
    with FakeUpstream() as server:
        yield server


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """Return the file of a policy that asks the model alone."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, encoding="utf-8")
    return path


def ask(proxy: Proxy, headers: dict[str, str] | None = None) -> httpx.Response:
    """Ask one question."""
    body = {"messages": [{"role": "user", "content": "How is contrast given?"}], "evidence": EVIDENCE}
    return httpx.post(f"{proxy.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


def decided(proxy: Proxy) -> dict[str, Any]:
    """Return what the gate says of its decision."""
    said: dict[str, Any] = ask(proxy).json()["gatekeeper"]
    return said


def test_the_served_model_holds_its_own_wrong_answer(
    serve: Serve, upstream: FakeUpstream, policy: Path
) -> None:
    """The model that answered reads the evidence again, claim by claim, and its answer is held."""
    upstream.play(WRONG)
    proxy = serve(upstream=(upstream.url,), policy=policy)
    said = decided(proxy)
    assert (said["action"], said["reasons"][0]["rule"]) == ("escalate", "judged-wrong")
    assert [claim["detector"] for claim in said["assessment"]["claims"]] == ["judge"]
    upstream.play(RIGHT)
    assert decided(proxy)["action"] == "release"


def test_a_second_model_is_asked_instead(serve: Serve, upstream: FakeUpstream, policy: Path) -> None:
    """With --judge-upstream the served model answers, and another one judges."""
    with FakeUpstream() as judge:
        judge.play(WRONG)
        upstream.play(RIGHT)
        proxy = serve(upstream=(upstream.url,), judge_upstream=f"{judge.url}=1#q8", policy=policy)
        for server in (judge, upstream):
            server.received.clear()
        assert decided(proxy)["action"] == "escalate"
        assert (len(upstream.chats), len(judge.chats)) == (1, 3)


@pytest.mark.parametrize("act", [status(500), hang()], ids=["failing", "hanging"])
def test_a_judge_that_does_not_answer_is_unavailable(
    serve: Serve, upstream: FakeUpstream, policy: Path, act: Any
) -> None:
    """The policy's action for the missing check follows, and the metrics say why."""
    upstream.play(judging(believing(), otherwise=spoken(ANSWER)))
    with FakeUpstream() as judge:
        judge.play(WRONG)
        proxy = serve(upstream=(upstream.url,), judge_upstream=judge.url, policy=policy)
        judge.play(act)
        said = decided(proxy)
        assert (said["action"], said["reasons"][0]["rule"]) == ("abstain", "check_unavailable")
        exposed = httpx.get(f"{proxy.url}/metrics").text
    failures = [
        line
        for line in exposed.splitlines()
        if 'check_failures_total{check="judge"' in line and "_total{" in line
    ]
    assert sum(float(line.split()[-1]) for line in failures) == 1.0


def test_waiting_for_the_judge_is_the_checks_time(serve: Serve, upstream: FakeUpstream, policy: Path) -> None:
    """What the judge takes is not put down to the model server's answer."""
    upstream.play(judging(believing(), otherwise=spoken(ANSWER)))
    with FakeUpstream() as judge:
        judge.play(WRONG)
        proxy = serve(upstream=(upstream.url,), judge_upstream=judge.url, policy=policy)
        judge.play(hang())
        decided(proxy)
        lines = httpx.get(f"{proxy.url}/metrics").text.splitlines()
    seconds = {line.split()[0]: float(line.split()[1]) for line in lines if "_sum" in line}
    assert seconds['gatekeeper_check_duration_seconds_sum{check="judge"}'] >= 1.0
    assert seconds["gatekeeper_upstream_duration_seconds_sum"] < 1.0


def test_a_gate_is_no_judge(serve: Serve, upstream: FakeUpstream, policy: Path) -> None:
    """Pointed at a gate, the judge is refused at once: judging does not call for judging without end."""
    upstream.play(RIGHT)
    inner = serve(upstream=(upstream.url,), policy=policy)
    assert ask(inner, {"X-Gatekeeper-Judge": "1"}).status_code == 400
    upstream.received.clear()
    outer = serve(upstream=(upstream.url,), judge_upstream=f"{inner.url}/v1", policy=policy)
    upstream.received.clear()
    assert decided(outer)["action"] == "abstain"
    assert len(upstream.chats) == 1


def test_judging_leaves_no_trace_in_the_log(
    serve: Serve, upstream: FakeUpstream, policy: Path, tmp_path: Path
) -> None:
    """One request is one decision on record, with the judge's numbers and no word of its prompts."""
    upstream.play(WRONG)
    log = tmp_path / "decisions.jsonl"
    proxy = serve(upstream=(upstream.url,), policy=policy, audit_log=log)
    decided(proxy)
    (line,) = [orjson.loads(line) for line in log.read_bytes().splitlines() if b'"decision"' in line]
    signals = str(line)
    assert "judge.p_contradicted" in signals
    assert "Evidence" not in signals
    assert "warmed" not in signals


async def test_the_self_test_notices_a_judge_that_fails_open(
    serve: Serve, upstream: FakeUpstream, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a silent model passed for support, the process would not start."""
    upstream.play(RIGHT)
    gate = serve(upstream=(upstream.url,), policy=policy).runtime.gate
    await fails_closed(gate)
    silenced: Callable[..., list[Any]] = lambda opinions: []  # noqa: E731 - shorter than a function
    monkeypatch.setattr("gatekeeper.checks.judge._signals", silenced)
    with pytest.raises(PolicyError, match="'judge' went unnoticed"):
        await fails_closed(gate)
