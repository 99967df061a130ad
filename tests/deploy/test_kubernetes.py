"""The Kubernetes manifests: what they say exists, in Kubernetes, in the services, and in each other."""

import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import redis
import yaml

from deploy import origin, redis_server
from deploy.leash import Leash
from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream.settings import Settings as GenerateSettings
from shared.dialects import reads
from shared.http import OPERATION_ROUTES
from shared.settings import Settings
from tests.deploy import manifests
from tests.deploy.kustomize import Manifest, build
from tests.deploy.manifests import FOLDER, GATEWAY, OVERLAYS, SERVICES, kind, of, pods, selected
from tests.processes import ROOT

SETTINGS: dict[str, type[Settings]] = {"generate-stream": GenerateSettings, "consume-stream": ConsumeSettings}
SECRETS = {
    f"{user}_REDIS_URL": f"rediss://{user.lower()}:secret@redis.example.com:6379/0" for user in ("GENERATE", "CONSUME")
}
FOREIGN = {"HTTPRoute", "PodMonitor"}
"""Kinds that come with the Gateway API and the Prometheus operator, not with Kubernetes."""

OLDEST = "1.30"
"""The first that lets a process sleep before its SIGTERM without a shell. README names it."""

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)
each_service = pytest.mark.parametrize("service", SERVICES)


@each_overlay
def test_kubectl_makes_the_same_of_them(overlay: str) -> None:
    if not (kubectl := shutil.which("kubectl")):
        pytest.skip("kubectl is not on this machine: nothing tells whether it reads the overlays as the tests do")
    version = json.loads(subprocess.check_output([kubectl, "version", "--client", "--output=json"]))
    if "kustomizeVersion" not in version:
        pytest.skip("this kubectl is too old for components (Kubernetes 1.21)")
    made = subprocess.check_output([kubectl, "kustomize", str(FOLDER / "overlays" / overlay)])
    assert by_name(list(yaml.safe_load_all(made))) == by_name(of(overlay))


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("overlay", [*OVERLAYS, "gateway"])
def test_the_oldest_and_the_newest_kubernetes_take_every_manifest(overlay: str, version: str) -> None:
    for manifest in build(GATEWAY) if overlay == "gateway" else of(overlay):
        if manifest["kind"] in FOREIGN:
            with pytest.raises(kubernetes_validate.SchemaNotFoundError):
                kubernetes_validate.validate(manifest, version, strict=True)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_begins_with_what_it_is() -> None:
    found = [*manifests.texts()]
    assert len(found) > 20
    assert [path for path, text in found if not text.startswith("# ")] == []


@each_overlay
def test_every_selector_means_a_pod(overlay: str) -> None:
    for name, each in kind(overlay, "Deployment", "StatefulSet", "PodDisruptionBudget").items():
        assert selected(overlay, each["spec"]["selector"]) == {name}
    for name, service in kind(overlay, "Service").items():
        assert selected(overlay, {"matchLabels": service["spec"]["selector"]}) == {name}
    for name, pod in pods(overlay).items():
        for spread in pod.spec.get("topologySpreadConstraints", []):
            assert selected(overlay, spread["labelSelector"]) == {name}
    for monitor in kind(overlay, "PodMonitor").values():
        assert selected(overlay, monitor["spec"]["selector"]) == {*SERVICES}


@each_overlay
def test_every_port_is_one_that_a_pod_listens_on(overlay: str) -> None:
    for service in SERVICES:
        pod = pods(overlay)[service]
        environ = manifests.settings_of(overlay, pod, SECRETS)
        listens = SETTINGS[service].read(environ)
        assert (listens.host, pod.ports) == ("0.0.0.0", {"http": listens.port})
    for pod in pods(overlay).values():
        assert {port for probe in probes(pod).values() for port in ports_of(probe)} <= pod.ports.keys()
    for name, service_ in kind(overlay, "Service").items():
        assert [port["targetPort"] for port in service_["spec"]["ports"]] == [*pods(overlay)[name].ports]
    for monitor in kind(overlay, "PodMonitor").values():
        assert [each["port"] for each in monitor["spec"]["podMetricsEndpoints"]] == ["http"]


@each_overlay
@each_service
def test_a_probe_asks_what_it_is_for_and_only_readiness_asks_for_redis(overlay: str, service: str) -> None:
    asked = {name: probe["httpGet"]["path"] for name, probe in probes(pods(overlay)[service]).items()}
    assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    routes = {route.path for route in OPERATION_ROUTES}
    monitors = kind(overlay, "PodMonitor").values()
    assert {*asked.values(), *(each["spec"]["podMetricsEndpoints"][0]["path"] for each in monitors)} <= routes


