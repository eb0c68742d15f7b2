"""Where each microsecond of the gate goes: the stages of one judged request, timed in process.

    python -m tests.load.stages [--rounds N]
    PYTHONPATH=build/compiled:. python -P -m tests.load.stages     # after `make compiled`

Medians of processor time over rounds of the rig's exchange; what HTTP costs on both sides is the rig's to
show. In a server the same stages take longer: a loop of one finds everything in the processor's caches.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from gatekeeper.assess import assess
from gatekeeper.assessment import Subject
from gatekeeper.audit import record_of
from gatekeeper.build import build_of
from gatekeeper.bundle import load_bundle
from gatekeeper.checks.base import Check
from gatekeeper.claims import read_claims, read_query
from gatekeeper.envelope import envelope_of
from gatekeeper.evidence import read_evidence
from gatekeeper.exchange import Case
from gatekeeper.gate import Gate
from gatekeeper.monitoring import Metrics
from gatekeeper.policy import decide
from gatekeeper.server.respond import render
from gatekeeper.settings import POLICIES
from gatekeeper.wire.completion import parse_chat_completion
from gatekeeper.wire.request import parse_chat, upstream_body
from gatekeeper.wire.rows import typical
from tests.load.exchange import request_body, response_body
from tests.load.replaying import Replaying

Stage = tuple[str, Callable[[], Any]]


def main() -> None:
    """Measure every stage and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    rows = [(name, _microseconds(work, rounds)) for name, work in stages()]
    whole = sum(microseconds for _, microseconds in rows)
    table = Table(title=f"{build_of()} build, median of {rounds} rounds, one request at a time")
    table.add_column("stage")
    table.add_column("µs", justify="right")
    table.add_column("share", justify="right")
    for name, microseconds in rows:
        table.add_row(name, f"{microseconds:.0f}", f"{microseconds / whole:.0%}")
    table.add_row("all stages", f"{whole:.0f}", "")
    Console().print(table)


def stages() -> list[Stage]:
    """Return every stage of a judged request, each ready to run again and again."""
    request, response = request_body(1), response_body()
    bundle = load_bundle(POLICIES / "default.yaml")
    gate = Gate(Replaying(response), bundle)
    body = orjson.loads(request)
    conversation = parse_chat(body)
    evidence = read_evidence(conversation, gate.today())
    case = Case(conversation, evidence, read_query(conversation, evidence))
    raw = typical(response) or {}
    completion = parse_chat_completion(raw)
    answer = completion.answers[0]
    subject = Subject(case, answer, read_claims(answer, case.query, reasoning=False))
    findings = asyncio.run(gate.check(subject, {}))
    assessment = assess(subject, findings)
    outcome = asyncio.run(gate.answer(conversation, "gkd_rig"))
    rendered = render(outcome)
    metrics = Metrics()
    metrics.serve(bundle)
    loop = asyncio.new_event_loop()
    checks: list[Stage] = [
        (f"check {check.name}", partial(_run, loop, check, subject)) for check in bundle.checks
    ]
    return [
        ("parse request JSON", lambda: orjson.loads(request)),
        ("request → conversation", lambda: parse_chat(body)),
        ("evidence: extract, state, self-conflict", lambda: read_evidence(conversation, gate.today())),
        ("query", lambda: read_query(conversation, evidence)),
        ("upstream body", lambda: orjson.dumps(upstream_body(case, logprobs=True, top_logprobs=5))),
        ("parse response JSON", lambda: typical(response)),
        ("response → completion, token probabilities", lambda: parse_chat_completion(raw)),
        ("claims", lambda: read_claims(answer, case.query, reasoning=False)),
        *checks,
        ("assess", lambda: assess(subject, findings)),
        ("decide", lambda: decide(bundle.policy, assessment)),
        ("render body", lambda: render(outcome)),
        ("envelope (inside render)", lambda: envelope_of(outcome)),
        ("serialise", lambda: orjson.dumps(rendered.body)),
        ("audit record", lambda: orjson.dumps(record_of(outcome))),
        ("metrics", lambda: metrics.observe(outcome)),
    ]


def _run(loop: asyncio.AbstractEventLoop, check: Check, subject: Subject) -> None:
    loop.run_until_complete(check(subject))


def _microseconds(work: Callable[[], Any], rounds: int) -> float:
    for _ in range(rounds // 10):
        work()
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return 1e6 * statistics.median(taken)


if __name__ == "__main__":
    main()
