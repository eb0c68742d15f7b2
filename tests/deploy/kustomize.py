"""What `kubectl kustomize` builds, for the part of kustomize that the shipped overlays use.

So that the manifests are checked where no kubectl is installed. Where one is, a test compares both.
"""

import copy
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from tests.deploy.places import read_yaml

Manifest = dict[str, Any]
Step = Callable[[list[Manifest], Any, Path], list[Manifest]]

_MERGED_BY: Final = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
}
"""What a list's entries are merged by (`x-kubernetes-patch-merge-key` of the API); others are replaced."""


def build(folder: Path) -> list[Manifest]:
    """Return the objects that a kustomization builds; raise ValueError for a field that is not known here."""
    content = read_yaml(folder / "kustomization.yaml")
    unknown = content.keys() - _STEPS.keys() - {"apiVersion", "kind", "resources"}
    if unknown:
        raise ValueError(f"{folder}: {', '.join(sorted(unknown))} is not built here")
    objects = [entry for name in content["resources"] for entry in _resources(folder / name)]
    for name, step in _STEPS.items():
        if name in content:
            objects = step(objects, content[name], folder)
    return objects


def finished(objects: list[Manifest]) -> list[Manifest]:
    """Return built objects with each ConfigMap named by its content, as kustomize does last of all."""
    named = {entry["metadata"]["name"]: entry for entry in objects if entry["kind"] == "ConfigMap"}
    renamed = {name: f"{name}-{_hash(entry)}" for name, entry in named.items()}
    return [_renamed(entry, renamed) for entry in objects]


def _resources(path: Path) -> list[Manifest]:
    if path.is_dir():
        return build(path)
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _generate(objects: list[Manifest], generators: list[Manifest], folder: Path) -> list[Manifest]:
    for generator in generators:
        data = {name: (folder / name).read_text(encoding="utf-8") for name in generator["files"]}
        if generator.get("behavior") == "replace":
            replaced = _one(objects, "ConfigMap", generator["name"])
            replaced["data"] = data
        else:
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}}
            objects = [*objects, {**made, "data": data}]
    return objects


def _patch(objects: list[Manifest], patches: list[Manifest], folder: Path) -> list[Manifest]:
    for patch in patches:
        text = patch.get("patch") or (folder / patch["path"]).read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        about = patch.get("target") or {"kind": content["kind"], "name": content["metadata"]["name"]}
        target = _one(objects, about["kind"], about["name"])
        if isinstance(content, list):
            for operation in content:
                _operate(target, operation)
        elif content.get("$patch") == "delete":
            objects = [entry for entry in objects if entry is not target]
        else:
            target.update(_merged(target, content))
    return objects


def _operate(target: Manifest, operation: Manifest) -> None:
    """Apply one operation of a JSON patch (RFC 6902): `replace`, or `add` at a list's end."""
    *steps, last = operation["path"].strip("/").split("/")
    place: Any = target
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    match operation["op"], last:
        case "add", "-":
            place.append(operation["value"])
        case "replace", name if name in place:
            place[name] = operation["value"]
        case other:
            raise ValueError(f"{other} is not applied here")


def _merged(old: Any, new: Any, name: str = "") -> Any:
    """Merge strategically: mappings by key, the lists of `_MERGED_BY` by entry, new entries first."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value, key) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and name in _MERGED_BY:
        key = _MERGED_BY[name]
        given = {entry[key]: entry for entry in new}
        kept = [_merged(entry, given.pop(entry[key])) if entry[key] in given else entry for entry in old]
        return [*given.values(), *kept]
    return new


def _label(objects: list[Manifest], labels: list[Manifest], folder: Path) -> list[Manifest]:
    for entry in objects:
        for added in labels:
            entry["metadata"].setdefault("labels", {}).update(added["pairs"])
    return objects


def _place(objects: list[Manifest], namespace: str, folder: Path) -> list[Manifest]:
    for entry in objects:
        entry["metadata"]["namespace"] = namespace
    return objects


def _scale(objects: list[Manifest], replicas: list[Manifest], folder: Path) -> list[Manifest]:
    for given in replicas:
        _one(objects, "StatefulSet", given["name"])["spec"]["replicas"] = given["count"]
    return objects


def _image(objects: list[Manifest], images: list[Manifest], folder: Path) -> list[Manifest]:
    named = {image["name"]: f"{image['newName']}:{image['newTag']}" for image in images}
    for container in _containers(objects):
        container["image"] = named.get(container["image"], container["image"])
    return objects


_STEPS: Final[dict[str, Step]] = {
    "configMapGenerator": _generate,
    "patches": _patch,
    "namespace": _place,
    "labels": _label,
    "replicas": _scale,
    "images": _image,
}
"""In the order in which kustomize does them."""


def _containers(objects: list[Manifest]) -> Iterator[Manifest]:
    for entry in objects:
        yield from entry.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())


def _one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [entry for entry in objects if (entry["kind"], entry["metadata"]["name"]) == (kind, name)]
    return found


def _renamed(entry: Manifest, names: dict[str, str]) -> Manifest:
    entry = copy.deepcopy(entry)
    if entry["kind"] == "ConfigMap":
        entry["metadata"]["name"] = names[entry["metadata"]["name"]]
    for volume in entry.get("spec", {}).get("template", {}).get("spec", {}).get("volumes", ()):
        if "configMap" in volume:
            volume["configMap"]["name"] = names[volume["configMap"]["name"]]
    return entry


def _hash(config: Manifest) -> str:
    """Return kustomize's suffix: ten hex digits of the content's SHA-256, without those that spell words."""
    said = {"data": config["data"], "kind": "ConfigMap", "name": ""}
    digest = hashlib.sha256(orjson.dumps(said)).hexdigest()[:10]
    return digest.translate(str.maketrans("013ae", "ghkmt"))
