"""What becomes of every exchange of the data sets, one line each: pure and compiled must say the same.

    python -m tests.compiled.outcomes > lines.txt

A line holds the body for the client, its envelope in it, and the record for the decision log, without what no
two runs share: the time.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from gatekeeper.audit import record_of
from gatekeeper.bundle import bundle_of
from gatekeeper.gate import Gate
from gatekeeper.policy import LoadedPolicy, load_policy
from gatekeeper.server.respond import render
from gatekeeper.settings import POLICIES
from gatekeeper.wire.request import parse_chat
from tests.load.exchange import TOKENS, response_to
from tests.load.replaying import Replaying

DATA = Path(__file__).parent.parent / "data"
SUITE = Path(__file__).parents[2] / "radsafe_bench" / "suites" / "radsafe200"
TODAY = date(2026, 1, 1)


def main() -> None:
    """Judge every exchange and write its line."""
    bundle = bundle_of(_unhurried(load_policy(POLICIES / "default.yaml")))
    for number, (request, answer) in enumerate(exchanges()):
        if number % 3 == 0:
            request |= {"logprobs": True, "top_logprobs": 2}
        gate = Gate(Replaying(response_to(answer, min(TOKENS, len(answer)))), bundle, today=lambda: TODAY)
        outcome = asyncio.run(gate.answer(parse_chat(request), f"gkd_{number}"))
        record = {key: value for key, value in record_of(outcome).items() if key not in {"at", "seconds"}}
        line = orjson.dumps([render(outcome).body, record])
        sys.stdout.buffer.write(line + b"\n")


def _unhurried(loaded: LoadedPolicy) -> LoadedPolicy:
    """Give every check time: what was found too late on a busy machine is no difference between builds."""
    checks = loaded.policy.checks
    names = ("slots", "confidence", "hedging", "triage")
    patient = {name: getattr(checks, name).model_copy(update={"timeout_s": 60.0}) for name in names}
    policy = loaded.policy.model_copy(update={"checks": checks.model_copy(update=patient)})
    return replace(loaded, policy=policy)


def exchanges() -> Iterator[tuple[dict[str, Any], str]]:
    """Yield requests with the answers that come back."""
    for path in sorted(DATA.glob("*.jsonl")):
        for pair in _lines(path):
            evidence = pair["evidence"]
            yield _request(pair.get("context", ""), evidence, isinstance(evidence, str)), pair["claim"]
    for path in sorted((DATA / "answers").glob("*.jsonl")):
        for line in _lines(path):
            yield _request(line["question"], line["evidence"]), line["answer"]
    for question in _lines(SUITE / "questions.jsonl"):
        letters = [f"{option['letter']}. {option['text']}" for option in question["options"]]
        asked = "\n".join([question["stem"], *letters])
        clean, conflict = (question["evidence"][kind]["text"] for kind in ("clean", "conflict"))
        yield _request(asked, [clean]), "The answer is B."
        yield _request(question["stem"], [clean, conflict]), f"{clean}\n\n- {conflict}"


def _request(asked: str, evidence: str | list[str], in_prompt: bool = False) -> dict[str, Any]:
    content = f"Context:\n{evidence}\n\nQuestion: {asked}" if in_prompt else asked
    body = {"model": "rig", "messages": [{"role": "user", "content": content or "What holds?"}]}
    return body if in_prompt else {**body, "evidence": evidence}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        yield from map(orjson.loads, lines)


if __name__ == "__main__":
    main()
