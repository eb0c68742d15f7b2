"""A proxy that requires a certificate: what starts, what reloads, what it says, and when it stops."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest

from gatekeeper.audit import verify
from gatekeeper.audit.log import lines_of
from gatekeeper.backends.base import Backend
from gatekeeper.backends.extractive import ExtractiveBackend
from gatekeeper.certificate import code_digest, new_key, trusted_line
from gatekeeper.errors import AuditError, CertificateError, ConfigurationError
from gatekeeper.policy import load_policy
from gatekeeper.server.app import create_app
from gatekeeper.server.runtime import Runtime
from gatekeeper.settings import POLICIES, Settings
from tests.certificate.conftest import Signer
from tests.serving import serving

Start = Callable[..., "Served"]

QUESTION = {
    "messages": [{"role": "user", "content": "After how many months is the nodule imaged again?"}],
    "evidence": ["The nodule is imaged again after 6 months."],
}
OTHER = "sha256:" + "f" * 64
NOW = datetime.now(UTC)
GLASS = {
    "break_glass_by": "Dr. A. Example",
    "break_glass_reason": "the certified model is down",
    "break_glass_until": NOW + timedelta(hours=8),
}


@dataclass
class Site:
    """A policy file, a signer that is trusted, and settings that require a certificate."""

    signer: Signer
    keys: Path
    policy: Path
    log: Path

    def certificate(self, **changes: Any) -> Path:
        """Mint a certificate for what this site serves, with some of its fields changed."""
        fields = {
            "policy": load_policy(self.policy).digest,
            "fingerprint": ExtractiveBackend().fingerprint,
            "calibration": None,
            "code": code_digest(),
            "issued": NOW - timedelta(days=1),
            "expires": NOW + timedelta(days=89),
        }
        return self.signer.certificate(**{**fields, **changes})

    def settings(self, *certificates: Path, **more: Any) -> Settings:
        """Return settings that name these certificates."""
        return Settings(
            policy=self.policy,
            require_certificate=True,
            trusted_keys=self.keys,
            certificate=certificates,
            audit_log=self.log,
            **more,
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the decision log's events of a kind."""
        verify(self.log)
        return [event for line in lines_of(self.log) if (event := orjson.loads(line))["event"] == name]


@pytest.fixture
def site(signer: Signer, tmp_path: Path) -> Site:
    """Return a site that serves the default policy."""
    policy = tmp_path / "policies" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text((POLICIES / "default.yaml").read_text())
    return Site(signer, tmp_path / "hospital.keys", policy, tmp_path / "decisions.jsonl")


@dataclass
class Served:
    """A proxy, its clock and its inside."""

    client: httpx.Client
    runtime: Runtime
    clock: list[datetime]

    def ask(self) -> httpx.Response:
        """Ask a question."""
        return self.client.post("/v1/chat/completions", json=QUESTION)

    def metric(self, name: str) -> float:
        """Return a metric's value."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that serves a proxy on loopback, whose clock a test may set."""
    clock = [NOW]
    monkeypatch.setattr("gatekeeper.server.certification._utc_now", lambda: clock[0])
    with contextlib.ExitStack() as stack:

        def make(settings: Settings, backend: Backend | None = None) -> Served:
            app = create_app(settings, backend)
            port = stack.enter_context(serving(app))
            client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}"))
            return Served(client, app.state.runtime, clock)

        yield make


async def refusal(settings: Settings) -> str | None:
    """Return the code with which a process refuses to start."""
    with pytest.raises(CertificateError) as refused:
        async with Runtime(settings).running():
            pass
    return refused.value.code


def test_a_certified_policy_starts_and_says_so(site: Site, start: Start) -> None:
    """Responses, readiness, metrics and the decision log all name the certificate's state."""
    served = start(site.settings(site.certificate()))
    response = served.ask()
    assert response.status_code == 200
    assert response.json()["gatekeeper"]["policy"]["certified"] is True
    state = served.client.get("/readyz").json()
    expires = NOW + timedelta(days=89)
    assert state["certificate"] == {"certified": True, "override": False, "until": expires.isoformat()}
    assert served.metric("gatekeeper_certificate_expiry_timestamp_seconds") == expires.timestamp()
    assert served.metric("gatekeeper_break_glass_active") == 0
    assert [event["signer"] for event in site.events("certificate")] == ["hospital"]
    assert [event["certified"] for event in site.events("decision")] == [True]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("policy", {"policy": OTHER}),
        ("model", {"fingerprint": "openai:another"}),
        ("calibration", {"calibration": OTHER}),
        ("code", {"code": OTHER}),
        ("expired", {"expires": NOW - timedelta(seconds=1)}),
    ],
)
async def test_a_certificate_of_something_else_does_not_start(
    site: Site, code: str, changes: dict[str, Any]
) -> None:
    """The process ends before it is ready, and names the binding that failed."""
    assert await refusal(site.settings(site.certificate(**changes))) == code


