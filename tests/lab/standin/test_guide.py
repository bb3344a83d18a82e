"""The guide by kubectl and helm alone: two clusters, linked; and what istiod keeps beside the link."""

from __future__ import annotations

import base64
import json

import pytest

from tests.lab.standin import guide
from tests.lab.standin.authority import Root
from tests.lab.standin.guide import EDGE, SYSTEM
from tests.lab.standin.hand import CONNECTED, DATA_PLANE, SUCCEEDED, Hand, eventually

WEBHOOK = ("get", "validatingwebhookconfiguration", "istio-validator-istio-system")
PREFERRED = "peering.solo.io/preferred-data-plane-service-type: nodeport"


def environment(hand: Hand, cluster: str, kind: str, name: str, namespace: str = SYSTEM) -> dict[str, str]:
    container = hand.get(cluster, kind, name, namespace)["spec"]["template"]["spec"]["containers"][0]
    return {one["name"]: one.get("value", "") for one in container["env"]}


@pytest.mark.parametrize("cluster", ["cluster1", "cluster2"])
def test_the_guide_links_two_clusters(hand: Hand, cluster: str) -> None:
    hand.healthy(cluster)
    assert hand.conditions(cluster) == {
        "Accepted": ("True", "Accepted", "Resource accepted"),
        "Programmed": ("True", "Programmed", "This Gateway is remote; Istio will not program it"),
        CONNECTED: ("True", "Programmed", "connected to peer"),
        SUCCEEDED: ("True", "Programmed", "network synced"),
        DATA_PLANE: ("True", "Programmed", "data plane programmed with LoadBalancer service type"),
    }


def test_istiod_makes_what_an_eastwest_gateway_needs(hand: Hand) -> None:
    gateway = hand.get("cluster1", "gateway", "istio-eastwest", EDGE)
    service = hand.get("cluster1", "service", "istio-eastwest", EDGE)
    deployment = hand.get("cluster1", "deployment", "istio-eastwest", EDGE)
    account = hand.get("cluster1", "serviceaccount", "istio-eastwest", EDGE)
    for one in (service, deployment, account):
        assert one["metadata"]["ownerReferences"][0]["uid"] == gateway["metadata"]["uid"]
        assert gateway["metadata"]["labels"].items() <= one["metadata"]["labels"].items()
    assert service["spec"]["type"] == "LoadBalancer"
    ports = [(port["name"], port["port"]) for port in service["spec"]["ports"]]
    assert ports == [("status-port", 15021), ("tls-hbone", 15008), ("tls-xds", 15012)]
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] == "istio-eastwest"
    assert pod["metadata"]["labels"]["service.istio.io/canonical-name"] == "istio-eastwest"
    assert pod["spec"]["containers"][0]["image"] == "registry.invalid/solo/ztunnel:1.30.2-solo"
    env = environment(hand, "cluster1", "deployment", "istio-eastwest", EDGE)
    assert env["PROXY_MODE"] == "gateway"
    assert env["SKIP_VALIDATE_TRUST_DOMAIN"] == "true"


def test_what_is_changed_or_deleted_under_an_eastwest_gateway_comes_back(hand: Hand) -> None:
    patch = json.dumps({"metadata": {"labels": {"topology.istio.io/network": "other"}}})
    hand.kubectl("cluster1", "patch", "service", "istio-eastwest", "-n", EDGE, "--type=merge", "-p", patch)
    hand.kubectl("cluster1", "delete", "deployment", "istio-eastwest", "-n", EDGE)
    eventually(
        lambda: hand.get("cluster1", "service", "istio-eastwest", EDGE)["metadata"]["labels"],
        lambda seen: seen["topology.istio.io/network"] == "cluster1",
    )
    eventually(
        lambda: hand.get("cluster1", "deployment", "istio-eastwest", EDGE).get("status", {}),
        lambda seen: seen.get("availableReplicas", 0) == 1,
    )
    hand.healthy("cluster2")


def test_the_values_become_istiods_environment(hand: Hand) -> None:
    env = environment(hand, "cluster1", "deployment", "istiod")
    assert env["CLUSTER_ID"] == "cluster1"
    assert env["ENABLE_PEERING_DISCOVERY"] == "true"
    assert env["SOLO_LICENSE_SECRET"] == "istio-system/solo-istio-license"
    assert env["ENABLE_WAYPOINT_INTEROP"] == "true"
    assert env["PILOT_ENABLE_IP_AUTOALLOCATE"] == "true"
    assert env["CA_TRUSTED_NODE_ACCOUNTS"] == "istio-system/ztunnel"
    assert "SOLO_LICENSE_KEY" not in env
    ztunnel = environment(hand, "cluster1", "daemonset", "ztunnel")
    assert ztunnel["NETWORK"] == ztunnel["ISTIO_META_CLUSTER_ID"] == "cluster1"
    assert ztunnel["L7_ENABLED"] == ztunnel["SKIP_VALIDATE_TRUST_DOMAIN"] == "true"
    cni = hand.get("cluster1", "configmap", "istio-cni-config")["data"]
    assert cni["AMBIENT_DNS_CAPTURE"] == "true"
    assert cni["EXCLUDE_NAMESPACES"] == "istio-system,kube-system"


