"""Each fact of a link, broken by hand in one of two healthy clusters: its message, and health once mended.

What is looked at is always the peer gateway in cluster1, which leads to cluster2.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab.standin import guide
from tests.lab.standin.guide import EDGE, LICENCE, SYSTEM
from tests.lab.standin.hand import CONNECTED, DATA_PLANE, SUCCEEDED, Hand, eventually

PEER = "istio-remote-peer-cluster2"
EASTWEST_POD = "gateway.networking.k8s.io/gateway-name=istio-eastwest"
PENDING = ("False", "Pending", "not connected to peer")
LISTENERS = [
    {"name": "cross-network", "port": 15008, "protocol": "HBONE", "tls": {"mode": "Passthrough"}},
    {"name": "xds-tls", "port": 15012, "protocol": "TLS", "tls": {"mode": "Passthrough"}},
]

Deed = Callable[[Hand], object]


@dataclass(frozen=True, slots=True)
class Fact:
    """A deed that breaks a link, one that mends it, and what the link says in between."""

    title: str
    broken: Deed
    mended: Deed
    says: str
    connected: tuple[str, str, str] = PENDING


def relink(hand: Hand) -> None:
    hand.link("cluster1", "cluster2")


def peer(change: dict[str, Any]) -> Deed:
    return lambda hand: patch(hand, "cluster1", PEER, change)


def eastwest(change: dict[str, Any]) -> Deed:
    return lambda hand: patch(hand, "cluster2", "istio-eastwest", change)


def patch(hand: Hand, cluster: str, name: str, change: dict[str, Any]) -> None:
    hand.kubectl(cluster, "patch", "gateway", name, "-n", EDGE, "--type=merge", "-p", json.dumps(change))


def labels(**values: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {f"topology.istio.io/{key}": value for key, value in values.items()}}}


def annotations(values: dict[str, str | None]) -> dict[str, Any]:
    return {"metadata": {"annotations": values}}


def status_addresses(value: object) -> Deed:
    change = json.dumps({"status": {"addresses": value}})
    return lambda hand: hand.kubectl(
        *("cluster1", "patch", "gateway", PEER, "-n", EDGE),
        *("--type=merge", "--subresource=status", "-p", change),
    )


def invalid(text: str) -> tuple[str, str, str]:
    return "False", "Invalid", f"no network started, encountered error validating gateway: {text}"


def both(*deeds: Deed) -> Deed:
    return lambda hand: [deed(hand) for deed in deeds]


def environment(cluster: str, *changes: str) -> Deed:
    return lambda hand: hand.environment(cluster, *changes)


def licence(cluster: str, files: dict[str, str]) -> Deed:
    def change(hand: Hand) -> None:
        hand.secret(cluster, LICENCE, files)
        hand.restart(cluster)

    return change


def no_licence(hand: Hand) -> None:
    hand.kubectl("cluster2", "delete", "secret", LICENCE, "-n", SYSTEM)
    hand.restart("cluster2")


def own_address(hand: Hand) -> None:
    peer({"spec": {"addresses": [{"type": "IPAddress", "value": hand.address("cluster1")}]}})(hand)


def twin(hand: Hand) -> None:
    hand.apply("cluster1", guide.peer("cluster2", hand.address("cluster2"), name="twin"))


def no_twin(hand: Hand) -> None:
    hand.kubectl("cluster1", "delete", "gateway", "twin", "-n", EDGE)


def same_eastwest(hand: Hand) -> None:
    hand.apply("cluster2", guide.eastwest("cluster2"))


def rebuilt_eastwest(hand: Hand) -> None:
    hand.apply("cluster2", guide.eastwest("cluster2"))
    relink(hand)


def mesh_config(trust_domain: str) -> Deed:
    def change(hand: Hand) -> None:
        text = f"trustDomain: {trust_domain}\nrootNamespace: {SYSTEM}\n"
        body = json.dumps({"data": {"mesh": text}})
        hand.kubectl("cluster2", "patch", "configmap", "istio", "-n", SYSTEM, "--type=merge", "-p", body)

    return change


FACTS = (
    # 6.1: what makes a peer gateway invalid
    Fact(
        "no network label",
        peer(labels(network=None)),
        relink,
        "network not yet synced check istiod log",
        invalid("no network label found in gateway"),
    ),
    Fact(
        "no address",
        peer({"spec": {"addresses": None}}),
        relink,
        "network not yet synced check istiod log",
        invalid("no addresses found in gateway"),
    ),
    Fact(
        "an address in the status only",
        both(
            peer({"spec": {"addresses": None}}),
            status_addresses([{"type": "IPAddress", "value": "10.0.0.1"}]),
        ),
        both(status_addresses(None), relink),
        "network not yet synced check istiod log",
        invalid("no spec.addresses found in gateway (but found status.addresses)"),
    ),
    Fact(
        "another class",
        peer({"spec": {"gatewayClassName": "istio-waypoint"}}),
        relink,
        "network not yet synced check istiod log",
        invalid("gateway is not an istio-remote gateway"),
    ),
    # 2.2: what a peer gateway says
    Fact(
        "an address of nobody",
        peer({"spec": {"addresses": [{"type": "IPAddress", "value": "203.0.113.9"}]}}),
        relink,
        "dial 203.0.113.9: no east-west gateway has this address",
    ),
    Fact("its own address", own_address, relink, "the address of this cluster's own east-west gateway"),
    Fact(
        "a wrong xDS port",
        peer({"spec": {"listeners": [LISTENERS[0], {**LISTENERS[1], "port": 15099}]}}),
        relink,
        ":15099: connection refused",
    ),
    Fact(
        "another network",
        peer(labels(network="other")),
        relink,
        "the gateway names network other but the peer's network is cluster2",
    ),
    Fact(
        "another cluster",
        peer(labels(cluster="other")),
        relink,
        "the gateway names cluster other but the peer's cluster is cluster2",
    ),
    Fact(
        "a trust domain that is not exact",
        peer(annotations({"gateway.istio.io/trust-domain": "cluster2"})),
        relink,
        "peer did not present the expected SAN spiffe://cluster2/ns/istio-eastwest/sa/istio-eastwest,"
        " got spiffe://cluster2.local/ns/istio-eastwest/sa/istio-eastwest",
    ),
    Fact(
        "another service account",
        peer(annotations({"gateway.istio.io/service-account": "default"})),
        relink,
        "expected SAN spiffe://cluster2.local/ns/istio-eastwest/sa/default,",
    ),
    Fact(
        "a second gateway for the network", twin, no_twin, "ambiguous: network cluster2 of cluster cluster2"
    ),
    Fact(
        "node ports preferred where the peer has a load balancer",
        peer(annotations({"peering.solo.io/preferred-data-plane-service-type": "nodeport"})),
        peer(annotations({"peering.solo.io/preferred-data-plane-service-type": None})),
        "the peer's east-west gateway does not offer its node ports",
    ),
    # 2.1: the peer's east-west gateway
    Fact(
        "no east-west gateway",
        lambda hand: hand.kubectl("cluster2", "delete", "gateway", "istio-eastwest", "-n", EDGE),
        rebuilt_eastwest,
        "no east-west gateway has this address",
    ),
    Fact(
        "an east-west gateway that does not expose istiod",
        eastwest({"metadata": {"labels": {"istio.io/expose-istiod": None}}}),
        same_eastwest,
        "no east-west gateway has this address",
    ),
    Fact(
        "an east-west gateway without its xDS listener",
        eastwest({"spec": {"listeners": LISTENERS[:1]}}),
        same_eastwest,
        "no east-west gateway has this address",
    ),
    Fact(
        "an east-west gateway of another network",
        eastwest(labels(network="other")),
        same_eastwest,
        "eastwest gateway has network other but cluster network is cluster2",
    ),
    Fact(
        "no east-west pod ready",
        lambda hand: hand.hold("cluster2", EDGE, EASTWEST_POD),
        lambda hand: hand.let_go("cluster2", EDGE, EASTWEST_POD),
        "the peer's east-west gateway has no ready pod",
    ),
    Fact(
        "the peer's istiod not ready",
        lambda hand: hand.hold("cluster2", SYSTEM, "app=istiod"),
        lambda hand: hand.let_go("cluster2", SYSTEM, "app=istiod"),
        "the peer's istiod is not ready",
    ),
    # 6.2: the network label of istio-system
    Fact(
        "no network label on istio-system",
        lambda hand: hand.label_network("cluster1", ""),
        lambda hand: hand.label_network("cluster1", "cluster1"),
        'no "topology.istio.io/network" label found on namespace istio-system',
    ),
    Fact(
        "no network label on the peer's istio-system",
        lambda hand: hand.label_network("cluster2", ""),
        lambda hand: hand.label_network("cluster2", "cluster2"),
        'the peer: no "topology.istio.io/network" label found on namespace istio-system',
    ),
    Fact(
        "a network label that is not istiod's network",
        lambda hand: hand.label_network("cluster1", "other"),
        lambda hand: hand.label_network("cluster1", "cluster1"),
        "namespace istio-system has network other but istiod has network cluster1",
    ),
    # 3.5: trust domains
    Fact(
        "another trust domain in the peer's mesh configuration",
        mesh_config("elsewhere.local"),
        mesh_config("cluster2.local"),
        "got spiffe://elsewhere.local/ns/istio-eastwest/sa/istio-eastwest",
    ),
    Fact(
        "trust domains differ and are not skipped",
        environment("cluster2", "PILOT_SKIP_VALIDATE_TRUST_DOMAIN-"),
        environment("cluster2", "PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true"),
        "no cert pool found for trust domain cluster1.local",
    ),
    # 1.3: what the charts' values turn into
    Fact(
        "peering off here",
        environment("cluster1", "ENABLE_PEERING_DISCOVERY-"),
        environment("cluster1", "ENABLE_PEERING_DISCOVERY=true"),
        "peering is not enabled here",
    ),
    Fact(
        "peering off at the peer",
        environment("cluster2", "ENABLE_PEERING_DISCOVERY-"),
        environment("cluster2", "ENABLE_PEERING_DISCOVERY=true"),
        "peering is not enabled in the peer's istiod",
    ),
    Fact(
        "the default cluster id",
        environment("cluster2", "CLUSTER_ID=Kubernetes"),
        environment("cluster2", "CLUSTER_ID=cluster2"),
        "the peer has no cluster id of its own (CLUSTER_ID is Kubernetes)",
    ),
    Fact(
        "the same cluster id twice",
        environment("cluster2", "CLUSTER_ID=cluster1"),
        environment("cluster2", "CLUSTER_ID=cluster2"),
        "the peer has the same cluster id as this cluster: cluster1",
    ),
    # 4: licences
    Fact(
        "no licence Secret",
        no_licence,
        licence("cluster2", {"license-key": "good"}),
        "the peer: licence Secret istio-system/solo-istio-license not found",
    ),
    Fact(
        "a licence under a key that is not read",
        licence("cluster2", {"license": "good"}),
        licence("cluster2", {"gloo-mesh-license-key": "good"}),
        "has none of the keys license-key, gloo-mesh-license-key, gloo-trial-license-key",
    ),
    Fact(
        "an invalid licence",
        licence("cluster1", {"license-key": "INVALID"}),
        licence("cluster1", {"license-key": "good"}),
        "the licence key is invalid",
    ),
    Fact(
        "an empty licence",
        licence("cluster1", {"license-key": ""}),
        licence("cluster1", {"license-key": "good"}),
        "no licence key",
    ),
)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.title)
def test_a_fact_broken_by_hand_gives_its_message_and_mended_heals(hand: Hand, fact: Fact) -> None:
    try:
        fact.broken(hand)
        # Broken in two steps, a fact passes through the message of the first.
        seen = eventually(
            lambda: hand.conditions("cluster1"),
            lambda seen: fact.says in seen.get(SUCCEEDED, ("",) * 3)[2] and seen[CONNECTED] == fact.connected,
        )
        assert seen[CONNECTED] == fact.connected
        assert seen[SUCCEEDED][:2] == ("Unknown", "Pending")
        assert seen[SUCCEEDED][2].startswith("network not yet synced check istiod log")
        assert seen[DATA_PLANE][0] == "False"
        if "Programmed" in seen:
            assert seen["Programmed"][0] == "True", "says nothing about the link"
    finally:
        fact.mended(hand)
    hand.healthy("cluster1")


def test_a_missing_hbone_listener_keeps_only_the_data_plane_down(hand: Hand) -> None:
    peer({"spec": {"listeners": LISTENERS[1:]}})(hand)
    seen = eventually(
        lambda: hand.conditions("cluster1"), lambda seen: seen.get(DATA_PLANE, ("True",))[0] == "False"
    )
    assert seen[DATA_PLANE] == ("False", "Pending", "missing HBONE listener")
    assert seen[CONNECTED][0] == seen[SUCCEEDED][0] == "True"
    relink(hand)
    hand.healthy("cluster1")
