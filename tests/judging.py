"""Models with known opinions: in this process, or as a server on loopback."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

from aiohttp import web

from gatekeeper.assessment import Verdict
from gatekeeper.auxiliary import DrawCall, Drawn, LabelCall, Problem, Reading
from gatekeeper.exchange import JsonObject
from tests.fake_upstream import Act

View = Mapping[Verdict, float]
BIAS = (0.6, 0.3, 0.1)
"""How much a model likes A, B and C, whatever they stand for."""

SURE: Mapping[Verdict, View] = {
    verdict: {other: 0.9 if other is verdict else 0.05 for other in list(Verdict)[:3]} for verdict in Verdict
}
_MEANINGS = {
    "supports": Verdict.SUPPORTED,
    "contradicts": Verdict.CONTRADICTED,
    "does not settle": Verdict.NOT_ADDRESSED,
}


def letters_of(prompt: str, view: Callable[[str], View], bias: Sequence[float] = BIAS) -> dict[str, float]:
    """Return P(letter) of a biased reader of a judge's prompt."""
    statement = re.findall(r"^Statement: (.*)$", prompt, re.MULTILINE)[-1]
    labels = re.findall(r"^([A-C])\. The evidence (.*) the statement\.$", prompt, re.MULTILINE)
    weights = {
        letter: view(statement)[_MEANINGS[meaning]] * liking
        for (letter, meaning), liking in zip(labels, bias, strict=True)
    }
    return {letter: weight / sum(weights.values()) for letter, weight in weights.items()}


def believing(**said: Verdict) -> Callable[[str], View]:
    """Return a view on statements by a word that they hold; nothing is said of the others."""

    def view(statement: str) -> View:
        found = (verdict for word, verdict in said.items() if word in statement)
        return SURE[next(found, Verdict.NOT_ADDRESSED)]

    return view


@dataclass
class Reader:
    """An Auxiliary with opinions, which keeps the calls; `fails` says what goes wrong with one."""

    view: Callable[[str], View] = field(default_factory=believing)
    bias: Sequence[float] = BIAS
    fails: Callable[[LabelCall], Problem | None] = lambda _: None
    draws: Sequence[Drawn] = ()
    letters: Callable[[str], Mapping[str, float]] | None = None
    fingerprint: str = "reader"
    asked: list[LabelCall] = field(default_factory=list)
    drawn: list[DrawCall] = field(default_factory=list)

    async def label(self, calls: Sequence[LabelCall], within_s: float) -> list[Reading]:
        """Answer from the prompt alone."""
        self.asked += calls
        return [self._read(call) for call in calls]

    async def draw(self, calls: Sequence[DrawCall], within_s: float) -> list[Drawn]:
        """Give the answers it was told, nothing in time beyond them."""
        self.drawn += calls
        told = [*self.draws, *[Drawn(problem=Problem.TIMEOUT)] * len(calls)]
        return told[: len(calls)]

    def _read(self, call: LabelCall) -> Reading:
        problem = self.fails(call)
        if problem is not None:
            return Reading(problem=problem)
        text = call.messages[-1]["content"]
        judged = "\nStatement: " in text
        found = letters_of(text, self.view, self.bias) if judged or not self.letters else self.letters(text)
        return Reading(tuple(log(found[label]) for label in call.labels), fingerprint=self.fingerprint)


def judging(view: Callable[[str], View], *, seen: int = 3, otherwise: Act | None = None) -> Act:
    """Answer a judge's prompts as a server does, with the `seen` likeliest letters among the alternatives."""

    async def act(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        prompt = body["messages"][-1]["content"]
        if "\nStatement: " not in prompt and otherwise is not None:
            return await otherwise(request, body)
        known = letters_of(prompt, view) if "\nStatement: " in prompt else {"A": 0.9, "B": 0.06, "C": 0.04}
        return web.json_response(one_token(known, seen))

    return act


def one_token(letters: Mapping[str, float], seen: int = 3) -> JsonObject:
    """Return the completion of one letter with its alternatives."""
    ranked = sorted(letters.items(), key=lambda item: -item[1])[:seen]
    top = [{"token": letter, "logprob": log(p), "bytes": list(letter.encode())} for letter, p in ranked]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": ranked[0][0]},
        "logprobs": {"content": [{**top[0], "top_logprobs": top}]},
        "finish_reason": "length",
    }
    return {"id": "chatcmpl-J1", "object": "chat.completion", "model": "judge-model", "choices": [choice]}
