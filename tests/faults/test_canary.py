"""A patient's name and number, planted wherever text comes in: nothing that is kept or shown repeats them."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from gatekeeper.exchange import Surface
from gatekeeper.server.auth import new_key
from tests.fake_upstream import Act, FakeUpstream, raw, stream
from tests.faults.crashing import WAYS
from tests.faults.exchange import FORMS, answer_of, path_of
from tests.faults.rig import Gate, process, wait_for
from tests.server.test_chat import EVIDENCE, QUESTION, RIGHT, WRONG

pytestmark = pytest.mark.slow

NAME, NUMBER = "Quellwasser-Zacharias", "MRN-48151623"
CANARY = f"{NAME} {NUMBER}"
PLANTED = (NAME, NUMBER, NAME.lower(), "48151623")


class Kept:
    """A serving process, and all that is kept or shown of what it was asked."""

    def __init__(self, gate: Gate, upstream: FakeUpstream, folder: Path, keys: dict[str, str]) -> None:
        self.gate, self.upstream, self.folder, self.keys = gate, upstream, folder, keys
        self.errors: list[bytes] = []

    def call(self, method: str, path: str, who: str = "app", **rest: Any) -> httpx.Response:
        """Send a request whose headers carry the canary; keep what an error says."""
        headers = {
            "Authorization": f"Bearer {self.keys.get(who, CANARY)}",
            "X-Patient": CANARY,
            "User-Agent": CANARY,
            "Cookie": f"patient={CANARY}",
            "X-Request-Id": CANARY,
        }
        response = httpx.request(method, self.gate.url + path, headers=headers, timeout=20, **rest)
        if response.status_code >= 400 or response.content.startswith(b'data: {"error"'):
            self.errors.append(b"\n".join(map(b": ".join, response.headers.raw)) + response.content)
        return response

    def ask(self, act: Act, surface: Surface = Surface.CHAT, **rest: Any) -> httpx.Response:
        """Ask with the canary in every field, of a model server that does `act`."""
        self.upstream.play(act)
        return self.call("POST", path_of(surface), json={**asked(surface), **rest})

    def leaks(self) -> list[str]:
        """Return where the canary stands."""
        kept = {
            "process log": bytes(self.gate.log),
            "metrics": httpx.get(f"{self.gate.url}/metrics").content,
            "readiness": httpx.get(f"{self.gate.url}/readyz").content,
            **{f"error {at}": data for at, data in enumerate(self.errors)},
            **{path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()},
        }
        return [where for where, data in kept.items() for word in PLANTED if word.encode() in data]


def asked(surface: Surface) -> dict[str, Any]:
    """Return a request that carries the canary wherever a client may write."""
    question = f"{QUESTION} It is for {CANARY}."
    by_surface: dict[Surface, dict[str, Any]] = {
        Surface.CHAT: {"messages": [{"role": "user", "name": NAME, "content": question}]},
        Surface.COMPLETIONS: {"prompt": question},
        Surface.RESPONSES: {"input": question, "instructions": CANARY},
    }
    evidence = {"id": NUMBER, "title": CANARY, "source": CANARY, "version": NUMBER}
    return {
        "model": NUMBER,
        "user": CANARY,
        "metadata": {NUMBER: CANARY},
        "safety_identifier": NUMBER,
        CANARY: CANARY,
        "evidence": [{"text": EVIDENCE[0], **evidence}, {"text": f"Notes on {CANARY}.", "id": NAME}],
        **by_surface[surface],
    }


def answering(text: str, surface: Surface = Surface.CHAT) -> Act:
    """Answer with a text about the patient, in a body that repeats them in names and ids."""
    odd = {"id": NUMBER, "system_fingerprint": NUMBER, "notes": CANARY, NUMBER: 1}
    body = {**answer_of(surface, f"{text} So for {CANARY}.", **odd), "model": NUMBER}
    headers = {"X-Patient": CANARY, "Set-Cookie": f"patient={NUMBER}", "Server": CANARY}
    return raw(orjson.dumps(body), headers=headers)


def failing() -> list[Act]:
    """Return ways to fail that quote the patient."""
    error = orjson.dumps({"error": {"message": CANARY, "type": NUMBER, "code": NUMBER, "param": NAME}})
    broken = {"choices": [{"index": 0, "delta": {"content": f"{RIGHT} {CANARY} {RIGHT}"}}]}

    async def reason(request: web.BaseRequest, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=500, reason=CANARY, body=error)

    return [
        *(raw(error, status_code=code, headers={"X-Patient": CANARY}) for code in (400, 401, 404, 422, 500)),
        raw(error, status_code=429, headers={"Retry-After": NUMBER}),
        raw(error),
        raw(f"<p>{CANARY}</p>".encode()),
        raw(f'{{"choices": "{CANARY}"}}'.encode()),
        raw(f'{{"{CANARY}":'.encode()),
        raw(CANARY.encode(), content_type="text/plain", headers={"Content-Encoding": "gzip"}),
        raw(b"", status_code=302, headers={"Location": f"http://127.0.0.1:9/{NUMBER}"}),
        stream([broken], dies=True),
        stream([broken, {"error": {"message": CANARY}}]),
        reason,
    ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Return a process with every record on, the log at its most talkative and no encrypted store."""
    folder, config = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("config")
    keys = {"app": new_key("app", config / "keys"), "reviewer": new_key("reviewer", config / "reviewers")}
    shipped = Path("policies/default.yaml").read_text(encoding="utf-8")
    (config / "policy.yaml").write_text(shipped.replace("timeout_s: 0.25", "timeout_s: 5"), encoding="utf-8")
    with FakeUpstream() as upstream:
        settings = {
            "upstream": upstream.url,
            "upstream_retries": 0,
            "policy": config / "policy.yaml",
            "api_keys": config / "keys",
            "reviewer_keys": config / "reviewers",
            "audit_log": folder / "decisions.jsonl",
            "review_db": f"sqlite:///{folder / 'review.db'}",
            "review_refresh_s": 0.2,
            "audit_sample_rate": 1,
            "deadline_s": 5,
            "max_body_bytes": 100_000,
            "log_level": "debug",
        }
        with process(settings, module="tests.faults.crashing", warnings="always") as gate:
            yield Kept(gate, upstream, folder, keys)


