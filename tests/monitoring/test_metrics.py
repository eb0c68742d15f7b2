"""Metrics: closed label sets, created at zero, in step with what was decided."""

from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

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
