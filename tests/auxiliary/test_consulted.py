"""Auxiliary calls reach the model itself, within their bounds, and come back as probabilities or problems."""

import asyncio
import threading
from collections.abc import AsyncIterator
from math import exp, log
from typing import Any

import pytest
from aiohttp import web

from gatekeeper.auxiliary import Consulted, DrawCall, LabelCall, Problem, Whom
from gatekeeper.auxiliary.consulted import label_logprobs
from gatekeeper.backends.extractive import ExtractiveBackend
from gatekeeper.backends.openai_http import OpenAIBackend
from gatekeeper.backends.upstream import UpstreamClient
from gatekeeper.wire.completion import parse_chat_completion
from tests.backends.conftest import case, upstream
from tests.fake_upstream import Act, FakeUpstream, golden, hang, json_body, status, unless
from tests.judging import one_token

__all__ = ["upstream"]

REFUSAL = status(400, message="logprobs are not supported")
LETTERS = {"A": 0.7, "B": 0.2, "C": 0.1}


def call(text: str = "Which?", *labels: str) -> LabelCall:
    """Return a call about one message."""
    return LabelCall("judge", Whom.JUDGE, ({"role": "user", "content": text},), labels or ("A", "B", "C"))


@pytest.fixture
async def model(upstream: FakeUpstream) -> AsyncIterator[OpenAIBackend]:
    """Yield a backend before a server that gives three alternatives."""
    upstream.play(json_body(one_token(LETTERS)))
    backend = OpenAIBackend(UpstreamClient(upstream.url, retries=0), fingerprint="q4")
    await backend.start()
    upstream.received.clear()
    yield backend
    await backend.close()


async def test_labels_are_read_from_one_token(model: OpenAIBackend, upstream: FakeUpstream) -> None:
    """One token is generated, greedily, with as many alternatives as the server was seen to give."""
    (reading,) = await Consulted(model).label([call()], 5)
    assert [exp(one) for one in reading.logprobs] == pytest.approx(list(LETTERS.values()))
    assert reading.fingerprint == "openai:judge-model#q4"
    (body,) = upstream.chats
    assert (body["max_tokens"], body["temperature"], body["top_logprobs"]) == (1, 0, 3)
    assert body["messages"] == [{"role": "user", "content": "Which?"}]


async def test_switches_of_the_server_are_sent_along(model: OpenAIBackend, upstream: FakeUpstream) -> None:
    """A model that would think first is told not to, and nothing of the call itself can be overwritten."""
    switch = {"chat_template_kwargs": {"enable_thinking": False}, "max_tokens": 99}
    await Consulted(model, extra=switch).label([call()], 5)
    assert upstream.chats[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert upstream.chats[0]["max_tokens"] == 1


async def test_a_missing_label_stands_at_its_upper_bound(
    model: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """A letter outside the alternatives is at most as likely as the last of them, and never impossible."""
    upstream.play(json_body(one_token({"A": 0.7, "B": 0.2, "X": 0.02})))
    (reading,) = await Consulted(model).label([call()], 5)
    assert [exp(one) for one in reading.logprobs] == pytest.approx([0.7, 0.2, 0.02])


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (json_body(one_token({"The": 0.9, "It": 0.1})), Problem.LOGPROBS),
        (json_body(one_token({"<think>": 0.99, "A": 1e-4, "B": 1e-5})), Problem.LOGPROBS),
        (golden("vllm_null"), Problem.LOGPROBS),
        (unless(lambda body: "logprobs" in body, REFUSAL, golden("vllm_null")), Problem.LOGPROBS),
        (status(500), Problem.ERROR),
        (status(400), Problem.REFUSED),
        (json_body({"choices": []}), Problem.ERROR),
        (hang(), Problem.TIMEOUT),
    ],
)
async def test_what_goes_wrong_is_a_problem(
    model: OpenAIBackend, upstream: FakeUpstream, act: Act, problem: Problem
) -> None:
    """No failure reads as a probability, and none is raised."""
    upstream.play(act)
    (reading,) = await Consulted(model).label([call()], 0.5)
    assert (reading.logprobs, reading.problem) == ((), problem)


async def test_the_deadline_keeps_what_came_in_time(model: OpenAIBackend, upstream: FakeUpstream) -> None:
    """One call that hangs is given up and its connection closed; the answered ones count."""
    slow = unless(lambda body: "slow" in str(body), hang(), json_body(one_token(LETTERS)))
    upstream.play(slow)
    found = await Consulted(model).label([call("first"), call("slow"), call("third")], 1.0)
    assert [one.problem for one in found] == [None, Problem.TIMEOUT, None]
    assert upstream.abandoned.wait(5)


async def test_a_cancelled_request_takes_its_calls_along(
    model: OpenAIBackend, upstream: FakeUpstream
) -> None:
    """Nobody goes on generating for a client that has gone."""
    upstream.play(hang())
    upstream.asked.clear()
    running = asyncio.create_task(Consulted(model).label([call()], 30))
    await asyncio.to_thread(upstream.asked.wait, 5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await asyncio.to_thread(upstream.abandoned.wait, 5)


async def test_only_so_many_calls_run_at_once(model: OpenAIBackend, upstream: FakeUpstream) -> None:
    """A long answer does not flood the server."""
    running, most, lock = 0, 0, threading.Lock()

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.02)
        running -= 1
        return web.json_response(one_token(LETTERS))

    upstream.play(act)
    found = await Consulted(model, most=2).label([call(str(number)) for number in range(8)], 30)
    assert len([one for one in found if one.logprobs]) == 8
    assert most == 2


async def test_a_second_model_judges(model: OpenAIBackend, upstream: FakeUpstream) -> None:
    """With a judge of its own, the served model is not asked what it thinks of itself."""
    both = Consulted(ExtractiveBackend(), model)
    (reading,) = await both.label([call()], 5)
    assert reading.fingerprint == "openai:judge-model#q4"
    (drawn,) = await both.draw([DrawCall("samples", case())], 5)
    assert drawn.fingerprint == ExtractiveBackend().fingerprint


async def test_the_retrieval_baseline_has_no_opinion() -> None:
    """It would name a letter by word overlap, which is no reading."""
    (reading,) = await Consulted(ExtractiveBackend()).label([call()], 5)
    assert (reading.logprobs, reading.problem) == ((), Problem.LOGPROBS)


def test_spellings_of_a_letter_count_together() -> None:
    """`A`, ` A` and `(A` are one answer."""
    body = one_token({"A": 0.4, " A": 0.3, "(A": 0.1, "B": 0.15}, seen=4)
    (answer,) = parse_chat_completion(body).answers
    found = label_logprobs(answer, ("A", "B"))
    assert found == pytest.approx((log(0.8), log(0.15)))


def test_a_calls_name_follows_its_content() -> None:
    """The same question has the same key, whoever asks it, and any other question another."""
    assert call().key == LabelCall("options", Whom.JUDGE, call().messages, call().labels).key
    others = [
        call("Else?"),
        call("Which?", "A", "B"),
        LabelCall("judge", Whom.SERVED, call().messages, call().labels),
    ]
    assert len({call().key, *(other.key for other in others)}) == 4