async def test_no_certificate_does_not_start(site: Site) -> None:
    """No certificate, no deployment."""
    assert await refusal(site.settings()) == "absent"


async def test_a_certificate_that_somebody_else_signed_does_not_start(
    site: Site, new_signer: Callable[[str], Signer]
) -> None:
    """A perfect statement under an unknown key is worth nothing."""
    stranger = Site(new_signer("stranger"), site.keys, site.policy, site.log)
    assert await refusal(site.settings(stranger.certificate())) == "unknown_key"


async def test_a_tampered_certificate_does_not_start(site: Site) -> None:
    """One changed byte in the signature and the process does not come up."""
    path = site.certificate()
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    lines[0]["signatures"][0]["sig"] = lines[1]["signatures"][0]["sig"]
    path.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    assert await refusal(site.settings(path)) == "tampered"


def test_one_bad_file_does_not_spoil_a_good_one(site: Site, start: Start, tmp_path: Path) -> None:
    """A certificate that cannot be read is passed over where another one holds."""
    served = start(site.settings(tmp_path / "missing.jsonl", site.certificate()))
    assert served.ask().json()["gatekeeper"]["policy"]["certified"] is True


def test_an_uncertified_policy_is_refused_at_reload(site: Site, start: Start) -> None:
    """Editing the policy file changes nothing until the new version is certified, and is counted."""
    served = start(site.settings(site.certificate()))
    before = load_policy(site.policy).digest
    site.policy.write_text(site.policy.read_text().replace('version: "1.0"', 'version: "1.1"'))
    served.runtime.reload()
    assert served.ask().json()["gatekeeper"]["policy"] == {
        "name": "default",
        "version": "1.0",
        "digest": before,
        "certified": True,
    }
    assert served.metric('gatekeeper_policy_reloads_total{result="refused"}') >= 1


def test_a_policy_certified_in_advance_is_taken_at_reload(site: Site, start: Start) -> None:
    """With the certificate of the next version at hand, the change of file is all it takes."""
    text = site.policy.read_text()
    site.policy.write_text(text.replace('version: "1.0"', 'version: "1.1"'))
    following = site.certificate()
    site.policy.write_text(text)
    served = start(site.settings(site.certificate(), following))
    site.policy.write_text(text.replace('version: "1.0"', 'version: "1.1"'))
    served.runtime.reload()
    policy = served.ask().json()["gatekeeper"]["policy"]
    assert (policy["version"], policy["certified"]) == ("1.1", True)


def test_an_expired_certificate_ends_the_service(site: Site, start: Start) -> None:
    """From that second on no answer leaves, readiness fails, and the log says why."""
    served = start(site.settings(site.certificate()))
    served.clock[0] = NOW + timedelta(days=90)
    response = served.ask()
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "not_certified"
    ready = served.client.get("/readyz")
    assert (ready.status_code, ready.json()["certificate"]["certified"]) == (503, False)
    assert [event["code"] for event in site.events("no_decision")] == ["not_certified"]


def test_a_renewed_certificate_is_read_at_reload(site: Site, start: Start) -> None:
    """Replacing the file and sending SIGHUP extends the service without a restart."""
    path = site.certificate()
    served = start(site.settings(path))
    path.write_bytes(site.certificate(expires=NOW + timedelta(days=400)).read_bytes())
    served.runtime.reload()
    served.clock[0] = NOW + timedelta(days=90)
    assert served.ask().json()["gatekeeper"]["policy"]["certified"] is True