def test_every_node_runs_the_agent_and_the_proxy(hand: Hand) -> None:
    for name in ("istio-cni-node", "ztunnel"):
        status = eventually(
            lambda name=name: hand.get("cluster1", "daemonset", name).get("status", {}),
            lambda seen: seen.get("numberReady") == seen.get("desiredNumberScheduled") == 2,
        )
        assert status["numberAvailable"] == 2


def test_istiod_makes_the_gateway_classes(hand: Hand) -> None:
    for name in ("istio-eastwest", "istio-remote", "istio-waypoint"):
        status = hand.get("cluster1", "gatewayclass", name)["status"]
        assert [one["status"] for one in status["conditions"] if one["type"] == "Accepted"] == ["True"]


def test_istiod_arms_its_webhook_and_an_upgrade_leaves_it_so(hand: Hand, root: Root) -> None:
    def armed() -> dict[str, object]:
        webhook = json.loads(hand.kubectl("cluster1", *WEBHOOK, "-o", "json", "--show-managed-fields"))
        hook = webhook["webhooks"][0]
        bundle = base64.b64decode(hook["clientConfig"].get("caBundle", "")).decode()
        managers = {one["manager"] for one in webhook["metadata"]["managedFields"]}
        return {
            "policy": hook["failurePolicy"],
            "root": bundle == root.pem,
            "ours": "pilot-discovery" in managers,
        }

    wanted = {"policy": "Fail", "root": True, "ours": True}
    eventually(armed, lambda seen: seen == wanted)
    hand.istiod("cluster1")
    values = guide.istiod("cluster1")
    # Without force: nothing that istiod wrote stands in helm's way.
    hand.helm(
        "cluster1", "upgrade", "istiod", str(hand.charts / "istiod"), "-n", SYSTEM, "-f", "-", stdin=values
    )
    assert armed() == wanted
    hand.healthy("cluster1")


def test_a_link_may_be_one_way(hand: Hand) -> None:
    hand.kubectl("cluster2", "delete", "gateway", "istio-remote-peer-cluster1", "-n", EDGE)
    hand.healthy("cluster1")
    hand.link("cluster2", "cluster1")
    hand.healthy("cluster2")


def test_an_eastwest_gateway_may_have_a_hostname(hand: Hand) -> None:
    hand.apply("cluster2", guide.eastwest("cluster2", "{lab.meshform.io/address: hostname}"))
    address = eventually(
        lambda: hand.get("cluster2", "gateway", "istio-eastwest", EDGE)["status"]["addresses"][0],
        lambda seen: seen["type"] == "Hostname",
    )
    hand.apply("cluster1", guide.peer("cluster2", address["value"], kind="Hostname"))
    hand.healthy("cluster1")
    hand.apply("cluster2", guide.eastwest("cluster2", "{lab.meshform.io/address: ip}"))
    eventually(
        lambda: hand.get("cluster2", "gateway", "istio-eastwest", EDGE)["status"]["addresses"][0],
        lambda seen: seen["type"] == "IPAddress",
    )
    hand.link("cluster1", "cluster2")
    hand.healthy("cluster1")


def test_clusters_may_peer_by_node_port(hand: Hand) -> None:
    hand.apply("cluster2", guide.eastwest("cluster2", "{peering.solo.io/data-plane-service-type: nodeport}"))
    service = eventually(
        lambda: hand.get("cluster2", "service", "istio-eastwest", EDGE)["spec"],
        lambda seen: seen["type"] == "NodePort",
    )
    port = next(one["nodePort"] for one in service["ports"] if one["name"] == "tls-xds")
    nodes = json.loads(hand.kubectl("cluster2", "get", "nodes", "-o", "json"))["items"]
    node_ips = [one["address"] for one in nodes[-1]["status"]["addresses"] if one["type"] == "InternalIP"]
    manifest = guide.peer("cluster2", node_ips[0])
    manifest = manifest.replace("port: 15012", f"port: {port}")
    manifest = manifest.replace("  annotations:", f"  annotations:\n    {PREFERRED}")
    hand.apply("cluster1", manifest)
    hand.healthy("cluster1")
    assert hand.conditions("cluster1")[DATA_PLANE][2] == "data plane programmed with NodePort service type"
    hand.apply("cluster1", manifest.replace("    topology.istio.io/cluster: cluster2\n", ""))
    eventually(
        lambda: hand.conditions("cluster1").get(SUCCEEDED, ("", "", ""))[2],
        lambda seen: "peering by node port needs the label topology.istio.io/cluster" in seen,
    )
    hand.apply("cluster2", guide.eastwest("cluster2"))
    hand.link("cluster1", "cluster2")
    hand.healthy("cluster1")


