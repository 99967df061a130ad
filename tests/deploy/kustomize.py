"""What `kubectl kustomize` makes of a folder, for machines without it: the few features that ours use, no other."""

import copy
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

MERGED_BY_KEY = {"containers", "env", "ports", "volumes", "volumeMounts", "tolerations", "imagePullSecrets"}
"""Lists that kustomize merges element by element. Here a list is replaced, so none of these may stand in a patch."""

_ALPHABET = str.maketrans("013ae", "ghkmt")


def build(folder: Path) -> list[Manifest]:
    """All manifests, as they would be applied. Raises AssertionError for what this does not know."""
    manifests = _accumulated(folder)
    names = {}
    for each in manifests:
        if each.pop("generated", False):
            name = each["metadata"]["name"]
            names[name] = each["metadata"]["name"] = f"{name}-{_hash(each)}"
    for each in manifests:
        _rename(each, names)
    return manifests


def _accumulated(folder: Path, before: Sequence[Manifest] = ()) -> list[Manifest]:
    """What a folder makes; a component, of what was there before."""
    made = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert made.pop("kind") in {"Kustomization", "Component"}
    del made["apiVersion"]
    manifests = [*before]
    for each in made.pop("resources", []):
        path = folder / each
        manifests += _accumulated(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
    for each in made.pop("components", []):
        manifests = _accumulated(folder / each, manifests)
    for generator in made.pop("configMapGenerator", []):
        _generate(folder, generator, manifests)
    for patch in made.pop("patches", []):
        _patch(folder, patch, manifests)
    steps: dict[str, Callable[[Manifest, Any], None]] = {"namespace": _place, "labels": _label, "images": _image}
    for step, how in steps.items():
        if value := made.pop(step, None):
            for each in manifests:
                how(each, value)
    assert not made, f"{folder}: {sorted(made)} is not known here"
    return manifests


def _generate(folder: Path, generator: Manifest, manifests: list[Manifest]) -> None:
    name, behavior = generator.pop("name"), generator.pop("behavior", "create")
    lines = [line for each in generator.pop("envs", []) for line in (folder / each).read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")] + generator.pop("literals", [])
    files = {name: (folder / name).read_text() for name in generator.pop("files", [])}
    assert not generator, generator
    assert behavior in {"create", "merge"}
    found = [each for each in manifests if each["kind"] == "ConfigMap" and each["metadata"]["name"] == name]
    assert len(found) == (behavior == "merge"), name
    if not found:
        found = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}, "generated": True}]
        manifests += found
    found[0]["data"].update(line.split("=", 1) for line in lines)
    found[0]["data"].update(files)


def _patch(folder: Path, patch: Manifest, manifests: list[Manifest]) -> None:
    text = patch.pop("patch", None) or (folder / patch.pop("path")).read_text()
    changes, target = yaml.safe_load(text), patch.pop("target", None)
    assert not patch, patch
    target = target or {"kind": changes["kind"], "name": changes["metadata"]["name"]}
    kind, name = target.pop("kind"), target.pop("name")
    assert not target, target
    hit = [each for each in manifests if each["kind"] == kind and re.fullmatch(name, each["metadata"]["name"])]
    assert hit, f"{folder}: a patch of {kind} {name} meets nothing"
    for each in hit:
        if isinstance(changes, dict):
            _merge(each, copy.deepcopy(changes))
        for change in changes if isinstance(changes, list) else []:
            _change(each, **change)


def _merge(into: Manifest, changes: Manifest) -> None:
    assert not MERGED_BY_KEY & changes.keys(), changes
    for key, value in changes.items():
        assert not key.startswith("$"), key
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _change(manifest: Any, op: str, path: str, value: Any = None) -> None:
    *parents, last = path.removeprefix("/").split("/")
    for each in parents:
        manifest = manifest[int(each) if isinstance(manifest, list) else each]
    assert isinstance(manifest, dict), path
    assert op in {"add", "replace", "remove"}
    assert op == "add" or last in manifest, path
    if op == "remove":
        del manifest[last]
    else:
        manifest[last] = value


def _place(manifest: Manifest, namespace: str) -> None:
    if manifest["kind"] != "Namespace":
        manifest["metadata"]["namespace"] = namespace


def _label(manifest: Manifest, labels: list[Manifest]) -> None:
    for each in labels:
        assert each.keys() == {"pairs", "includeTemplates"}
        places = [manifest]
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            places.append(manifest["spec"]["template"])
        for place in places:
            place["metadata"].setdefault("labels", {}).update(each["pairs"])


def _image(manifest: Manifest, images: list[Manifest]) -> None:
    for container in manifest.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
        for image in images:
            assert image.keys() <= {"name", "newName", "newTag"}
            if container["image"] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"


def _rename(manifest: Any, names: dict[str, str]) -> None:
    for key, value in manifest.items() if isinstance(manifest, dict) else enumerate(manifest):
        if key in {"configMapRef", "configMap"}:
            value["name"] = names[value["name"]]
        elif isinstance(value, dict | list):
            _rename(value, names)


def _hash(manifest: Manifest) -> str:
    held = {"data": manifest["data"], "kind": "ConfigMap", "name": ""}
    text = json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # As Go writes JSON.
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_ALPHABET)
