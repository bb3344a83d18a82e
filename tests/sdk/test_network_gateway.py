"""Gateways are known by class and network, whoever made them: used, refused, never made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.lab import Lab, gateway_api_crds
from mesh.model import Key, Live, Place
from mesh.providers.crds import CrdsProvider
from mesh.providers.crds.bundle import orphaned
from mesh.providers.gateway import GatewayProvider
from mesh.providers.link import LinkProvider
from mesh.sdk.contract import Last
from mesh.sdk.gateway_pods import NAME as OF_GATEWAY
from mesh.sdk.kube_object import Manifest
from mesh.sdk.network_gateway import NetworkLocator
from mesh.world import Object, World
from mesh.world.resources import GATEWAY, SERVICE
from tests.conftest import Tool
from tests.providers.worlds import fresh_namespace, look, look_live, world_on

KEY = Key("link", "cluster1", "cluster2")
EDGE = Key("gateway", "cluster1", "istio-eastwest")
LINK, EASTWEST = LinkProvider(), GatewayProvider()


@pytest.fixture
def world(lab: Lab, kubectl: Tool, tmp_path: Path) -> World:
    if "/gateways.gateway.networking.k8s.io" not in kubectl("cluster1", "get", "crd", "-o", "name"):
        kubectl("cluster1", "apply", "--server-side", "--force-conflicts", "-f", str(gateway_api_crds()))
    crd = "crd/gateways.gateway.networking.k8s.io"
    kubectl("cluster1", "wait", "--for=condition=Established", crd, "--timeout=100s")
    return world_on(lab, tmp_path)


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    with fresh_namespace(world, "cluster1") as name:
        yield name


@pytest.fixture
def other(world: World) -> Iterator[str]:
    with fresh_namespace(world, "cluster1") as name:
        yield name


def body(namespace: str, name: str, network: str, gateway_class: str = "istio-remote") -> Object:
    listener = {"name": "xds-tls", "port": 15012, "protocol": "TLS", "tls": {"mode": "Passthrough"}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"topology.istio.io/network": network},
        },
        "spec": {
            "gatewayClassName": gateway_class,
            "listeners": [listener],
        },
    }


def wish(namespace: str, gateway_class: str = "istio-remote", name: str = "ours") -> Manifest:
    return Manifest("demo", body(namespace, name, network(namespace), gateway_class))


def network(namespace: str) -> str:
    """One of its own for each test: all share a cluster."""
    return f"net-of-{namespace}"


def place(namespace: str, **changes: Any) -> Place:
    return replace(Place(namespace, "ours", NetworkLocator(network(namespace))), **changes)


def made(world: World, obj: Object, manager: str = "istioctl") -> None:
    world.kube("cluster1").apply(obj, manager=manager)


def names(world: World, namespace: str) -> set[str]:
    return {obj["metadata"]["name"] for obj in world.kube("cluster1").list(GATEWAY, namespace=namespace)}


def test_a_peer_under_another_name_is_the_one_for_its_network(world: World, namespace: str) -> None:
    made(world, body(namespace, "theirs", network(namespace)))
    live = look_live(LINK, KEY, place(namespace), world)
    assert live.place == Place(namespace, "theirs")
    assert live.owner == "field manager istioctl"
    assert LINK.refuse(wish(namespace), live, None) == ""
    assert LINK.wanted(wish(namespace), live, None) == live.attrs


def test_a_change_goes_to_the_peer_that_is_there_and_no_second_is_made(world: World, namespace: str) -> None:
    made(world, body(namespace, "theirs", network(namespace)))
    live = look_live(LINK, KEY, place(namespace), world)
    changed = body(namespace, "ours", network(namespace))
    changed["metadata"]["annotations"] = {"gateway.istio.io/trust-domain": "cluster2.local"}
    spec = Manifest("demo", changed)
    assert LINK.preview(spec, KEY, live, world).refusals == ()
    LINK.update(spec, KEY, live, None, world)
    assert names(world, namespace) == {"theirs"}
    after = look_live(LINK, KEY, place(namespace), world)
    assert after.attrs["metadata"]["annotations"] == {"gateway.istio.io/trust-domain": "cluster2.local"}
    last = Last(after.place or place(namespace), {}, uid=after.uid)
    assert LINK.delete(KEY, last.place, after, last, world) == ()
    assert look(LINK, KEY, place(namespace), world) is None


def test_what_holds_without_saying_need_not_be_said_by_others(world: World, namespace: str) -> None:
    made(world, body(namespace, "ours", network(namespace)))
    said = body(namespace, "ours", network(namespace))
    said["metadata"]["annotations"] = {"peering.solo.io/preferred-data-plane-service-type": "loadbalancer"}
    live = look_live(LINK, KEY, place(namespace), world)
    assert LINK.wanted(Manifest("demo", said), live, None) == live.attrs
    assert LINK.wanted(Manifest("demo", said), live, Last(place(namespace))) != live.attrs
    said["metadata"]["annotations"] = {"peering.solo.io/preferred-data-plane-service-type": "nodeport"}
    assert LINK.wanted(Manifest("demo", said), live, None) != live.attrs


def test_a_peer_in_another_namespace_is_refused_with_its_owner(
    world: World, namespace: str, other: str
) -> None:
    made(world, body(other, "theirs", network(namespace)))
    why = LINK.refuse(wish(namespace), look(LINK, KEY, place(namespace), world), None)
    assert f"already has a peer in this cluster: {other}/theirs, by field manager istioctl" in why
    assert (
        f"set namespaces.eastwest: {other} to use it, leave it to its owner (`--leave ADDRESS`), or remove it"
        in why
    )
    assert f"kubectl delete gateway -n {other} theirs" in why
    assert "expects of its gateway an identity of its own namespace" in why


def test_what_is_left_may_be_anywhere_but_must_be_the_only_one(
    world: World, namespace: str, other: str
) -> None:
    made(world, body(other, "theirs", network(namespace)))
    live = look_live(LINK, KEY, place(namespace), world)
    assert LINK.refuse_left(wish(namespace), live) == ""
    made(world, body(other, "twin", network(namespace)))
    live = look_live(LINK, KEY, place(namespace), world)
    assert "has several peers in this cluster" in LINK.refuse_left(wish(namespace), live)


def test_two_for_one_network_are_refused_whichever_is_ours(world: World, namespace: str, other: str) -> None:
    made(world, body(namespace, "ours", network(namespace)), manager="mesh/link")
    made(world, body(other, "theirs", network(namespace)))
    why = LINK.refuse(wish(namespace), look(LINK, KEY, place(namespace), world), None)
    assert f"has several peers in this cluster: {namespace}/ours, {other}/theirs" in why


def test_other_classes_and_networks_are_other_gateways(world: World, namespace: str, other: str) -> None:
    made(world, body(other, "waypoint", network(namespace), "istio-waypoint"))
    made(world, body(other, "edge", network(namespace), "istio-eastwest"))
    made(world, body(other, "peer", "another-network"))
    assert look(LINK, KEY, place(namespace), world) is None


def test_an_east_west_gateway_must_have_the_name_in_the_file(world: World, namespace: str) -> None:
    made(world, body(namespace, "edge", network(namespace), "istio-eastwest"))
    live = look_live(EASTWEST, EDGE, place(namespace), world)
    why = EASTWEST.refuse(wish(namespace, "istio-eastwest"), live, None)
    assert f"set namespaces.eastwest: {namespace} and eastwest.name: edge to use it, or remove it" in why
    assert EASTWEST.refuse_left(wish(namespace, "istio-eastwest"), live) == why
    named = place(namespace, name="edge")
    same = look(EASTWEST, EDGE, named, world)
    assert isinstance(same, Live)
    assert EASTWEST.refuse(wish(namespace, "istio-eastwest", "edge"), same, None) == ""


def test_what_was_made_for_a_gateway_is_orphaned_without_it() -> None:
    def owned(*uids: str) -> Object:
        return {"metadata": {"ownerReferences": [{"kind": "Gateway", "uid": uid} for uid in uids]}}

    assert not orphaned({"metadata": {}}, {"one"})
    assert not orphaned({"metadata": {"ownerReferences": [{"kind": "Deployment", "uid": "two"}]}}, {"one"})
    assert not orphaned(owned("one", "two"), {"one"})
    assert orphaned(owned("two"), {"one"})


def test_the_crds_wait_for_what_the_garbage_collector_removes(
    world: World, namespace: str, eventually: Callable[..., Any]
) -> None:
    crds, key, where = CrdsProvider(), Key("crds", "cluster1", "gateway-api"), Place("", "gateway-api")
    made(world, body(namespace, "ours", network(namespace), "istio-eastwest"))
    uid = look_live(EASTWEST, EDGE, Place(namespace, "ours"), world).uid
    owner = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": "ours", "uid": uid}
    service: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "ours",
            "namespace": namespace,
            "labels": {OF_GATEWAY: "ours"},
            "ownerReferences": [owner],
        },
        "spec": {"ports": [{"port": 15012}]},
    }
    made(world, service)
    assert "services/ours" not in crds.going(key, where, world)
    kube = world.kube("cluster1")
    kube.delete(GATEWAY, namespace, "ours", uid=uid)
    assert eventually(lambda: crds.going(key, where, world), until=lambda why: not why, seconds=100) == ""
    assert all(each["metadata"]["name"] != "ours" for each in kube.list(SERVICE, namespace=namespace))
