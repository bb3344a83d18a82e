"""The pods of components, of a release or of the Gloo Operator; whole clusters are in test_read.py."""

from __future__ import annotations

from typing import Any

from mesh.queries.status.pods import keeper, workloads
from tests.support.few_objects import snapshot
from tests.support.meshes import mesh_of

CLUSTER = mesh_of("solo").cluster("a")
RELEASE = {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": "istio-system"}


def deployment(name: str, **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "istio-system", **meta},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "istiod"}},
            "template": {"spec": {"containers": [{"image": "hub/pilot:1.2"}]}},
        },
        "status": {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
    }


def test_a_component_without_pods_has_a_row_that_says_so() -> None:
    found = workloads(CLUSTER, snapshot())
    assert [(each.component, each.why) for each in found] == [
        (name, "it is not installed") for name in ("istiod", "cni", "ztunnel")
    ]
    assert found[0].resource == "chart/a/istiod"


def test_the_workload_of_a_release_is_shown_with_its_address_in_the_mesh() -> None:
    istiod = workloads(CLUSTER, snapshot(deployments=[deployment("istiod", annotations=RELEASE)]))[0]
    assert (istiod.name, istiod.ready, istiod.tag, istiod.why) == ("istiod", 1, "1.2", "")
    assert (istiod.resource, istiod.keeper) == ("chart/a/istiod", "")


def test_a_workload_of_the_gloo_operator_is_its_own() -> None:
    labels = {"app": "istiod", "istio.io/rev": "gloo"}
    istiod = workloads(CLUSTER, snapshot(deployments=[deployment("istiod-gloo", labels=labels)]))[0]
    assert (istiod.keeper, istiod.resource) == ("Gloo Operator, revision gloo", "")
    assert keeper(deployment("istiod-gloo")) == "Gloo Operator, revision unknown"
    assert keeper(deployment("istiod")) == ""
