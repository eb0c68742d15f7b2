"""Every query of every panel and rule, asked of a real Prometheus that scraped a real loaded proxy."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from pydantic import SecretStr

from gatekeeper.backends.scripted import FINGERPRINT
from gatekeeper.calibration import load_calibration
from gatekeeper.certificate import code_digest, load_trusted_keys, new_key, trusted_line
from gatekeeper.policy import load_policy
from gatekeeper.server.app import create_app
from gatekeeper.settings import POLICIES, Settings
from tests.certificate.conftest import Signer
from tests.deploy.prometheus import Prometheus, needs_prometheus, prometheus
from tests.deploy.queries import DASHBOARDS, alerts, panels, recorded, selectors
from tests.serving import serving

EVIDENCE = [
    "For a single solid nodule of 6 to 8 mm in a low-risk adult, follow-up CT is due at 6 to 12 months."
]
ANSWERS = [
    {"match": "nodule", "answer": "Follow-up CT is due at 6 to 12 months.", "confidence": 0.97},
    {"match": "months", "answer": "Follow-up CT is due at 24 to 36 months.", "confidence": 0.99},
    {"match": "sure", "answer": "Follow-up CT is probably due at 6 to 12 months.", "confidence": 0.6},
]
QUESTIONS = ("Which nodule?", "How many months?", "Are you sure?", "An unknown question?")
CALIBRATION = {
    "fingerprint": FINGERPRINT,
    "created": "2026-01-31T00:00:00Z",
    "confidence": {
        "intercepts": {"supplied": 0.2, "none": -1.0},
        "terms": [{"signal": "confidence.raw", "transform": "logit", "weight": 0.5}],
    },
}
REFERENCE = {
    "confidence": {"0.9": 80, "unknown": 20},
    "evidence_state": {"supplied": 90, "none": 10},
    "answer_length": {"64": 100},
    "topic": {"none": 100},
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Serve a proxy that has everything turned on under load, scraped until the rules have answers."""
    folder = tmp_path_factory.mktemp("watched")
    with serving(create_app(_settings(folder))) as port, prometheus(folder, f"127.0.0.1:{port}") as running:
        enough = threading.Event()
        client = threading.Thread(target=_load, args=(port, enough))
        client.start()
        try:
            for name in (*recorded(), "gatekeeper_drift_psi", "gatekeeper_observed_risk_ratio"):
                running.wait_for(name)
            yield running
        finally:
            enough.set()
            client.join()


def _settings(folder: Path) -> Settings:
    """Return settings with staged answers, calibration, certificate, decision log and review database."""
    script, calibration, reference = (
        written(folder / f"{name}.json", content)
        for name, content in (("script", ANSWERS), ("calibration", CALIBRATION), ("reference", REFERENCE))
    )
    certificate, trusted = _certified(folder, calibration)
    return Settings(
        script=script,
        calibration=(calibration,),
        require_certificate=True,
        certificate=(certificate,),
        trusted_keys=trusted,
        audit_log=folder / "decisions.jsonl",
        audit_sample_rate=1.0,
        review_db=SecretStr(f"sqlite:///{folder / 'review.db'}"),
        review_refresh_s=0.5,
        drift_reference=reference,
    )


def written(path: Path, content: object) -> Path:
    """Write content as JSON and return where."""
    path.write_bytes(orjson.dumps(content))
    return path


def _certified(folder: Path, calibration: Path) -> tuple[Path, Path]:
    """Return a certificate for what is served, by a throw-away key, and the file that trusts that key."""
    key, trusted, minted = new_key(), folder / "trusted", folder / "minted"
    trusted.write_text(trusted_line(key.public_key(), "hospital"), encoding="utf-8")
    minted.mkdir()
    now = datetime.now(UTC)
    certificate = Signer(key, load_trusted_keys(trusted), minted).certificate(
        policy=load_policy(POLICIES / "default.yaml").digest,
        fingerprint=FINGERPRINT,
        calibration=load_calibration(calibration).digest,
        code=code_digest(),
        issued=now,
        expires=now + timedelta(days=90),
    )
    return certificate, trusted


def _load(port: int, enough: threading.Event) -> None:
    """Ask in turn, with evidence, without and with an unreadable request, until it is enough."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", timeout=10) as client:
        while not enough.wait(0.05):
            for question in QUESTIONS:
                body = {"model": "any", "messages": [{"role": "user", "content": question}]}
                answer = client.post("/chat/completions", json={**body, "evidence": EVIDENCE}).json()
                client.post("/chat/completions", json=body)
                outcome = {"high_risk_error": False, "unsafe_answer": False}
                decision = answer.get("gatekeeper", {}).get("decision_id", "none")
                client.post("/gatekeeper/outcomes", json={"decision_id": decision, "outcome": outcome})
            client.post("/chat/completions", json={"messages": "unreadable"})


@needs_prometheus
def test_every_recorded_series_has_data(watched: Prometheus) -> None:
    """What dashboards and alerts share is really recorded."""
    assert [name for name in recorded() if not watched.ask(name)] == []


@needs_prometheus
def test_every_alert_reads_series_that_exist(watched: Prometheus) -> None:
    """No alert is silent because it reads a metric or label that the proxy does not have."""
    read = {(rule["alert"], selector) for rule in alerts() for selector in selectors(rule["expr"])}
    assert {rule["alert"] for rule in alerts()} == {alert for alert, _ in read}
    assert sorted((alert, selector) for alert, selector in read if not watched.ask(selector)) == []


@needs_prometheus
def test_every_panel_shows_data(watched: Prometheus) -> None:
    """No panel of any dashboard stays empty beside a proxy that works."""
    asked = list(panels())
    assert len({where.partition(":")[0] for where, _ in asked}) == len(DASHBOARDS)
    assert [(where, query) for where, query in asked if not watched.ask(query)] == []


@needs_prometheus
def test_nothing_fires_on_a_proxy_that_works(watched: Prometheus) -> None:
    """A proxy that serves is not reported as down, unrecorded or over its ceiling."""
    assert watched.ask('count(ALERTS{alertstate="firing"}) or vector(0)') == [0.0]
