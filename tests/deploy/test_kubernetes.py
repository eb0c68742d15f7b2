"""The manifests: built as kustomize builds them, validated, and read for what must hold."""

import copy
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from gatekeeper.cli.serve import serve_command
from gatekeeper.settings import Settings
from tests.deploy.kustomize import build, finished
from tests.deploy.places import DEPLOY, read_yaml

KUBERNETES = DEPLOY / "kubernetes"
VARIANTS = ("base", "overlays/production", "overlays/shadow", "overlays/gpu")
VERSIONS = ("1.33", "1.37")

needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="kubectl is not installed; objects were built by the tests' own code",
)


@cache
def built(variant: str) -> list[dict[str, Any]]:
    """Return the objects that a kustomization builds."""
    return finished(build(KUBERNETES / variant))


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


@needs_kubectl
@pytest.mark.parametrize("variant", VARIANTS)
def test_objects_are_built_as_kustomize_builds_them(variant: str) -> None:
    """The tests judge the very objects that `kubectl apply -k` would send."""
    command = (shutil.which("kubectl") or "kubectl", "kustomize", str(KUBERNETES / variant))
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = {(entry["kind"], entry["metadata"]["name"]): entry for entry in yaml.safe_load_all(output)}
    assert {(entry["kind"], entry["metadata"]["name"]): entry for entry in built(variant)} == theirs


def test_a_kustomization_that_cannot_be_built_here_is_refused(tmp_path: Path) -> None:
    """A field that the tests do not understand is no silent pass."""
    (tmp_path / "kustomization.yaml").write_text("resources: []\nnamePrefix: x-\n", encoding="utf-8")
    with pytest.raises(ValueError, match="namePrefix is not built here"):
        build(tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_manifests_fit_the_api(variant: str, version: str) -> None:
    """A cluster's API takes every object: names, types and no field that it does not know."""
    for entry in built(variant):
        kubernetes_validate.validate(entry, version, strict=True)


def test_a_misspelt_field_is_found() -> None:
    """The schemas refuse what no cluster would understand."""
    wrong = copy.deepcopy(of_kind(built("base"), "StatefulSet"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readinesProbe"):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_mounted_exists(variant: str) -> None:
    """No container waits for a volume that nothing declares."""
    spec = of_kind(built(variant), "StatefulSet")["spec"]
    inside = spec["template"]["spec"]
    declared = {volume["name"] for volume in inside["volumes"]}
    declared |= {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
    (container,) = inside["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == declared


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_command_line_is_one_that_the_gate_takes(variant: str) -> None:
    """No replica fails at start over an option that does not exist."""
    (container,) = of_kind(built(variant), "StatefulSet")["spec"]["template"]["spec"]["containers"]
    command, *options = container["args"]
    assert command == "serve"
    serve_command.make_context("serve", list(options))


def test_production_serves_certified_policies_only() -> None:
    """The production overlay does not start with a policy that no certificate covers."""
    production = built("overlays/production")
    (container,) = of_kind(production, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert "--require-certificate" in container["args"]
    assert of_kind(production, "StatefulSet")["spec"]["replicas"] == 3
    assert of_kind(production, "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 3


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
