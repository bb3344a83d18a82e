"""Nodes and what the namespaces of the mesh allow: facts on one side, findings on the other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mesh.queries.checks.facts import ClusterFacts
from mesh.queries.checks.rules.nodes import quantity
from tests.support.check_facts import (
    PASSED,
    SYSTEM,
    Row,
    daemon,
    facts,
    holds,
    istiod,
    node,
    obj,
    row,
    space,
    table,
)

PSA = "pod-security.kubernetes.io/enforce"
GKE = {"cloud.google.com/gke-nodepool": "a"}


def fit(*nodes: dict[str, Any], daemons: tuple[dict[str, Any], ...] = ()) -> ClusterFacts:
    return facts(nodes=nodes, daemonsets=daemons)


def allowing(*, level: str = "", installed: bool = False, **more: Any) -> ClusterFacts:
    spaces = [space(SYSTEM, **({PSA: level} if level else {})), space("shop", **{PSA: "restricted"})]
    deployments = [istiod()] if installed else []
    return facts(namespaces=spaces, deployments=deployments, **{"quotas": [], "limits": [], **more})


def quota(used: str, namespace: str = SYSTEM) -> dict[str, Any]:
    return obj("few", namespace, spec={"hard": {"pods": "3"}}, status={"used": {"pods": used}})


def limits(most: str) -> dict[str, Any]:
    return obj("small", spec={"limits": [{"type": "Container", "max": {"memory": most}}]})


def plugged(*nodes: dict[str, Any], **more: Any) -> ClusterFacts:
    return facts(nodes=nodes, **{"cilium": [], "daemonsets": [], **more})


def cilium(exclusive: str) -> dict[str, Any]:
    return obj("cilium-config", "kube-system", data={"cni-exclusive": exclusive})


def aws(mode: str) -> dict[str, Any]:
    env = [
        {"name": "ENABLE_POD_ENI", "value": "true"},
        {"name": "POD_SECURITY_GROUP_ENFORCING_MODE", "value": mode},
    ]
    return obj("aws-node", "kube-system", spec={"template": {"spec": {"containers": [{"env": env}]}}})


ROWS = (
    row(
        "P03",
        "warning: Kubernetes v1.30.4 is too old for Istio 1.30.2-solo, which needs 1.31",
        facts(version="v1.30.4", nodes=[]),
    ),
    row(
        "P03",
        "warning: node node-1 runs kubelet 1.32, the API server is 1.36",
        facts(version="v1.36.0", nodes=[node(kubelet="v1.32.1")]),
    ),
    row(
        "P03",
        "warning: node node-1 runs kubelet 1.37, the API server is 1.36",
        facts(version="v1.36.0", nodes=[node(kubelet="v1.37.0")]),
    ),
    row("P03", PASSED, facts(version="v1.36.0", nodes=[node(kubelet="v1.33.1")])),
    row("P07", "error: the cluster has no nodes", fit()),
    row("P07", "warning: node node-1 is not ready", fit(node(ready="False"))),
    row(
        "P07",
        "warning: node node-1 runs windows, where neither ztunnel nor the CNI agent can run",
        fit(node(os="windows", allocatable={"memory": "1Mi"})),
    ),
    row(
        "P07",
        "error: node node-1 has too little memory for ztunnel and the CNI agent",
        fit(node(allocatable={"memory": "639Mi"})),
    ),
    row(
        "P07",
        "error: ztunnel is scheduled on 1 of 2 nodes: other pods stay outside the mesh",
        fit(node(), node("node-2"), daemons=(daemon("ztunnel"), daemon("cni", desired=2))),
    ),
    row("P07", PASSED, fit(node(allocatable={"memory": "640Mi", "cpu": "300m", "pods": "2"}))),
    row(
        "P08",
        "error: namespace istio-system enforces pod security baseline, but cni and ztunnel need privileged",
        allowing(level="baseline"),
    ),
    row(
        "P08",
        "error: ResourceQuota istio-system/few admits no more pods: 3 of 3 pods are used",
        allowing(quotas=[quota("3")]),
    ),
    row("P08", "warning: ResourceQuota istio-system/few…", allowing(quotas=[quota("3")], installed=True)),
    row(
        "P08",
        "error: LimitRange istio-system/small allows at most 512Mi memory, too little for the agents",
        allowing(limits=[limits("512Mi")]),
    ),
    row("P08", PASSED, allowing(quotas=[quota("2"), quota("3", "shop")], limits=[limits("1Gi")])),
    row(
        "P09",
        "error: Cilium removes other CNI plugins: cni-exclusive is true in ConfigMap…",
        plugged(cilium=[cilium("true")]),
    ),
    row(
        "P09",
        "error: AWS security groups for pods are in strict mode: kubelet's probes of meshed pods are dropped",
        plugged(daemonsets=[aws("strict")]),
    ),
    row(
        "P09",
        "error: the nodes run GKE, but global.platform of the CNI chart is not set",
        plugged(node(labels=GKE)),
    ),
    row("P09", "error: the nodes run k3s, but global.platform…", plugged(node(kubelet="v1.33.0+k3s1"))),
    row("P09", PASSED, plugged(node(), cilium=[cilium("false")], daemonsets=[aws("standard")])),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


@pytest.mark.parametrize(
    ("text", "value"),
    [("200m", "0.2"), ("2", "2"), ("1Ki", "1024"), ("1k", "1000"), ("", "0"), ("1Xi", "0"), (None, "0")],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: object, value: str) -> None:
    assert quantity(text) == Decimal(value)