def test_a_renewal_that_cannot_be_recorded_is_not_in_force(
    site: Site, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody serves under a leave that the decision log does not know."""
    path = site.certificate()
    served = start(site.settings(path))
    path.write_bytes(site.certificate(expires=NOW + timedelta(days=400)).read_bytes())

    def full(record: dict[str, object]) -> None:
        raise AuditError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(served.runtime, "record", full)
        served.runtime.reload()

    assert (
        served.client.get("/readyz").json()["certificate"]["until"] == (NOW + timedelta(days=89)).isoformat()
    )
    served.runtime.reload()
    assert (
        served.client.get("/readyz").json()["certificate"]["until"] == (NOW + timedelta(days=400)).isoformat()
    )
    assert len(site.events("certificate")) == 2


class Swapped(ExtractiveBackend):
    """A backend whose model is not the one it is named after."""

    @property
    def fingerprint(self) -> str:
        return "openai:the certified one"


def test_a_model_swapped_behind_the_address_gives_no_answer(site: Site, start: Start) -> None:
    """Whoever answers must be who was certified, answer by answer."""
    certificate = site.certificate(fingerprint=Swapped().fingerprint)
    response = start(site.settings(certificate), Swapped()).ask()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "not_certified")


def test_a_broken_glass_serves_uncertified_and_is_seen_everywhere(site: Site, start: Start) -> None:
    """Every response, the metrics, readiness and the decision log show who decided it and until when."""
    served = start(site.settings(**GLASS))
    assert served.ask().json()["gatekeeper"]["policy"]["certified"] is False
    assert served.metric("gatekeeper_break_glass_active") == 1
    assert served.metric("gatekeeper_certificate_expiry_timestamp_seconds") == 0
    assert served.client.get("/readyz").json()["certificate"]["override"] is True
    event = site.events("break_glass")[0]
    assert (event["by"], event["reason"]) == (GLASS["break_glass_by"], GLASS["break_glass_reason"])
    served.clock[0] = NOW + timedelta(hours=9)
    assert served.ask().status_code == 503
    assert served.metric("gatekeeper_break_glass_active") == 0


class Nameless(ExtractiveBackend):
    """A backend in front of several models."""

    @property
    def fingerprint(self) -> str:
        return cast(str, None)


def test_a_broken_glass_needs_neither_keys_nor_fingerprint(site: Site, start: Start) -> None:
    """What an emergency lacks most does not stand in its way."""
    site.keys.unlink()
    served = start(site.settings(site.certificate(), **GLASS), Nameless())
    assert served.ask().json()["gatekeeper"]["policy"]["certified"] is False


async def test_a_model_without_a_name_cannot_be_certified(site: Site) -> None:
    """A pool of different models is bound by no certificate, and the refusal says what to declare."""
    runtime = Runtime(site.settings(site.certificate(fingerprint="unknown")), Nameless())
    with pytest.raises(CertificateError, match="--fingerprint") as refused:
        async with runtime.running():
            pass
    assert refused.value.code == "model"


@pytest.mark.parametrize(
    "settings",
    [
        {**GLASS, "break_glass_reason": None},
        {**GLASS, "break_glass_by": None},
        {**GLASS, "break_glass_until": None},
        {**GLASS, "audit_log": None},
        {"trusted_keys": None},
    ],
)
def test_incomplete_settings_are_refused_at_once(site: Site, settings: dict[str, Any]) -> None:
    """An override without name, reason, end or log, and trust in nobody, are configuration errors."""
    given = {**site.settings().model_dump(), **settings}
    with pytest.raises(ConfigurationError):
        Runtime(Settings(**given))


def test_shadow_mode_needs_no_certificate_and_never_says_certified(site: Site, start: Start) -> None:
    """A policy that holds nothing is watched, not certified, even with a certificate at hand."""
    site.policy.write_text((POLICIES / "shadow.yaml").read_text())
    served = start(site.settings(site.certificate()))
    body = served.ask().json()["gatekeeper"]
    assert (body["mode"], body["policy"]["certified"]) == ("shadow", False)


def test_without_the_requirement_nothing_is_asked_and_nothing_claimed(site: Site, start: Start) -> None:
    """A proxy that was not told to require a certificate serves, and does not call itself certified."""
    served = start(Settings(policy=site.policy))
    assert served.ask().json()["gatekeeper"]["policy"]["certified"] is False
    assert "certificate" not in served.client.get("/readyz").json()


def test_two_signers_may_be_trusted(site: Site, start: Start) -> None:
    """Changing keys is done by trusting both for a while."""
    line = site.keys.read_text()
    other = new_key()
    site.keys.write_text(f"{trusted_line(other.public_key(), 'next')}\n{line}")
    assert start(site.settings(site.certificate())).ask().status_code == 200