@pytest.mark.parametrize(("surface", "streamed"), FORMS)
def test_in_requests_and_answers(kept: Kept, surface: Surface, streamed: bool) -> None:
    """Questions, evidence, ids, headers and answers, delivered and held, leave no trace."""
    for text in (RIGHT, WRONG):
        assert kept.ask(answering(text, surface), surface, stream=streamed).status_code == 200
    for act in failing():
        kept.ask(act, surface, stream=streamed)
    assert kept.leaks() == []


def test_in_requests_that_are_refused(kept: Kept) -> None:
    """What is wrong with a request is said without a word of it."""
    body = asked(Surface.CHAT)
    bad: list[dict[str, Any]] = [
        {**body, "messages": [{"role": CANARY, "content": CANARY}]},
        {**body, "messages": [{"role": "user", "content": [{"type": CANARY, "text": CANARY}]}]},
        {**body, "evidence": [{"text": CANARY, "expires": CANARY}]},
        {**body, "evidence": [{CANARY: CANARY}]},
        {**body, "options": CANARY},
        {**body, "n": CANARY},
        {**body, "tools": CANARY},
    ]
    for surface in Surface:
        for wrong in bad:
            kept.call("POST", path_of(surface), json=wrong)
        for data in (f'{{"a": "{CANARY}'.encode(), CANARY.encode(), b'"' + CANARY.encode() * 9000 + b'"'):
            assert kept.call("POST", path_of(surface), content=data).status_code in {400, 413}
    assert kept.call("POST", path_of(Surface.CHAT), who="nobody", json=body).status_code == 401
    for path in (f"/v1/{NUMBER}", f"/{NUMBER}?a={CANARY}", f"/v1/gatekeeper/decisions/{NUMBER}"):
        assert kept.call("GET", path).status_code == 404
    assert len(kept.errors) > 3 * len(bad)
    assert kept.leaks() == []


def test_in_reviews(kept: Kept) -> None:
    """The review database and its endpoints hold no text where no key is given for it."""
    kept.ask(answering(WRONG))
    wait_for(lambda: kept.call("GET", "/v1/gatekeeper/reviews", "reviewer").json()["data"])
    (item, *_) = kept.call("GET", "/v1/gatekeeper/reviews", "reviewer").json()["data"]
    at = f"/v1/gatekeeper/reviews/{item['id']}"
    for answer in (
        kept.call("GET", at, "reviewer"),
        kept.call("POST", f"{at}/reserve", "reviewer", json={"minutes": CANARY}),
        kept.call("POST", f"{at}/reserve", "reviewer", json={CANARY: CANARY}),
        kept.call("POST", f"{at}/resolve", "reviewer", json={"verdict": CANARY, "scores": {CANARY: CANARY}}),
        kept.call("POST", "/v1/gatekeeper/outcomes", json={"decision_id": NUMBER, "outcome": {CANARY: True}}),
        kept.call("POST", "/v1/gatekeeper/outcomes", json={"decision_id": CANARY * 9, "outcome": CANARY}),
        kept.call("GET", f"/v1/gatekeeper/reviews?limit={CANARY}", "reviewer"),
    ):
        assert CANARY not in answer.text
    with sqlite3.connect(kept.folder / "review.db") as database:
        assert database.execute("SELECT count(*) FROM review_items").fetchone()[0] > 0
    assert kept.leaks() == []


@pytest.mark.parametrize("way", WAYS)
def test_in_failures_of_the_process(kept: Kept, way: str) -> None:
    """However a check fails with the answer in its error, the error's words stay in the process."""
    before = len(kept.gate.log)
    kept.ask(answering(f"This is crash:{way} here. {RIGHT}"))
    kept.ask(answering(f"This is crash:{way} here. {RIGHT}"), stream=True)
    time.sleep(0.2)
    wait_for(kept.gate.idle)
    told = bytes(kept.gate.log[before:])
    assert b"Traceback" not in told
    assert kept.leaks() == []
