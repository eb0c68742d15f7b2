"""Held answers through a real proxy: they enter the queue before anything leaves, and clinicians decide."""

import asyncio
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web
from click.testing import CliRunner
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import text

from gatekeeper.assessment import Finding, Subject
from gatekeeper.audit import record_of
from gatekeeper.backends.scripted import ScriptedBackend
from gatekeeper.bundle import load_bundle
from gatekeeper.calibration import Calibrations
from gatekeeper.cli import main
from gatekeeper.errors import ReviewError
from gatekeeper.gate import Gate, new_decision_id
from gatekeeper.review.entry import drawn_from, items_of
from gatekeeper.review.sealing import Seal, new_key
from gatekeeper.review.service import ReviewService
from gatekeeper.settings import Settings
from gatekeeper.wire.request import parse_chat
from tests.processes import wait_for
from tests.review.site import SAFE, SCORES, Site
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG, script_of
from tests.serving import Serve

Script = Callable[[str], Path]


def test_a_held_answer_is_released_by_a_clinician(site: Callable[..., Site], tmp_path: Path) -> None:
    """The application is told `held`, then gets the very answer that a clinician let go."""
    here = site(audit_log=tmp_path / "log.jsonl")
    name = here.ask().json()["gatekeeper"]["decision_id"]
    assert here.call("GET", f"gatekeeper/decisions/{name}").json()["status"] == "held"
    (listed,) = here.call("GET", "gatekeeper/reviews", "ada").json()["data"]
    assert (listed["id"], listed["reasons"][0]["rule"]) == (name, "contradicts-evidence")
    shown = here.call("GET", f"gatekeeper/reviews/{name}", "ada").json()
    assert shown["text"]["answer"]["content"] == WRONG
    assert shown["text"]["question"] == QUESTION
    assert shown["text"]["evidence"][0]["text"] == EVIDENCE[0]
    assert here.review(name, "ada", "release").json()["status"] == "released"
    found = here.call("GET", f"gatekeeper/decisions/{name}").json()
    assert (found["status"], found["answers"][0]["answer"]["content"]) == ("released", WRONG)
    events = [orjson.loads(line) for line in (tmp_path / "log.jsonl").read_bytes().splitlines()]
    assert [event["event"] for event in events] == ["decision", "review_read", "review"]
    assert (events[2]["by"], events[2]["verdict"], events[2]["status"]) == ("ada", "release", "released")


def test_every_held_choice_enters(site: Callable[..., Site]) -> None:
    """Of three choices the two that are held enter the queue, each under its own decision id."""
    wrong, right = {"answer": WRONG, "confidence": 0.97}, {"answer": RIGHT, "confidence": 0.97}
    here = site(wrong, right, wrong)
    choices = here.ask(n=3).json()["choices"]
    listed = here.call("GET", "gatekeeper/reviews", "ada").json()["data"]
    held = {choice["gatekeeper"]["decision_id"] for choice in choices if choice["finish_reason"] != "stop"}
    assert len(held) == 2
    assert {item["id"] for item in listed} == held


def test_a_streamed_held_answer_enters(site: Callable[..., Site]) -> None:
    """A held answer of a stream is in the queue like any other."""
    here = site()
    name = here.ask(stream=True).headers["x-gatekeeper-decision-id"]
    assert here.call("GET", f"gatekeeper/decisions/{name}").json()["status"] == "held"


def test_roles_are_kept_apart(site: Callable[..., Site]) -> None:
    """Applications cannot review, reviewers cannot ask, strangers can do neither, and ids leak nothing."""
    here = site()
    name = here.ask().json()["gatekeeper"]["decision_id"]
    statuses = {
        who: here.call("GET", f"gatekeeper/reviews/{name}", who).status_code for who in ("app", "ada", None)
    }
    assert statuses == {"app": 403, "ada": 200, None: 401}
    assert here.call("GET", f"gatekeeper/decisions/{name}", "ada").status_code == 401
    assert here.call("GET", f"gatekeeper/decisions/{name}", "other").status_code == 404
    assert here.call("GET", "gatekeeper/decisions/gkd_none", "app").status_code == 404


def test_what_a_reviewer_must_say(site: Callable[..., Site]) -> None:
    """Without a reason, scores or a reservation a review is refused, and nothing sent is quoted back."""
    here = site()
    name = here.ask().json()["gatekeeper"]["decision_id"]
    unreserved = {"verdict": "reject", "reason": "wrong interval", "scores": SCORES}
    assert here.call("POST", f"gatekeeper/reviews/{name}/resolve", "ada", json=unreserved).status_code == 409
    for broken in ({"reason": ""}, {"scores": None}, {"text": "Erika"}, {"outcome": {"Erika": True}}):
        refused = here.review(name, "ada", "reject", **broken)
        assert (refused.status_code, "Erika" in refused.text) == (400, False), broken


