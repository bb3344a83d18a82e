"""Everything is as wanted and something does not work: that is no "No changes"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conftest import Tool

from .hands import Mesh

ZTUNNELS = ("-n", "istio-system", "-l", "app=ztunnel")


def ready(kubectl: Tool) -> str:
    return kubectl("cluster2", "get", "daemonset", *ZTUNNELS, "-o", "jsonpath={.items[0].status.numberReady}")


def test_a_ztunnel_that_is_not_ready_is_told_waited_for_and_no_longer_mentioned_once_it_is(
    mesh: Mesh, kubectl: Tool, eventually: Callable[..., Any]
) -> None:
    pod = kubectl("cluster2", "get", "pods", *ZTUNNELS, "-o", "name").split()[0]
    kubectl("cluster2", "annotate", "-n", "istio-system", pod, "lab.meshform.io/hold=true")
    assert eventually(lambda: ready(kubectl), until=lambda count: count == "1") == "1"
    plan = mesh.pending().out
    why = f"1 of 2 pods are ready; {pod.replace('/', ' ')} on node-"
    assert "Not ready:" in plan
    assert f"chart/cluster2/ztunnel: DaemonSet ztunnel: {why}" in plan
    assert "Plan: 0 to add, 0 to change, 0 to destroy.\n2 clusters: 1 not ready, 0 deferred." in plan
    answer = mesh("apply", "--yes", "--timeout", "3")
    assert answer.code == 6, answer
    assert "error: chart/cluster2/ztunnel: not ready after 3s" in answer.out
    assert "ImagePullBackOff" in answer.out
    kubectl("cluster2", "annotate", "-n", "istio-system", pod, "lab.meshform.io/hold-")
    mesh.mended()


def test_an_apply_waits_for_what_becomes_ready_meanwhile(mesh: Mesh, kubectl: Tool) -> None:
    kubectl("cluster1", "delete", "pods", "-n", "istio-system", "-l", "app=istiod", "--wait=false")
    mesh.mended()
