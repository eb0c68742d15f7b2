"""The compose file, as far as it can be read without an engine."""

import re
from collections.abc import Iterator
from typing import Any

from gatekeeper.settings import Settings
from tests.deploy.places import DEPLOY, PROMETHEUS, read_yaml

COMPOSE = read_yaml(DEPLOY / "compose" / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_the_whole_picture_is_there() -> None:
    """Proxy, review database, Prometheus and Grafana start together."""
    assert set(SERVICES) == {"gatekeeper", "postgres", "prometheus", "grafana"}


def test_no_service_has_more_rights_than_it_needs() -> None:
    """Roots are read-only, capabilities dropped, ports on loopback, versions named."""
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert not service["image"].endswith((":latest", "/" + name)), name


def test_every_name_is_declared() -> None:
    """No service mounts a volume, secret or network that the file does not declare."""
    for service in SERVICES.values():
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service.get("depends_on", ())) <= set(SERVICES)
    named = {source for source, _ in _mounts() if not source.startswith(".")}
    assert named == set(COMPOSE["volumes"])


def test_every_mounted_folder_is_shipped() -> None:
    """Rules, dashboards and provisioning are where compose looks for them."""
    for source, _ in _mounts():
        if source.startswith("."):
            assert (DEPLOY / "compose" / source).resolve().is_dir()


def test_the_gate_knows_every_setting() -> None:
    """No variable is misspelt: the gate ignores environment variables that it does not know."""
    given = {name for name in SERVICES["gatekeeper"]["environment"] if name.startswith("GATEKEEPER_")}
    assert {name.removeprefix("GATEKEEPER_").lower() for name in given} - set(Settings.model_fields) == set()


def test_the_example_names_every_variable() -> None:
    """Filling in the example is enough to start."""
    text = (DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8")
    example = (DEPLOY / "compose" / "example.env").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)", text)) == set(re.findall(r"(?m)^(\w+)=", example))


def test_prometheus_scrapes_the_gate_by_its_name() -> None:
    """The scrape target is the service, under the job name that the alerts expect."""
    (job,) = read_yaml(PROMETHEUS / "prometheus.yaml")["scrape_configs"]
    assert job["job_name"].startswith("gatekeeper")
    assert job["dns_sd_configs"][0]["names"] == ["gatekeeper"]


def _mounts() -> Iterator[tuple[str, str]]:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source, target = volume.split(":")[:2]
            yield source, target