def test_a_gateway_in_another_namespace_expects_another_identity(hand: Hand) -> None:
    name = "istio-remote-peer-cluster2"
    hand.kubectl("cluster1", "delete", "gateway", name, "-n", EDGE)
    hand.kubectl("cluster1", "create", "namespace", "elsewhere")
    hand.apply("cluster1", guide.peer("cluster2", hand.address("cluster2"), namespace="elsewhere"))
    says = "expected SAN spiffe://cluster2.local/ns/elsewhere/sa/istio-eastwest"
    seen = eventually(
        lambda: hand.conditions("cluster1", name, "elsewhere"),
        lambda seen: says in seen.get(SUCCEEDED, ("", "", ""))[2],
    )
    assert says in seen[SUCCEEDED][2]
    hand.kubectl("cluster1", "delete", "gateway", name, "-n", "elsewhere")
    hand.kubectl("cluster1", "delete", "namespace", "elsewhere", "--wait=false")
    hand.link("cluster1", "cluster2")
    hand.healthy("cluster1")


def test_values_of_the_guide_that_are_forgotten_keep_clusters_apart(hand: Hand) -> None:
    """The charts' defaults: no peering, no cluster id, no network, the trust domain cluster.local."""
    hand.reinstalled("cluster2", "profile: ambient\nglobal: {trustDomain: x}\nlicense: {value: typed-in}")
    env = environment(hand, "cluster2", "deployment", "istiod")
    assert "ENABLE_PEERING_DISCOVERY" not in env
    assert env["CLUSTER_ID"] == "Kubernetes"
    assert env["SOLO_LICENSE_KEY"] == "typed-in"
    mesh = hand.get("cluster2", "configmap", "istio")["data"]["mesh"]
    assert "trustDomain: cluster.local" in mesh, "global.trustDomain is silently ignored"
    eventually(lambda: hand.conditions("cluster1").get(CONNECTED, ("",))[0], lambda seen: seen == "False")
    hand.reinstalled("cluster2", guide.istiod("cluster2"), "license.value=ignored-beside-a-secret")
    assert "SOLO_LICENSE_KEY" not in environment(hand, "cluster2", "deployment", "istiod")
    hand.healthy("cluster1")


def test_nothing_is_done_for_a_cluster_without_istiod(hand: Hand) -> None:
    hand.kubectl("cluster2", "scale", "deployment/istiod", "-n", SYSTEM, "--replicas=0")
    eventually(lambda: hand.conditions("cluster1").get(CONNECTED, ("",))[0], lambda seen: seen == "False")
    hand.kubectl("cluster2", "delete", "service", "istio-eastwest", "-n", EDGE)
    hand.kubectl("cluster2", "create", "namespace", "unseen")
    # cluster1 still turns: what it does meanwhile comes later than what cluster2 would have done.
    hand.kubectl("cluster1", "create", "namespace", "seen")
    eventually(lambda: hand.get("cluster1", "configmap", "istio-ca-root-cert", "seen"), bool)
    assert hand.get("cluster2", "configmap", "istio-ca-root-cert", "unseen") == {}
    assert hand.get("cluster2", "service", "istio-eastwest", EDGE) == {}
    hand.kubectl("cluster2", "scale", "deployment/istiod", "-n", SYSTEM, "--replicas=1")
    hand.kubectl("cluster1", "delete", "namespace", "seen", "--wait=false")
    hand.kubectl("cluster2", "delete", "namespace", "unseen", "--wait=false")
    eventually(lambda: hand.get("cluster2", "service", "istio-eastwest", EDGE), bool)
    hand.link("cluster1", "cluster2")
    hand.healthy("cluster1")


def test_a_cluster_that_is_away_holds_nobody_up_and_is_taken_up_again(hand: Hand) -> None:
    hand.lab.stop("cluster2")
    try:
        hand.label_network("cluster1", "")
        eventually(lambda: hand.conditions("cluster1")[CONNECTED][0], lambda seen: seen == "False")
        hand.label_network("cluster1", "cluster1")
        hand.healthy("cluster1")
    finally:
        hand.lab.start("cluster2")
    hand.kubectl("cluster2", "label", "--overwrite", "namespace", SYSTEM, "topology.istio.io/network=other")
    eventually(lambda: hand.conditions("cluster1")[CONNECTED][0], lambda seen: seen == "False")
    hand.label_network("cluster2", "cluster2")
    hand.healthy("cluster1")