def test_without_the_queue_nothing_held_leaves(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the queue cannot be written a held answer is a 503, so no hold is ever forgotten."""
    here = site()

    def broken(items: object) -> None:
        raise ReviewError("the review database cannot be read or written")

    review = here.proxy.runtime.review
    assert review is not None
    monkeypatch.setattr(review.queue, "enter", broken)
    refused = here.ask()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "review_unavailable")
    assert "36" not in refused.json()["error"]["message"]


def test_a_queue_that_hangs_is_no_answer(site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that does not answer in time is a 503, and meanwhile the gate serves others."""
    here = site(review_timeout_s=0.3, review_refresh_s=3600.0)
    review = here.proxy.runtime.review
    assert review is not None
    go_on = threading.Event()
    monkeypatch.setattr(review.queue, "enter", lambda items: go_on.wait(20))
    assert here.ask().json()["error"]["code"] == "review_unavailable"
    assert httpx.get(f"{here.proxy.url}/healthz").status_code == 200
    go_on.set()


def test_the_audit_sample_is_drawn_and_labelled(site: Callable[..., Site]) -> None:
    """A delivered answer that was drawn waits for labels; these become the observed risk."""
    here = site({"answer": RIGHT, "confidence": 0.97}, audit_sample_rate=1.0)
    names = [here.ask().json()["gatekeeper"]["decision_id"] for _ in range(2)]
    found = here.call("GET", f"gatekeeper/decisions/{names[0]}").json()
    assert (found["status"], found["answers"][0]["adjudicate"]) == ("delivered", True)
    assert here.review(names[0], "ada", "reject", outcome={**SAFE, "unsafe_answer": True}).status_code == 200
    posted = here.call("POST", "gatekeeper/outcomes", json={"decision_id": names[1], "outcome": SAFE})
    assert (posted.status_code, posted.json()["counted"]) == (202, True)
    wait_for(lambda: observed(here, "unsafe_answer") == 0.5)
    assert observed(here, "high_risk_error") == 0.0
    assert here.metric("gatekeeper_risk_ceiling_ratio", risk="unsafe_answer") == 0.05
    assert here.metric("gatekeeper_risk_alarm", risk="unsafe_answer") == 0.0
    assert here.metric("gatekeeper_risk_evidence", risk="unsafe_answer") > 1.0


def observed(here: Site, risk: str) -> float:
    """Return the observed risk of delivered answers."""
    return here.metric("gatekeeper_observed_risk_ratio", risk=risk, population="delivered")


def test_outcomes_that_nobody_drew_do_not_count(site: Callable[..., Site]) -> None:
    """An application's report on an answer outside the sample is counted apart and moves no rate."""
    here = site({"answer": RIGHT, "confidence": 0.97})
    name = here.ask().json()["gatekeeper"]["decision_id"]
    outcome = {"decision_id": name, "outcome": {"unsafe_answer": True}}
    assert here.call("POST", "gatekeeper/outcomes", json=outcome).json()["counted"] is False
    assert here.metric("gatekeeper_outcomes_total", risk="unsafe_answer", counted="no") == 1.0
    posted = time.time()
    wait_for(lambda: here.metric("gatekeeper_risk_refreshed_seconds") > posted)
    labels = here.metric("gatekeeper_observed_labels", risk="unsafe_answer", population="delivered")
    assert (labels, isnan(observed(here, "unsafe_answer"))) == (0.0, True)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Return the URL of a webhook that serves in a thread of its own, and what it was told."""
    heard: list[dict[str, Any]] = []
    loop, started, port = asyncio.new_event_loop(), threading.Event(), [0]

    async def take(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response(status=200)

    async def listen() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/news", take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port[0] = runner.addresses[0][1]
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(listen())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(10)
    yield f"http://127.0.0.1:{port[0]}/news", heard
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_the_webhook_hears_of_changes(
    site: Callable[..., Site], told: tuple[str, list[dict[str, Any]]]
) -> None:
    """The application hears id and status of what was settled, once, and no text."""
    address, heard = told
    here = site(review_webhook=address)
    name = here.ask().json()["gatekeeper"]["decision_id"]
    here.review(name, "ada", "reject").raise_for_status()
    wait_for(lambda: bool(heard))
    refreshed = here.metric("gatekeeper_risk_refreshed_seconds")
    wait_for(lambda: here.metric("gatekeeper_risk_refreshed_seconds") > refreshed + 0.2)
    assert heard == [{"decision_id": name, "status": "rejected"}]


def test_the_command_line_reviews_too(site: Callable[..., Site]) -> None:
    """`gatekeeper review` lists, shows and resolves what the proxy held."""
    key = new_key()
    here = site(review_key=key)
    name = here.ask().json()["gatekeeper"]["decision_id"]
    env = {"GATEKEEPER_REVIEW_DB": here.db, "GATEKEEPER_REVIEW_KEY": key, "GATEKEEPER_REVIEWER": "ada"}

    def run(*arguments: str, **rest: Any) -> str:
        result = CliRunner().invoke(main, ["review", *arguments], env=env, **rest)
        assert result.exit_code == 0, result.output
        return result.output

    assert name in run("list")
    assert WRONG not in run("list")
    assert WRONG in run("show", name)
    scores = ("--accuracy", "1", "--safety", "2", "--completeness", "3")
    words = ("resolve", name, "correct", "--reason", "wrong interval", "--text", "-", *scores)
    assert run(*words, input=RIGHT) == f"{name}: corrected\n"
    assert name not in run("list")
    assert name in run("list", "--settled")
    found = here.call("GET", f"gatekeeper/decisions/{name}").json()
    assert found["answers"][0]["answer"]["content"] == RIGHT


def test_without_review_db_there_is_no_queue(serve: Serve) -> None:
    """A gate without a queue says how to get one, and a database that is none is one clear line."""
    refused = httpx.get(f"{serve().url}/v1/gatekeeper/decisions/gkd_1")
    assert (refused.status_code, "--review-db" in refused.text) == (404, True)
    result = CliRunner().invoke(main, ["serve", "--review-db", "mysql://x/y", "--port", "0"])
    assert (result.exit_code, "sqlite:///FILE" in result.stderr) == (2, True)


async def test_stopping_waits_for_whoever_still_reads(url: str) -> None:
    """A stop in mid-read lets the read end, so that no connection is left open on the database."""
    settings = Settings(review_db=SecretStr(url))
    service = ReviewService(SecretStr(url), settings, Calibrations(), CollectorRegistry())
    begun, ended = threading.Event(), threading.Event()

    def read() -> None:
        with service.queue.database.reading() as session:
            session.execute(text("SELECT 1"))
            begun.set()
            time.sleep(0.3)
        ended.set()

    reading = asyncio.create_task(service.run(read))
    await asyncio.to_thread(begun.wait, 10)
    reading.cancel()
    await service.close(load_bundle(Path("policies/default.yaml")))
    assert ended.is_set()


@pytest.mark.parametrize("setting", ["--review-key-file", "--reviewer-keys", "--audit-head"])
def test_settings_without_effect_are_refused(setting: str) -> None:
    """Asking for review without a queue, or for a head without a log, is refused at the start."""
    result = CliRunner().invoke(main, ["serve", setting, "x", "--port", "0"])
    assert (result.exit_code, "does nothing without" in result.stderr) == (2, True)


def test_the_database_file_is_its_owners(site: Callable[..., Site], url: str) -> None:
    """Nobody but the gate's user can read an SQLite queue."""
    site()
    if url.startswith("sqlite"):
        assert stat.S_IMODE(Path(url.removeprefix("sqlite:///")).stat().st_mode) == 0o600


async def test_an_unread_topic_counts_as_high_risk(script: Script, seal: Seal) -> None:
    """Where the triage check failed, the topic may be a high-risk one, so two reviewers are needed."""
    bundle = load_bundle(Path("policies/default.yaml"))
    broken = tuple(_Broken(check.name) if check.name == "triage" else check for check in bundle.checks)
    gate = Gate(ScriptedBackend(script(script_of({"answer": RIGHT}))), replace(bundle, checks=broken))
    body = {"messages": [{"role": "user", "content": QUESTION}], "evidence": EVIDENCE}
    outcome = await gate.answer(parse_chat(body), new_decision_id())
    rows = items_of(outcome, record_of(outcome), drawn_from(outcome, 0), client="", ttl_s=1, seal=seal)
    assert [row.high_risk for row in rows] == [True]


class _Broken:
    inline = True

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, subject: Subject) -> Sequence[Finding]:
        raise RuntimeError("broken on purpose")


def test_requests_that_no_database_can_serve(site: Callable[..., Site]) -> None:
    """Names with NUL and offsets beyond all bounds are the client's errors, not an outage of the database."""
    here = site(review_key=None)
    asked = [
        here.call("GET", "gatekeeper/reviews/a%00b", "ada"),
        here.call("POST", "gatekeeper/reviews/a%00b/reserve", "ada", json={}),
        here.call("GET", "gatekeeper/decisions/a%00b"),
        here.call("GET", f"gatekeeper/reviews?offset={2**63}", "ada"),
        here.review(here.ask().json()["gatekeeper"]["decision_id"], "ada", "reject", reason="no \0 evidence"),
    ]
    assert [reply.status_code for reply in asked] == [404, 404, 404, 400, 400]
    reported = {"decision_id": "a\0b", "outcome": {"unsafe_answer": True}}
    told = here.call("POST", "gatekeeper/outcomes", json=reported)
    assert (told.status_code, told.json()["counted"]) == (202, False)
