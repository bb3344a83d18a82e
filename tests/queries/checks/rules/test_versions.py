"""Versions: facts on one side, findings on the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from mesh.queries.checks.run import fix_of
from tests.support.check_facts import (
    MESH,
    PASSED,
    Row,
    daemon,
    facts,
    holds,
    istiod,
    release,
    results,
    row,
    scene,
    service,
    space,
    table,
)

SCOPE = "solo.io/service-scope"


def installed(version: str, *daemons: dict[str, Any]) -> ClusterFacts:
    return facts(deployments=[istiod()], daemonsets=daemons, releases=release("istiod", version))


def running(*daemons: dict[str, Any], version: str = "1.30.2-solo") -> ClusterFacts:
    return facts(deployments=[], daemonsets=daemons, releases=release("ztunnel", version))


def using(*services: dict[str, Any], values: dict[str, Any] | None = None) -> ClusterFacts:
    releases = release("istiod", values=values) if values else {}
    return facts(services=services, namespaces=[space("shop")], releases=releases)


def of_version(version: str) -> Any:
    return replace(MESH, version=version)


ROWS = (
    row(
        "P15",
        "error: istiod is at 1.28.0, 1.30.2 is 2 minor versions ahead: upgrade one minor version at a time",
        installed("1.28.0-solo"),
    ),
    row(
        "P15",
        "error: istiod is at 1.31.0, 1.30.2 is older: Istio does not support downgrades",
        installed("1.31.0-solo"),
    ),
    row(
        "P15",
        "error: ztunnel is newer (1.31.0) than istiod (1.30.2)",
        installed("1.30.2-solo", daemon("ztunnel", tag="1.31.0-solo")),
    ),
    row(
        "P15",
        "warning: cni 1.29.0 and ztunnel 1.30.2 differ in minor version",
        installed("1.30.2-solo", daemon("cni", tag="1.29.0-solo"), daemon("ztunnel")),
    ),
    row(
        "P15",
        PASSED,
        installed("1.29.2-solo", daemon("cni"), daemon("ztunnel", tag="1.30.2-solo-distroless")),
    ),
    row("P15", "not applicable: Helm has installed nothing yet", facts(releases={})),
    row(
        "P15",
        "skipped: spec.istio.version latest cannot be compared",
        installed("1.30.2"),
        mesh=of_version("latest"),
    ),
    row("P15", "skipped: chart version head of istiod cannot be compared", installed("head")),
    row(
        "S07",
        "error: ztunnel runs image tag 1.30.2: community images do not support peering",
        running(daemon("ztunnel", tag="1.30.2")),
    ),
    row(
        "S07",
        "warning: ztunnel runs image tag 1.30.1-solo, but its chart is 1.30.2-solo",
        running(daemon("ztunnel", tag="1.30.1-solo")),
    ),
    row(
        "S07",
        "error: 1.24.0-solo does not support multicluster peering",
        running(daemon("ztunnel", tag="1.24.0-solo"), version="1.24.0-solo"),
        mesh=of_version("1.24.0-solo"),
    ),
    row("S07", PASSED, running(daemon("ztunnel", tag="1.30.2-solo-distroless"))),
    row("S07", "not applicable: nothing runs yet", running()),
    row(
        "P33",
        f"warning: service shop/shop has {SCOPE}=local, which is deprecated: use {SCOPE}=cluster",
        using(service(**{SCOPE: "local"})),
    ),
    row(
        "P33",
        "warning: the values of the istiod release contain the licence in clear text",
        using(values={"license": {"value": "secret"}}),
    ),
    row("P33", PASSED, using(service(**{SCOPE: "global"}), values={"license": {"secretRef": {"name": "a"}}})),
    row("P34", "warning: istioctl 1.30.2 is the upstream build, the mesh is Solo", istioctl="1.30.2"),
    row("P34", "warning: istioctl is 1.29.2-solo, the mesh 1.30.2-solo: another…", istioctl="1.29.2-solo"),
    row("P34", PASSED, istioctl="1.30.0-solo"),
    row("P34", "not applicable: istioctl is not on PATH, and mesh does not need it", istioctl=""),
    row("P34", "skipped: istioctl does not answer", istioctl=Unread("istioctl does not answer")),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def test_the_hint_replaces_the_deprecated_label() -> None:
    one = scene(using(service(**{SCOPE: "global-only"})))
    [result] = results("P33", one)
    assert fix_of(one, result, result.findings[0]) == (
        f"kubectl --context cluster1 -n shop label service shop {SCOPE}=global"
        " solo.io/service-takeover=true --overwrite"
    )
