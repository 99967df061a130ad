"""What the overlays apply: manifests by kind and name, the pods they make, and which of them a selector means."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.deploy.kustomize import Manifest, build
from tests.processes import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
GATEWAY = FOLDER / "components" / "gateway"
"""No overlay uses it: it may take the place of the other edge."""

SERVICES = ("generate-stream", "consume-stream")


class Pod(NamedTuple):
    """What one Deployment or StatefulSet starts, any number of times."""

    name: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """Its one container."""
        [container] = self.spec["containers"]
        return dict(container)

    @property
    def ports(self) -> dict[str, int]:
        """Its ports by name."""
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}


@functools.cache
def of(overlay: str) -> list[Manifest]:
    """All manifests of an overlay. To be read, not to be changed."""
    return build(FOLDER / "overlays" / overlay)


def kind(overlay: str, *kinds: str) -> dict[str, Manifest]:
    """Those of some kinds, by name."""
    return {each["metadata"]["name"]: each for each in of(overlay) if each["kind"] in kinds}


def pods(overlay: str) -> dict[str, Pod]:
    """All pods, by name."""
    templates = {name: each["spec"]["template"] for name, each in kind(overlay, "Deployment", "StatefulSet").items()}
    return {name: Pod(name, each["metadata"]["labels"], each["spec"]) for name, each in templates.items()}


def selected(overlay: str, selector: dict[str, Any]) -> set[str]:
    """The names of the pods that a label selector means."""
    assert selector.keys() <= {"matchLabels", "matchExpressions"}
    return {name for name, pod in pods(overlay).items() if _matches(pod.labels, selector)}


def settings_of(overlay: str, pod: Pod, secrets: dict[str, str]) -> dict[str, str]:
    """The environment of its container, with `secrets` for what it takes from the Secret."""
    environ: dict[str, str] = {}
    for each in pod.container.get("envFrom", []):
        environ |= kind(overlay, "ConfigMap")[each["configMapRef"]["name"]]["data"]
    for name, reference in secret_keys(pod).items():
        if reference["key"] in secrets:
            environ[name] = secrets[reference["key"]]
    return environ


def secret_keys(pod: Pod) -> dict[str, dict[str, Any]]:
    """What its variables refer to in Secrets."""
    return {each["name"]: each["valueFrom"]["secretKeyRef"] for each in pod.container["env"]}


def texts() -> Iterator[tuple[Path, str]]:
    """Every file, with its text."""
    yield from ((path, path.read_text()) for path in sorted(FOLDER.rglob("*.*")))


def _matches(labels: dict[str, str], selector: dict[str, Any]) -> bool:
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
