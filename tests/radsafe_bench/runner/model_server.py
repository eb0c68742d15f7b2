"""A model server that answers the suite's questions, plans, takes notes, counts tokens and has bad days."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from radsafe_bench.conditions.prompt import NOTE, PLAN, REPORT, SYSTEM
from tests.fake_upstream import CANARY, Act, FakeUpstream

MODEL = "fake-model"


@dataclass(slots=True)
class ModelServer(FakeUpstream):
    """`window` is listed as vLLM does; `count_field` is the field of `/tokenize` that is understood."""

    window: int | None = None
    count_field: str | None = None
    tokenized: int = 0

    def __post_init__(self) -> None:
        """Answer like a model until told otherwise."""
        self.play(model())

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The bodies that put a question of the suite."""
        return [body for body in self.chats if asks_a_question(body)]

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/tokenize" and self.count_field:
            self.tokenized += 1
            text = (await request.json()).get(self.count_field, "")
            return web.json_response({"tokens": list(range(len(text.split())))})
        if request.path == "/v1/models" and self.window:
            listed = {"id": MODEL, "owned_by": "vllm", "max_model_len": self.window}
            return web.json_response({"data": [listed]})
        return await FakeUpstream._answer(self, request)


def asks_a_question(body: dict[str, Any]) -> bool:
    """Whether a body puts a question of the suite."""
    return bool(body["messages"][0]["content"] == SYSTEM)


def model(
    *, delay_s: float = 0.0, served: str = MODEL, says: Callable[[dict[str, Any]], str] | None = None
) -> Act:
    """Answer as a model that follows instructions; its letters depend on prompt and seed alone."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(delay_s)
        text = (says or said)(body)
        row = {"token": text, "logprob": -0.1, "bytes": None}
        logprobs = {"content": [{**row, "top_logprobs": [row]}]} if body.get("logprobs") else None
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": logprobs}
        return web.json_response(
            {"object": "chat.completion", "model": served, "choices": [{**choice, "finish_reason": "stop"}]}
        )

    return act


def said(body: dict[str, Any]) -> str:
    """Return a plan, notes, a report, or the letter of an option."""
    system, user = body["messages"][0]["content"], body["messages"][-1]["content"]
    digest = hashlib.sha256(f"{user} {body.get('seed')}".encode()).digest()
    plain = {
        PLAN: "A: waiting time\nB: MR imaging",
        NOTE: "The passages name a waiting time.",
        REPORT: f"Report {digest.hex()[:8]}.",
    }
    return plain.get(system, "ABCD"[digest[0] % 4])


def storm(refused: int, answer: Act, *, code: int = 429, retry_after: str | None = None) -> Act:
    """Refuse that many requests for overload before answering."""
    left = refused

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        nonlocal left
        if asks_a_question(body) and left > 0:
            left -= 1
            headers = {"Retry-After": retry_after} if retry_after else {}
            return web.json_response({"error": {"message": CANARY}}, status=code, headers=headers)
        return await answer(request, body)

    return act
