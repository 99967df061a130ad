"""The Kubernetes manifests' network: who may talk to whom."""

import ipaddress
from typing import Any

import pytest

from tests.deploy.manifests import OVERLAYS, SERVICES, kind, pods, selected

METADATA = ipaddress.ip_address("169.254.169.254")
"""Where a cloud gives its credentials to whoever asks."""

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


@each_overlay
def test_only_who_calls_the_vendors_gets_out_and_nobody_to_where_credentials_are(overlay: str) -> None:
    every = pods(overlay).keys()
    assert {name for name in every if 443 in ports_out(overlay, name)} == {"generate-stream"}
    assert {name: ports_out(overlay, name) - {443} for name in every} == {
        name: {53, 6379} if name in SERVICES else {53} for name in every
    }
    for name in every:
        for rule in rules(overlay, name, "egress"):
            for block in (to["ipBlock"] for to in rule["to"] if "ipBlock" in to):
                denied = [ipaddress.ip_network(each) for each in block.get("except", [])]
                allowed = METADATA in ipaddress.ip_network(block["cidr"])
                assert not allowed or any(METADATA in each for each in denied if each.version == METADATA.version)


@each_overlay
def test_a_pod_lets_in_the_edge_and_prometheus_and_redis_the_services_alone(overlay: str) -> None:
    monitored = {"monitoring"} if overlay == "production" else set()
    for name in pods(overlay):
        sources = [source for rule in rules(overlay, name, "ingress") for source in rule["from"]]
        if name == "redis":
            assert [selected(overlay, source["podSelector"]) for source in sources] == [{*SERVICES}]
        else:
            spaces = [source["namespaceSelector"]["matchLabels"] for source in sources]
            assert all(space.keys() == {"kubernetes.io/metadata.name"} for space in spaces)
            found = {each for space in spaces for each in space.values()}
            assert found == {"ingress-nginx"} | (monitored if name in SERVICES else set())


def rules(overlay: str, pod: str, direction: str) -> list[dict[str, Any]]:
    """All that the policies of a pod allow; without one of each direction, everything would be allowed."""
    policies = [
        each["spec"]
        for each in kind(overlay, "NetworkPolicy").values()
        if pod in selected(overlay, each["spec"]["podSelector"])
    ]
    assert {"Ingress", "Egress"} <= {type_ for each in policies for type_ in each["policyTypes"]}
    return [rule for each in policies for rule in each.get(direction, [])]


def ports_out(overlay: str, pod: str) -> set[int]:
    return {port["port"] for rule in rules(overlay, pod, "egress") for port in rule["ports"]}
