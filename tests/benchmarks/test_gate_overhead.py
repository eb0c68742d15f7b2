"""The gate's own time for one request; `python -m tests.load.stages` shows where it goes."""

import asyncio

import orjson
from pytest_benchmark.fixture import BenchmarkFixture

from gatekeeper.bundle import load_bundle
from gatekeeper.gate import Gate
from gatekeeper.server.respond import render
from gatekeeper.settings import POLICIES
from gatekeeper.wire.request import parse_chat
from tests.load.exchange import request_body, response_body
from tests.load.replaying import Replaying


def test_whole_pipeline(benchmark: BenchmarkFixture) -> None:
    """Bytes in, bytes out, all checks on, no network."""
    gate = Gate(Replaying(response_body()), load_bundle(POLICIES / "default.yaml"))
    request = request_body(1)
    loop = asyncio.new_event_loop()

    def judge() -> bytes:
        outcome = loop.run_until_complete(gate.answer(parse_chat(orjson.loads(request)), "gkd_bench"))
        return orjson.dumps(render(outcome).body)

    body = orjson.loads(benchmark(judge))
    loop.close()
    assert body["gatekeeper"]["action"] == "release"
