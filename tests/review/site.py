"""A proxy with a review queue, and whoever speaks to it."""

from collections.abc import Callable
from math import nan
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gatekeeper.review.sealing import new_key
from gatekeeper.server import auth
from tests.server.test_chat import EVIDENCE, QUESTION, WRONG, script_of
from tests.serving import Proxy, Serve

SCORES = {"accuracy": 2, "safety": 1, "completeness": 4}
SAFE = {"high_risk_error": False, "unsafe_answer": False, "evidence_contradiction": False}

Script = Callable[[str], Path]


class Site:
    """A proxy with a review queue, one application and two reviewers."""

    def __init__(self, proxy: Proxy, keys: dict[str, str], db: str) -> None:
        self.proxy, self.keys, self.db = proxy, keys, db

    def call(self, method: str, path: str, who: str | None = "app", **rest: Any) -> httpx.Response:
        """Send one request as somebody."""
        headers = {"authorization": f"Bearer {self.keys[who]}"} if who else {}
        return httpx.request(method, f"{self.proxy.url}/v1/{path}", headers=headers, timeout=20, **rest)

    def ask(self, **rest: Any) -> httpx.Response:
        """Ask the question that the script answers."""
        messages = [{"role": "user", "content": QUESTION}]
        body = {"model": "any", "messages": messages, "evidence": EVIDENCE, **rest}
        return self.call("POST", "chat/completions", json=body)

    def review(self, item: str, who: str, verdict: str, **rest: Any) -> httpx.Response:
        """Reserve an item and resolve it."""
        self.call("POST", f"gatekeeper/reviews/{item}/reserve", who, json={}).raise_for_status()
        body = {"verdict": verdict, "reason": "the guideline says 12", "scores": SCORES, **rest}
        return self.call("POST", f"gatekeeper/reviews/{item}/resolve", who, json=body)

    def metric(self, name: str, **labels: str) -> float:
        """Return one sample of /metrics; NaN before it was first read from the database."""
        text = httpx.get(f"{self.proxy.url}/metrics").text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return nan


@pytest.fixture
def site(url: str, serve: Serve, script: Script, tmp_path: Path) -> Callable[..., Site]:
    """Return a function that serves answers from a script, on each database."""

    def start(*answers: dict[str, Any], **settings: Any) -> Site:
        keys = {
            "app": auth.new_key("app", tmp_path / "keys"),
            "other": auth.new_key("other", tmp_path / "keys"),
        }
        keys |= {name: auth.new_key(name, tmp_path / "reviewers") for name in ("ada", "ben")}
        proxy = serve(
            script=script(script_of(*(answers or ({"answer": WRONG, "confidence": 0.97},)))),
            api_keys=tmp_path / "keys",
            reviewer_keys=tmp_path / "reviewers",
            **{"review_db": url, "review_key": new_key(), "review_refresh_s": 0.05, **settings},
        )
        return Site(proxy, keys, url)

    return start
