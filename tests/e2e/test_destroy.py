"""What destroy takes down, what it leaves, and when it refuses; then the same root again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.conftest import Tool

from .chains import cacerts, fingerprint
from .conftest import Before
from .hands import NOTHING_TO_DESTROY, Mesh, everything

pytestmark = pytest.mark.long

CLUSTERS = ("cluster1", "cluster2")

WAYPOINT = json.dumps(
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "waypoint", "namespace": "shop"},
        "spec": {
            "gatewayClassName": "istio-waypoint",
            "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
        },
    }
)
POD = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "cart", "namespace": "shop", "labels": {"istio.io/dataplane-mode": "ambient"}},
        "spec": {"containers": [{"name": "cart", "image": "example.org/cart"}]},
    }
)


@pytest.fixture
def shop(mesh: Mesh, kubectl: Tool) -> Iterator[str]:
    """A namespace of a user's in cluster2, not in the mesh."""
    kubectl("cluster2", "create", "namespace", "shop")
    yield "shop"
    kubectl("cluster2", "delete", "namespace", "shop")


def in_use(mesh: Mesh) -> str:
    """Destroy, which must be refused; why."""
    answer = mesh("destroy", "--yes")
    assert answer.code == 5, answer
    assert "the mesh is in use:" in answer.err
    assert "--ignore-enrolled" in answer.err
    return answer.err


def left_by_the_mesh(before: Before, kubectl: Tool, cluster: str) -> set[str]:
    """What is there now and was not there before; nothing that was there before may be missing."""
    now = everything(kubectl, cluster)
    assert before.objects[cluster] <= now
    return {line for line in now - before.objects[cluster] if not published(line)}


def published(line: str) -> bool:
    """Whether istiod made it in every namespace or for the cluster, or a chart keeps it for ever."""
    return line.endswith(("/istio-ca-root-cert", ".istio.io")) or line.startswith("GatewayClass/")


def test_it_is_refused_while_something_uses_the_mesh(mesh: Mesh, kubectl: Tool, shop: str) -> None:
    kubectl("cluster2", "label", "namespace", shop, "istio.io/dataplane-mode=ambient")
    assert "cluster2: Namespace shop is enrolled" in in_use(mesh)
    kubectl("cluster2", "label", "namespace", shop, "istio.io/dataplane-mode-")
    kubectl("cluster2", "apply", "-f", "-", stdin=POD)
    assert "cluster2: Pod shop/cart is enrolled" in in_use(mesh)
    kubectl("cluster2", "delete", "pod", "-n", shop, "cart", "--now")
    kubectl("cluster2", "create", "service", "clusterip", "-n", shop, "cart", "--tcp=80")
    kubectl("cluster2", "label", "service", "-n", shop, "cart", "solo.io/service-scope=global")
    kubectl("cluster2", "apply", "-f", "-", stdin=WAYPOINT)
    both = in_use(mesh)
    assert "cluster2: Service shop/cart is shared with the mesh" in both
    assert "cluster2: Gateway shop/waypoint is a waypoint" in both
    mesh.settled()


def test_it_asks_first(mesh: Mesh) -> None:
    answer = mesh("destroy")
    assert answer.code == 64
    assert "add --yes" in answer.err
    mesh.settled()


def test_crds_stay_unless_asked_for(mesh: Mesh) -> None:
    out = mesh("destroy").out
    assert "crds/cluster2/gateway-api will no longer be managed, but not be destroyed" in out
    assert "CRDs stay; `mesh destroy --crds` removes them" in out
    assert "crds/cluster2/gateway-api will be destroyed" in mesh("destroy", "--crds").out


def test_it_leaves_what_was_there_before_and_the_next_apply_has_the_same_root(
    mesh: Mesh, kubectl: Tool, before: Before, eventually: Callable[..., Any]
) -> None:
    lock = mesh.lock()
    root = fingerprint(cacerts(kubectl, "cluster1")["root-cert.pem"])
    answer = mesh("destroy", "--yes", "--crds")
    assert answer.code == 0, answer
    assert "the root of trust is kept in" in answer
    assert "istio-ca-root-cert" in answer
    now = mesh.lock()
    assert (now["lineage"], now["serial"]) == (lock["lineage"], lock["serial"] + 1)
    assert (now["resources"], now["clusters"]) == ({}, {})
    for cluster in CLUSTERS:
        left = partial(left_by_the_mesh, before, kubectl, cluster)
        assert eventually(left, until=lambda seen: not seen, seconds=100) == set(), answer
    again = mesh("destroy", "--yes")
    assert (again.code, again.out.splitlines()[0]) == (0, NOTHING_TO_DESTROY)
    comment = mesh("plan", "--format", "markdown").out
    assert "link/*/* will be created for cluster1 -> cluster2, cluster2 -> cluster1" in comment
    assert len(comment.encode()) < 60_000
    mesh.mended()
    assert fingerprint(cacerts(kubectl, "cluster1")["root-cert.pem"]) == root
    assert mesh.lock()["lineage"] == lock["lineage"]


def test_enrolled_workloads_foreign_things_and_used_crds_stay(
    mesh: Mesh, kubectl: Tool, before: Before, shop: str
) -> None:
    kubectl("cluster2", "label", "namespace", shop, "istio.io/dataplane-mode=ambient")
    kubectl("cluster2", "apply", "-f", "-", stdin=WAYPOINT)
    kubectl("cluster2", "create", "configmap", "-n", "istio-eastwest", "mine", "--from-literal=a=b")
    answer = mesh("destroy", "--yes", "--ignore-enrolled", "--crds")
    assert answer.code == 0, answer
    assert "namespace istio-eastwest stays, it holds: configmaps/mine" in answer
    assert "the Gateway API CRDs stay, they are in use: gateways/shop/waypoint" in answer
    assert f"Resources: {answer.err.count('  destroyed (')} destroyed." in answer.out
    assert "(the mesh is destroyed)" in answer.out
    kubectl("cluster2", "get", "gateway", "-n", shop, "waypoint")
    kubectl("cluster2", "get", "configmap", "-n", "istio-eastwest", "mine")
    kubectl("cluster2", "delete", "configmap", "-n", "istio-eastwest", "mine")
    mesh.mended()