@each_overlay
@each_service
def test_every_setting_is_one_that_its_service_reads(overlay: str, service: str) -> None:
    pod, known = pods(overlay)[service], {name for name, *_ in SETTINGS[service].table()}
    environ = manifests.settings_of(overlay, pod, SECRETS)
    assert environ.keys() | manifests.secret_keys(pod).keys() <= known
    assert SETTINGS[service].read(environ).redis_url == SECRETS[url_key(service)]
    [both] = [data for data in kind(overlay, "ConfigMap").values() if data["metadata"]["name"].startswith("both-")]
    assert both["data"].keys() <= {name for name, *_ in Settings.table()}


@each_overlay
@each_service
def test_secrets_come_by_reference_and_only_redis_is_needed(overlay: str, service: str) -> None:
    references = manifests.secret_keys(pods(overlay)[service])
    assert references.keys() == {each.name for _, each in SETTINGS[service]._variables() if each.secret}
    for name, reference in references.items():
        key = url_key(service) if name == "REDIS_URL" else name
        assert (reference["name"], reference["key"]) == ("rejoin", key)
        assert reference.get("optional", False) == (name != "REDIS_URL")


def test_the_images_are_those_that_compose_builds() -> None:
    composed = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"].values()
    built = {service["image"].partition(":")[0] for service in composed if "build" in service}
    [redis_image] = [service["image"] for service in composed if "build" not in service]
    asked = {name: pod.container["image"] for name, pod in pods("development").items()}
    assert asked.pop("redis") == redis_image
    assert set(asked.values()) == {f"{name}:dev" for name in built}
    bought = {pod.container["image"].rpartition("/")[2].partition(":")[0] for pod in pods("production").values()}
    assert bought == built


@pytest.mark.parametrize(
    "asked",
    [
        "/api/consume-stream", "/api/read-stream", "/api/sessions/12345678", "/api/generate-stream", "/api/models",
        "/api/chat", "/v1/responses", "/v1/chat/completions", *reads.PATHS,
        *(reads.PREFIX + each for each in reads.PATHS),
    ],
)  # fmt: skip
def test_the_edge_splits_paths_as_the_local_run_does(asked: str) -> None:
    # What it can't tell apart generate-stream sends on.
    is_read = origin.is_read("GET", asked) and asked not in reads.PATHS
    wanted = "consume-stream" if is_read else "generate-stream"
    [rule] = kind("production", "Ingress")["rejoin"]["spec"]["rules"]
    ingress = [(each["path"], each["backend"]["service"]["name"]) for each in rule["http"]["paths"]]
    [route] = [each for each in build(GATEWAY) if each["kind"] == "HTTPRoute"]
    gateway = [
        (match["path"]["value"], each["backendRefs"][0]["name"])
        for each in route["spec"]["rules"]
        for match in each["matches"]
    ]
    for rules in ingress, gateway:
        # Of the prefixes that fit, the longest one wins, in an Ingress and in an HTTPRoute.
        fit = {prefix: service for prefix, service in rules if f"{asked}/".startswith(f"{prefix.rstrip('/')}/")}
        assert fit[max(fit, key=len)] == wanted
        assert {service for _, service in rules} <= kind("production", "Service").keys()


def test_the_redis_for_development_keeps_what_it_gets(tmp_path: Path, leash: Leash) -> None:
    binary, *_ = redis_server.binaries()
    otherwise = ["--appendonly", "no", "--maxmemory-policy", "allkeys-lru"]
    arguments = pods("development")["redis"].container["args"]
    with (
        redis_server.start(binary, tmp_path, *otherwise, *arguments, leash=leash) as server,
        closing(redis.Redis.from_url(server.url, decode_responses=True)) as client,
    ):
        said = {name: client.config_get(name)[name] for name in ("appendonly", "maxmemory", "maxmemory-policy")}
    assert said == {"appendonly": "yes", "maxmemory": str(256 * 2**20), "maxmemory-policy": "noeviction"}


def test_the_redis_for_development_knows_the_services_by_the_passwords_they_bring() -> None:
    of_redis = kind("development", "Secret")["redis"]["stringData"]
    for service in SERVICES:
        url = urlsplit(kind("development", "Secret")["rejoin"]["stringData"][url_key(service)])
        assert service == f"{url.username}-stream"
        assert of_redis[f"REDIS_{str(url.username).upper()}_PASSWORD"] == url.password
    assert of_redis["REDISCLI_AUTH"] == of_redis["REDIS_ADMIN_PASSWORD"]


def url_key(service: str) -> str:
    """Where the Secret has the way to Redis as a user of its own."""
    return f"{service.partition('-')[0].upper()}_REDIS_URL"


def by_name(made: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    return {(each["kind"], each["metadata"]["name"]): each for each in made}


def probes(pod: manifests.Pod) -> dict[str, Any]:
    return {name: value for name, value in pod.container.items() if name.endswith("Probe")}


def ports_of(probe: dict[str, Any]) -> set[str]:
    return {probe[how]["port"] for how in ("httpGet", "tcpSocket") if how in probe}
