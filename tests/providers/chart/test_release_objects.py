"""The objects of a release's namespace, and the status that is read from them."""

from __future__ import annotations

from typing import Any

from mesh.model import Place
from mesh.providers.chart.locator import with_roots
from mesh.providers.chart.release_objects import listed, standing
from mesh.world import Object
from tests.providers.chart.releases import NAMESPACE, workload
from tests.support.check_server import Server, snapshot

PLACE = Place(NAMESPACE, "ztunnel")
NODES: list[Object] = [{"metadata": {"name": name}} for name in ("one", "two")]


def daemon_set(ready: int, release: str = "ztunnel") -> Object:
    status = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": ready}
    spec = {"selector": {"matchLabels": {"app": "ztunnel", "x": "y"}}}
    return workload("ztunnel", release=release, spec=spec, status=status)


def stood(server: Server, wanted: Place = PLACE) -> dict[str, Any]:
    one = snapshot(server)
    return standing(PLACE, wanted, listed(PLACE, one), one)


def test_objects_of_other_namespaces_are_left_out_and_each_has_its_kind() -> None:
    elsewhere = {"metadata": {"name": "x", "namespace": "elsewhere"}}
    server = Server(
        {
            "configmaps": [workload("settings"), elsewhere],
            "daemonsets": [daemon_set(2)],
            "deployments": [workload("istiod")],
        }
    )
    found = [(obj["kind"], obj["metadata"]["name"]) for obj in listed(PLACE, snapshot(server))]
    assert found == [("Deployment", "istiod"), ("DaemonSet", "ztunnel"), ("ConfigMap", "settings")]


def test_pods_are_read_only_of_a_workload_that_is_not_ready() -> None:
    server = Server({"daemonsets": [daemon_set(2)], "nodes": NODES})
    assert stood(server) == {"nodes": 2, "troubles": [], "published": {}}
    assert "pods" not in server.asked


def test_a_workload_that_is_not_ready_is_named_with_its_pod() -> None:
    pod = {
        "metadata": {"name": "ztunnel-x", "namespace": NAMESPACE},
        "spec": {"nodeName": "two"},
        "status": {"phase": "Pending"},
    }
    server = Server({"daemonsets": [daemon_set(1)], "nodes": NODES, "pods": [pod]})
    assert stood(server)["troubles"] == [
        "DaemonSet ztunnel: 1 of 2 pods are ready; pod ztunnel-x on two: Pending"
    ]


def test_the_workloads_of_another_release_and_the_nodes_are_not_looked_at() -> None:
    server = Server({"daemonsets": [daemon_set(0, release="other")], "nodes": NODES})
    assert stood(server) == {"nodes": 0, "troubles": [], "published": {}}
    assert "nodes" not in server.asked


def test_the_published_roots_are_read_only_if_the_place_asks_for_them() -> None:
    root = {"metadata": {"name": "istio-ca-root-cert", "namespace": "default"}, "data": {}}
    server = Server({"configmaps": [root]})
    assert stood(server)["published"] == {}
    assert stood(server, with_roots(PLACE))["published"] == {"default": frozenset()}
