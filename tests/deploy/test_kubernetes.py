"""The manifests: built by kustomize where it is installed, validated, and read for what must hold."""

import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml

from gatekeeper.cli.serve import serve_command
from gatekeeper.settings import Settings
from tests.deploy.places import DEPLOY, read_yaml

KUBERNETES = DEPLOY / "kubernetes"
VARIANTS = ("base", "overlays/production", "overlays/shadow", "overlays/gpu")
VERSION = "1.33"

needs_kustomize = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl, which builds kustomizations, is not installed"
)


@cache
def built(variant: str) -> list[dict[str, Any]]:
    """Return the objects that a kustomization builds."""
    command = (shutil.which("kubectl") or "kubectl", "kustomize", str(KUBERNETES / variant))
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(output))


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the one object of a kind."""
    (found,) = [entry for entry in objects if entry["kind"] == kind]
    return found


def shipped() -> list[dict[str, Any]]:
    """Return the base's objects as they are written."""
    names = read_yaml(KUBERNETES / "base" / "kustomization.yaml")["resources"]
    texts = [(KUBERNETES / "base" / name).read_text(encoding="utf-8") for name in names]
    return [entry for text in texts for entry in yaml.safe_load_all(text)]


def pod() -> dict[str, Any]:
    """Return the pod that the base describes."""
    template: dict[str, Any] = of_kind(shipped(), "StatefulSet")["spec"]["template"]
    return template


@needs_kustomize
@pytest.mark.parametrize("variant", VARIANTS)
def test_manifests_fit_the_api(variant: str) -> None:
    """A cluster's API takes every object: names, types and no field that it does not know."""
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for entry in built(variant):
        validator.validate(entry, VERSION, strict=True)


@needs_kustomize
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_mounted_exists(variant: str) -> None:
    """No container waits for a volume that nothing declares."""
    spec = of_kind(built(variant), "StatefulSet")["spec"]
    inside = spec["template"]["spec"]
    declared = {volume["name"] for volume in inside["volumes"]}
    declared |= {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
    (container,) = inside["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == declared


@needs_kustomize
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_command_line_is_one_that_the_gate_takes(variant: str) -> None:
    """No replica fails at start over an option that does not exist."""
    (container,) = of_kind(built(variant), "StatefulSet")["spec"]["template"]["spec"]["containers"]
    command, *options = container["args"]
    assert command == "serve"
    serve_command.make_context("serve", list(options))


@needs_kustomize
def test_production_serves_certified_policies_only() -> None:
    """The production overlay does not start with a policy that no certificate covers."""
    production = built("overlays/production")
    (container,) = of_kind(production, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert "--require-certificate" in container["args"]
    assert of_kind(production, "StatefulSet")["spec"]["replicas"] == 3
    assert of_kind(production, "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 3


@needs_kustomize
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_gate_may_talk_to_whom_it_must(variant: str) -> None:
    """Labels that kustomize adds do not close the way to name resolution, model server and database."""
    egress = of_kind(built(variant), "NetworkPolicy")["spec"]["egress"]
    assert [peer["podSelector"]["matchLabels"] for rule in egress for peer in rule["to"]] == [
        {"k8s-app": "kube-dns"},
        {"app": "model-server"},
        {"app": "postgres"},
    ]


def test_replicas_have_no_rights_that_they_do_not_need() -> None:
    """Not root, no token, no capability, nothing to write but volumes."""
    spec = pod()["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_every_selector_finds_the_replicas() -> None:
    """Services, disruption budget, network policy and the set itself speak of the same pods."""
    objects, labels = shipped(), pod()["metadata"]["labels"]
    services = [entry["spec"]["selector"] for entry in objects if entry["kind"] == "Service"]
    others = (
        of_kind(objects, "StatefulSet")["spec"]["selector"]["matchLabels"],
        of_kind(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        of_kind(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    )
    assert all(selector == labels for selector in (*services, *others))
    assert of_kind(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["kind"] == "StatefulSet"


def test_requests_end_before_a_replica_does() -> None:
    """A replica that is taken away has time for the requests under way."""
    settings = read_yaml(KUBERNETES / "base" / "gatekeeper.yaml")
    assert pod()["spec"]["terminationGracePeriodSeconds"] > settings["drain_s"] + 5


@pytest.mark.parametrize("path", ["base/gatekeeper.yaml", "overlays/gpu/gatekeeper.yaml"])
def test_the_gate_knows_every_setting(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address from their secret, the settings that replicas start with are ones the gate takes."""
    monkeypatch.setenv("GATEKEEPER_REVIEW_DB", "postgresql://gatekeeper@postgres/gatekeeper")
    Settings(**read_yaml(KUBERNETES / path))


def test_variables_are_settings() -> None:
    """No variable of the pod is misspelt."""
    (container,) = pod()["spec"]["containers"]
    names = {entry["name"].removeprefix("GATEKEEPER_").lower() for entry in container["env"]}
    assert names <= set(Settings.model_fields)
