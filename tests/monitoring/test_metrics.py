"""Metrics: closed label sets, created at zero, in step with what was decided."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gatekeeper.bundle import load_bundle
from gatekeeper.calibration import Calibration, Calibrations
from gatekeeper.monitoring import Metrics
from gatekeeper.monitoring.metrics import CALIBRATION_STATES
from gatekeeper.server import runtime
from gatekeeper.settings import POLICIES
from tests.fake_upstream import FakeUpstream, status
from tests.processes import wait_for
from tests.server.test_chat import RIGHT, WRONG, ask, script_of
from tests.serving import Serve

Script = Callable[[str], Path]


def samples(url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample that a proxy exposes."""
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_label_exists_before_the_first_request(serve: Serve, script: Script) -> None:
    """Nothing that is counted later appears only then: alerts can rely on zeros."""
    proxy = serve(script=script(script_of({"answer": WRONG, "confidence": 0.99})))
    before = samples(proxy.url)
    ask(proxy)
    after = samples(proxy.url)
    assert set(after) == set(before)
    counted = {name for (name, _), value in after.items() if value and name.endswith("_total")}
    assert {
        "gatekeeper_decisions_total",
        "gatekeeper_claims_total",
        "gatekeeper_evidence_total",
        "gatekeeper_logprob_quality_total",
    } <= counted
    assert not any(value for (name, _), value in before.items() if name.endswith("_total"))


def test_counts_follow_decisions(serve: Serve, script: Script) -> None:
    """Each decision is counted once, under its leading reason."""
    answers = ({"answer": RIGHT, "confidence": 0.97}, {"answer": WRONG, "confidence": 0.97})
    proxy = serve(script=script(script_of(*answers)))
    ask(proxy, n=2)
    counted = {
        tuple(sorted(dict(labels).values())): value
        for (name, labels), value in samples(proxy.url).items()
        if name == "gatekeeper_decisions_total" and value
    }
    assert counted == {("no_rule", "release"): 1.0, ("contradicts-evidence", "escalate"): 1.0}


def test_a_clients_words_never_become_labels(serve: Serve, script: Script) -> None:
    """A model name that a client sends is in no metric."""
    proxy = serve(script=script(script_of({"answer": RIGHT, "confidence": 0.97})))
    body = {"model": "evil-label", "messages": [{"role": "user", "content": "nodule"}]}
    httpx.post(f"{proxy.url}/v1/chat/completions", json=body)
    assert "evil-label" not in httpx.get(f"{proxy.url}/metrics").text


def upstreams(url: str) -> dict[str, float]:
    """Return by label which model servers a proxy shows as answering."""
    return {
        dict(labels)["upstream"]: value
        for (name, labels), value in samples(url).items()
        if name == "gatekeeper_backend_up"
    }


def test_a_model_server_that_goes_away_shows(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gauge falls while nobody asks anything, and rises when the server is back."""
    monkeypatch.setattr(runtime, "CHECK_EVERY_S", 0.05)
    with FakeUpstream() as server:
        proxy = serve(upstream=(server.url,))
        assert upstreams(proxy.url) == {"0": 1.0}
        server.models_act = status(503)
        wait_for(lambda: upstreams(proxy.url) == {"0": 0.0})
        server.models_act = None
        wait_for(lambda: upstreams(proxy.url) == {"0": 1.0})


def test_model_servers_are_numbered_and_not_named(serve: Serve) -> None:
    """Of two servers the one that is down shows under its number; no address is in any metric."""
    with FakeUpstream() as one, FakeUpstream(models_act=status(503)) as other:
        proxy = serve(upstream=(one.url, other.url))
        assert upstreams(proxy.url) == {"0": 1.0, "1": 0.0}
        assert "127.0.0.1" not in httpx.get(f"{proxy.url}/metrics").text


FITTED = datetime(2026, 3, 1, tzinfo=UTC)


def artefact(fingerprint: str, created: datetime | None = FITTED) -> Calibration:
    """Return a calibration of some model."""
    confidence = {"intercepts": {"supplied": 0.0}, "terms": []}
    return Calibration.model_validate(
        {"fingerprint": fingerprint, "confidence": confidence, "created": created}
    )


@pytest.mark.parametrize(
    ("loaded", "served", "state", "created"),
    [
        ((), "model", "none", 0.0),
        ((artefact("model"), artefact("other", FITTED - timedelta(9))), "model", "fits", FITTED.timestamp()),
        ((artefact("model", None),), "model", "fits", 0.0),
        ((artefact("other"),), "model", "foreign", 0.0),
        ((artefact("a"), artefact("b", FITTED - timedelta(9))), None, "by_answer", 1771545600.0),
    ],
)
def test_what_the_calibration_is_to_the_model_shows(
    loaded: tuple[Calibration, ...], served: str | None, state: str, created: float
) -> None:
    """One state is 1, all others are there at 0, and the age is that of what applies."""
    metrics = Metrics()
    bundle = replace(load_bundle(POLICIES / "default.yaml"), calibrations=Calibrations(loaded))
    metrics.serve(bundle, served)
    shown = {
        name: metrics.registry.get_sample_value("gatekeeper_calibration_info", {"state": name})
        for name in CALIBRATION_STATES
    }
    assert shown == {name: float(name == state) for name in CALIBRATION_STATES}
    told = metrics.registry.get_sample_value("gatekeeper_calibration_created_timestamp_seconds")
    assert told == created


@pytest.mark.parametrize(("policy", "floor"), [("default", 0.3), ("strict", 0.1), ("shadow", 0.0)])
def test_the_promised_coverage_shows(policy: str, floor: float) -> None:
    """The lowest floor of the gated conditions is shown, 0 where a policy is gated on none."""
    metrics = Metrics()
    metrics.serve(load_bundle(POLICIES / f"{policy}.yaml"))
    assert metrics.registry.get_sample_value("gatekeeper_coverage_floor_ratio") == floor
