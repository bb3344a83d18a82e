"""Workloads that use the mesh: facts on one side, findings on the other."""

from __future__ import annotations

from typing import Any

from mesh.model import Action, Key, Step
from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    PASSED,
    UPSTREAM,
    Row,
    facts,
    holds,
    istiod,
    obj,
    peer,
    plan,
    pod,
    results,
    row,
    scene,
    service,
    space,
    table,
)

MODE, SCOPE = "istio.io/dataplane-mode", "solo.io/service-scope"
AMBIENT = {MODE: "ambient"}
ENROLLED = space("shop", **AMBIENT)
RESTARTS = plan(Step(Action.UPDATE, Key("chart", "cluster1", "ztunnel")))
GLOBAL = {SCOPE: "global"}


def enrolment(labels: dict[str, str], name: str = "shop", **more: Any) -> ClusterFacts:
    return facts(namespaces=[space(name, **labels)], **{"host_pods": [], **more})


def deployment(replicas: int) -> dict[str, Any]:
    return obj("web", "shop", spec={"replicas": replicas})


def budget(allowed: int) -> dict[str, Any]:
    return obj("web", "shop", status={"disruptionsAllowed": allowed})


def restarted(**more: Any) -> ClusterFacts:
    return facts(namespaces=[ENROLLED], **{"deployments": [], "disruption": [], **more})


def sharing(name: str, *services: dict[str, Any], **more: Any) -> ClusterFacts:
    return facts(name, namespaces=[], services=services, **{"gateways": [], **more})


def waypoint(name: str) -> dict[str, Any]:
    return obj(name, "shop", spec={"gatewayClassName": "istio-waypoint"})


def captured(found: dict[str, Any]) -> ClusterFacts:
    return facts(deployments=[istiod()], namespaces=[ENROLLED], pods=[found], host_pods=[])


def crowd(count: int) -> ClusterFacts:
    return facts(namespaces=[ENROLLED], pods=[obj(str(each), "shop") for each in range(count)], host_pods=[])


THROUGH = {**GLOBAL, "istio.io/use-waypoint": "entry"}
REDIRECTED = {"ambient.istio.io/redirection": "enabled"}

ROWS = (
    row(
        "P29",
        "error: namespace shop is enrolled in ambient mode, and has sidecar injection enabled as well",
        enrolment({**AMBIENT, "istio-injection": "enabled"}),
    ),
    row(
        "P29",
        "warning: namespace shop has istio.io/dataplane-mode=sidecar, which is neither ambient nor none",
        enrolment({MODE: "sidecar"}),
    ),
    row(
        "P29",
        "warning: namespace kube-system is enrolled in ambient mode, but the CNI agent excludes it",
        enrolment(AMBIENT, "kube-system"),
    ),
    row(
        "P29",
        "info: pod shop/web uses the host network: it stays outside the mesh",
        enrolment(AMBIENT, host_pods=[pod("web", "shop")]),
    ),
    row("P29", PASSED, enrolment(AMBIENT)),
    row(
        "P30",
        "warning: Deployment shop/web has one replica: its connections break when ztunnel restarts",
        restarted(deployments=[deployment(1)]),
        plan=RESTARTS,
    ),
    row(
        "P30",
        "warning: PodDisruptionBudget shop/web allows no disruption, but a ztunnel restart ignores it",
        restarted(disruption=[budget(0)]),
        plan=RESTARTS,
    ),
    row("P30", PASSED, restarted(deployments=[deployment(2)], disruption=[budget(1)]), plan=RESTARTS),
    row("P30", "not applicable: the plan does not restart ztunnel", restarted(), plan=plan()),
    row(
        "P31",
        "warning: Service shop/shop is shared, but not in cluster2",
        sharing("cluster1", service(**GLOBAL)),
        sharing("cluster2", service()),
    ),
    row(
        "P31",
        "warning: Service shop/shop does not have the same ports in all clusters",
        sharing("cluster1", service(**GLOBAL)),
        sharing("cluster2", service(port=81, **GLOBAL)),
    ),
    row(
        "P31",
        "warning: cluster1: Service shop/shop uses waypoint shop/entry, missing in cluster2",
        sharing("cluster1", service(**THROUGH), gateways=[waypoint("entry")]),
        sharing("cluster2", service(**GLOBAL)),
    ),
    row("P31", PASSED, sharing("cluster1", service(**GLOBAL)), sharing("cluster2", service(**GLOBAL))),
    row("P31", "not applicable: no Service is shared", sharing("cluster1", service())),
    row(
        "P32",
        "info: 10001 workloads are in the mesh: the first list sent to ztunnel nears 4 MiB",
        crowd(10_001),
    ),
    row("P32", PASSED, crowd(10_000)),
    row(
        "Q19",
        "error: pod shop/web is enrolled, but its traffic is not redirected to ztunnel",
        captured(pod("web", "shop")),
    ),
    row("Q19", PASSED, captured(pod("web", "shop", annotations=REDIRECTED))),
    row("Q19", "not applicable: no pod is enrolled", captured(pod("web", "shop", labels={MODE: "none"}))),
    row(
        "S14",
        "warning: 1 Services are shared, but the cluster has no peers",
        sharing("cluster1", service(**GLOBAL)),
    ),
    row("S14", PASSED, sharing("cluster1", service(**GLOBAL), gateways=[peer()])),
    row("S14", "not applicable: no Service is shared", sharing("cluster1")),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def test_the_hint_shares_the_service_where_it_is_not_shared() -> None:
    clusters = (sharing("cluster1", service(**GLOBAL)), sharing("cluster2", service()))
    fixes = [
        results("P31", scene(*clusters, mesh=mesh))[0].findings[0].fix for mesh in (scene().mesh, UPSTREAM)
    ]
    command = "kubectl --context cluster2 -n shop label service shop "
    assert fixes == [f"{command}solo.io/service-scope=global", f"{command}istio.io/global=true"]


def test_a_namespace_shares_its_services_unless_they_say_otherwise() -> None:
    shared = space("shop", **GLOBAL)
    found = facts(namespaces=[shared], services=[service()], gateways=[])
    assert [each.says for each in results("S14", scene(found))[0].findings] == [
        "1 Services are shared, but the cluster has no peers"
    ]
