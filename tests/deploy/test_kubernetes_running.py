"""The Kubernetes manifests, running: what a pod may do, how it leaves, and how many there are."""

import pytest
import yaml

from services.consume_stream import metrics as consume_metrics
from services.consume_stream import sse
from services.consume_stream.settings import Settings as ConsumeSettings
from services.generate_stream import metrics as generate_metrics
from services.generate_stream import producer, reading
from services.generate_stream.settings import Settings as GenerateSettings
from shared import server, unsent
from tests.deploy import manifests
from tests.deploy.manifests import FOLDER, OVERLAYS, SERVICES, kind, pods

MIB = 2**20
IDLE_BYTES = {"generate-stream": 72 * MIB, "consume-stream": 44 * MIB}
VIEWER_BYTES = (28 + 24) * 1024
"""One who waits, and its batch when it reads slowly."""

SECRETS = dict.fromkeys(("GENERATE_REDIS_URL", "CONSUME_REDIS_URL"), "redis://redis:6379/0")
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


@each_overlay
def test_no_pod_may_do_more_than_it_needs(overlay: str) -> None:
    for pod in pods(overlay).values():
        assert (pod.spec["automountServiceAccountToken"], pod.spec["enableServiceLinks"]) == (False, False)
        assert pod.spec["serviceAccountName"] in kind(overlay, "ServiceAccount")
        runs = pod.spec["securityContext"]
        assert runs["runAsNonRoot"] is True
        assert runs["runAsUser"] == (999 if pod.name == "redis" else 10001)
        assert runs["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod.container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@each_overlay
def test_a_pod_has_the_time_that_its_drain_takes(overlay: str) -> None:
    writes, reads = (pods(overlay)[service] for service in SERVICES)
    drain_s = GenerateSettings.read(manifests.settings_of(overlay, writes, SECRETS)).drain_s
    grace_s = writes.spec["terminationGracePeriodSeconds"]
    assert grace_s > leaves_s(writes) + drain_s + producer._LET_GO_S + server._GRACE_S
    assert reads.spec["terminationGracePeriodSeconds"] > leaves_s(reads) + unsent.FLUSH_S + server._GRACE_S


@each_overlay
def test_a_roll_out_takes_no_process_away_before_the_next_is_ready(overlay: str) -> None:
    for name, deployment in kind(overlay, "Deployment").items():
        assert deployment["spec"]["strategy"] == {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
        # By then every balancer has heard of it: readiness is asked for more often than that.
        assert leaves_s(pods(overlay)[name]) > pods(overlay)[name].container["readinessProbe"]["periodSeconds"]


@each_overlay
def test_nobody_is_cut_by_the_next_process_before_he_had_the_time_to_come_back(overlay: str) -> None:
    assert kind(overlay, "Deployment")["consume-stream"]["spec"]["minReadySeconds"] * 1000 > max(sse._RETRY_MS)


@each_overlay
def test_a_node_can_be_emptied_though_nothing_is_ready(overlay: str) -> None:
    budgets = kind(overlay, "PodDisruptionBudget")
    assert budgets.keys() == kind(overlay, "Deployment").keys()
    for budget in budgets.values():
        assert (budget["spec"]["maxUnavailable"], "minAvailable" in budget["spec"]) == (1, False)
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


@each_overlay
def test_memory_is_enough_for_all_that_the_settings_allow(overlay: str) -> None:
    writes, reads = (pods(overlay)[service] for service in SERVICES)
    of_writer = GenerateSettings.read(manifests.settings_of(overlay, writes, SECRETS))
    of_reader = ConsumeSettings.read(manifests.settings_of(overlay, reads, SECRETS))
    answer = of_writer.answer_max_bytes + of_writer.history_max_bytes
    assert limit(writes) > IDLE_BYTES["generate-stream"] + of_writer.running_max * answer
    assert limit(reads) > IDLE_BYTES["consume-stream"] + of_reader.viewers_max * VIEWER_BYTES
    for pod in pods(overlay).values():
        assert "cpu" not in pod.container["resources"]["limits"]


def test_the_autoscalers_ask_for_what_the_services_count_and_find_what_they_scale() -> None:
    asked = {"generate-stream": generate_metrics.RUNNING, "consume-stream": consume_metrics.VIEWERS}
    most = {
        "generate-stream": GenerateSettings.read(settings("generate-stream")).running_max,
        "consume-stream": ConsumeSettings.read(settings("consume-stream")).viewers_max,
    }
    scalers = kind("production", "HorizontalPodAutoscaler")
    assert scalers.keys() == asked.keys()
    for name, scaler in scalers.items():
        spec, [metric] = scaler["spec"], scaler["spec"]["metrics"]
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert "replicas" not in kind("production", "Deployment")[name]["spec"]
        assert metric["pods"]["metric"]["name"] == asked[name]._name
        # One of the fewest that there may be goes: the others have places for all.
        fewest, each = spec["minReplicas"], int(metric["pods"]["target"]["averageValue"])
        assert fewest * each <= (fewest - 1) * most[name]
        assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 300
        assert [policy["value"] for policy in spec["behavior"]["scaleDown"]["policies"]] == [1]


def test_the_adapter_gives_what_the_autoscalers_ask_for() -> None:
    values = yaml.safe_load((FOLDER / "components" / "autoscaling" / "prometheus-adapter.yaml").read_text())
    given = {rule["seriesQuery"].partition("{")[0] for rule in values["rules"]["custom"]}
    scalers = kind("production", "HorizontalPodAutoscaler").values()
    assert given == {scaler["spec"]["metrics"][0]["pods"]["metric"]["name"] for scaler in scalers}


@each_overlay
def test_the_edge_takes_every_body_that_generate_stream_takes(overlay: str) -> None:
    size = kind(overlay, "Ingress")["rejoin"]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    most = GenerateSettings.read(settings("generate-stream")).prompt_max_bytes
    assert int(size.removesuffix("m")) * MIB > most * reading._JSON_PER_BYTE + reading._OTHER_FIELDS_MAX_BYTES


def leaves_s(pod: manifests.Pod) -> float:
    return float(pod.container["lifecycle"]["preStop"]["sleep"]["seconds"])


def limit(pod: manifests.Pod) -> int:
    units = {"Mi": MIB, "Gi": 2**30}
    text = pod.container["resources"]["limits"]["memory"]
    return int(text[:-2]) * units[text[-2:]]


def settings(service: str) -> dict[str, str]:
    return manifests.settings_of("production", pods("production")[service], SECRETS)
