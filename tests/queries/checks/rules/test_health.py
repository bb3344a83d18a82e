"""Workloads of the mesh itself: facts on one side, findings on the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    EDGE,
    NOW,
    PASSED,
    Row,
    daemon,
    facts,
    holds,
    istiod,
    node,
    pod,
    row,
    table,
)

GATEWAY = {"gateway.networking.k8s.io/gateway-name": "istio-eastwest"}


def running(name: str, app: str, *, image: str = "a:1", **more: Any) -> dict[str, Any]:
    label = {"k8s-app": app} if app == "istio-cni-node" else {"app": app}
    return pod(name, labels=label, spec={"containers": [{"image": image}]}, **more)


def restarted(ago: timedelta) -> dict[str, Any]:
    state = {"finishedAt": (NOW - ago).isoformat(), "reason": "OOMKilled"}
    status = {"containerStatuses": [{"lastState": {"terminated": state}, "restartCount": 3}]}
    return running("istiod-1", "istiod", status=status)


def agents(*pods: dict[str, Any], **more: Any) -> ClusterFacts:
    return facts(
        deployments=[istiod()],
        nodes=[node()],
        cni_pods=[running("cni-1", "istio-cni-node")],
        **{"daemonsets": [daemon("cni"), daemon("ztunnel")], "mesh_pods": pods, **more},
    )


def all_pods(**more: Any) -> ClusterFacts:
    found = {
        "mesh_pods": [running("istiod-1", "istiod"), running("zt-1", "ztunnel")],
        "gateway_pods": [pod("edge-1", EDGE, labels=GATEWAY)],
    }
    return facts(deployments=[istiod()], **{**found, **more})


SLEEPS = istiod() | {"status": {}}
WAITS = "ImagePullBackOff"

ROWS = (
    row("Q01", PASSED, facts(deployments=[istiod()], mesh_pods=[restarted(timedelta(minutes=2))])),
    row(
        "Q01",
        "error: pod istio-system/istiod-1 restarted less than a minute ago: OOMKilled",
        facts(deployments=[istiod()], mesh_pods=[restarted(timedelta(seconds=59))]),
    ),
    row("Q01", "error: Deployment istiod: 0 of 1 replicas…", facts(deployments=[SLEEPS], mesh_pods=[])),
    row("Q01", "skipped: mesh pods were not read", facts(deployments=[istiod()])),
    row("Q02", PASSED, agents(running("zt-1", "ztunnel"))),
    row(
        "Q02",
        "warning: ztunnel runs several images: a:1, a:2",
        agents(running("zt-1", "ztunnel"), running("zt-2", "ztunnel", image="a:2")),
    ),
    row(
        "Q02",
        "error: DaemonSet istio-cni-node: …",
        agents(daemonsets=[daemon("cni", desired=0), daemon("ztunnel")]),
    ),
    row("Q02", "skipped: namespace istio-system has no cni", agents(daemonsets=[])),
    row("M03", PASSED, all_pods()),
    row("M03", "error: no east-west gateway pod exists", all_pods(gateway_pods=[])),
    row(
        "M03",
        f"error: pod edge-1: {WAITS}",
        all_pods(gateway_pods=[pod("edge-1", EDGE, labels=GATEWAY, ready=False)]),
    ),
    row("M03", "not applicable: nothing runs yet", all_pods(mesh_pods=[], gateway_pods=[])),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)
