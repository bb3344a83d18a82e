"""The gateways and links of a cluster: those of the mesh file, then the others."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.model import Found, Key
from mesh.queries.status.objects import ClusterView, gateway, links, other_gateways, other_links
from mesh.sdk.remote_access import Access, kubeconfig
from mesh.world import Object
from mesh.world.resources import ResourceType
from tests.queries.status.healthy import Empty, Healthy, healthy


class Server(Empty):
    """An API server with a few objects."""

    def __init__(self, cluster: str, *objects: Object) -> None:
        super().__init__(cluster)
        self.objects = objects

    def list(self, resource: ResourceType, **_query: Any) -> list[Object]:
        return [obj for obj in self.objects if obj["kind"] == resource.kind]


def view(one: Healthy, changed: Mapping[Key, Found] | None = None, *objects: Object) -> ClusterView:
    """Cluster `a`, with more objects than the mesh file asks for."""
    kubes = {**one.session.world.kubes, "a": Server("a", *objects)}
    session = replace(one.session, world=replace(one.session.world, kubes=kubes))
    _, current = replace(one, session=session).seen(changed or {})
    return ClusterView(session, session.mesh.cluster("a"), current)


def gateway_object(class_name: str, namespace: str, name: str, network: str = "other") -> Object:
    labels = {"topology.istio.io/network": network}
    spec = {"gatewayClassName": class_name, "addresses": [], "listeners": []}
    meta = {"namespace": namespace, "name": name, "labels": labels, "uid": "u", "generation": 1}
    return {"kind": "Gateway", "apiVersion": "gateway.networking.k8s.io/v1", "metadata": meta, "spec": spec}


def remote_secret(name: str, labels: Mapping[str, str], **servers: str) -> Object:
    data = {
        each: base64.b64encode(kubeconfig(each, Access(server, b"", "t")).encode()).decode()
        for each, server in servers.items()
    }
    meta = {"namespace": "istio-system", "name": name, "labels": dict(labels), "uid": "u"}
    return {"kind": "Secret", "apiVersion": "v1", "metadata": meta, "data": data}


@pytest.mark.parametrize("how", ["solo", "upstream", "automatic"])
def test_a_healthy_cluster_has_its_gateway_and_a_row_for_each_link(how: str, tmp_path: Path) -> None:
    here = view(healthy(how, tmp_path))
    assert (gateway(here).why, gateway(here).address) == ("", "192.0.2.1")
    rows = {row.cluster: (row.why, row.own) for row in links(here)}
    own = {"a": ("", True)} if how == "automatic" else {}
    assert rows == {**own, "b": ("", False), "c": ("", False)}


@pytest.mark.parametrize("how", ["solo", "upstream"])
def test_what_is_missing_keeps_its_row_with_the_address_of_its_resource(how: str, tmp_path: Path) -> None:
    one = healthy(how, tmp_path)
    keys = [key for key in one.found if key.cluster == "a" and key.kind in {"gateway", "link", "remote"}]
    here = view(one, dict.fromkeys(keys))
    rows = [gateway(here), *links(here)]
    assert sorted(row.resource for row in rows) == sorted(map(str, keys))
    assert all(row.why for row in rows)


def test_gateways_and_peers_of_others_are_told_by_class_and_place(tmp_path: Path) -> None:
    one = healthy("solo", tmp_path)
    own = view(one).gateway.place
    objects = (
        gateway_object("istio-eastwest", own.namespace, own.name),
        gateway_object("istio-eastwest", "shop", "own-eastwest"),
        gateway_object("istio", "shop", "ingress"),
        gateway_object("istio-remote", "istio-eastwest", "istio-remote-peer-b"),
        gateway_object("istio-remote", "shop", "far"),
    )
    here = view(one, None, *objects)
    assert [(row.namespace, row.name, row.resource) for row in other_gateways(here)] == [
        ("shop", "own-eastwest", "")
    ]
    assert [(row.namespace, row.name, row.link) for row in other_links(here)] == [("shop", "far", "")]


def test_a_remote_secret_has_a_row_for_each_cluster_that_it_holds(tmp_path: Path) -> None:
    one = healthy("upstream", tmp_path)
    own = next(iter(links(view(one)))).name
    label = {"istio/multiCluster": "true"}
    objects = (
        remote_secret(own, label, b="https://b"),
        remote_secret("two", label, y="https://y", x="https://x"),
        remote_secret("other", {"app": "x"}, z="https://z"),
    )
    found = [(row.name, row.cluster, row.address) for row in other_links(view(one, None, *objects))]
    assert found == [("two", "x", "https://x"), ("two", "y", "https://y")]


def test_a_remote_secret_that_is_not_valid_has_a_row_without_an_address(tmp_path: Path) -> None:
    broken = remote_secret("odd", {"istio/multiCluster": "true"})
    broken["data"] = {"x": base64.b64encode(json.dumps({}).encode()).decode()}
    [row] = other_links(view(healthy("upstream", tmp_path), None, broken))
    assert (row.cluster, row.address) == ("x", "")
