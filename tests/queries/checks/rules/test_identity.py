"""Names and networks: facts on one side, findings on the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.istio.names import NETWORK
from mesh.queries.checks.facts import ClusterFacts
from mesh.queries.checks.run import fix_of
from tests.support.check_facts import (
    MESH,
    PASSED,
    SYSTEM,
    UPSTREAM,
    Row,
    daemon,
    facts,
    gateway,
    holds,
    istiod,
    mesh_config,
    release,
    results,
    row,
    scene,
    service,
    space,
    table,
)


def named(cluster: str, name: str = "", network: str = "", **more: Any) -> ClusterFacts:
    found = {
        "deployments": [istiod(CLUSTER_ID=name or cluster)],
        "daemonsets": [daemon("ztunnel", NETWORK=network or cluster, ISTIO_META_CLUSTER_ID=name or cluster)],
        "configs": [],
        "releases": {},
    }
    return facts(cluster, **{**found, **more})


def labelled(network: str, *services: dict[str, Any], **more: Any) -> ClusterFacts:
    spaces = [space(SYSTEM, **({NETWORK: network} if network else {})), *more.pop("spaces", ())]
    return facts(namespaces=spaces, services=services, **{"gateways": [gateway()], **more})


def of_mesh(identity: str) -> dict[str, Any]:
    return mesh_config(f"defaultConfig: {{meshId: {identity}}}\n")


TWINS = replace(MESH, clusters=tuple(replace(each, cluster_name="one") for each in MESH.clusters))
COPIED = service(**{NETWORK: "far"})
COPIED["metadata"]["ownerReferences"] = [{"kind": "Gateway", "name": "istio-eastwest"}]
OTHER_NETWORK = release("istiod", values={"global": {"network": "far"}})

ROWS = (
    row(
        "P22",
        "error: cluster1 and cluster2 have the same cluster name, cluster1",
        named("cluster1"),
        named("cluster2", name="cluster1", network="cluster2"),
    ),
    row(
        "P22",
        "error: cluster1 and cluster2 have the same network, cluster1",
        named("cluster1"),
        named("cluster2", network="cluster1"),
    ),
    row(
        "P22",
        "error: the clusters have different mesh IDs: a, b",
        named("cluster1", configs=[of_mesh("a")]),
        named("cluster2", configs=[of_mesh("b")]),
    ),
    row(
        "P22",
        "error: the clusters have different mesh IDs: a, b; cluster2 has b, expected a",
        named("cluster1", configs=[of_mesh("a")]),
        named("cluster2", configs=[of_mesh("b")]),
        mesh=replace(UPSTREAM, mesh_id="a"),
    ),
    row("P22", PASSED, named("cluster1"), named("cluster2")),
    row("P22", "not applicable: nothing is installed yet", facts(deployments=[], daemonsets=[])),
    row("P23", f"error: namespace {SYSTEM} has no {NETWORK}, expected cluster1", labelled("")),
    row("P23", f"error: namespace {SYSTEM} has {NETWORK}=far, expected cluster1", labelled("far")),
    row(
        "P23",
        f"error: gateway istio-eastwest/istio-eastwest has {NETWORK}=far, expected cluster1",
        labelled("cluster1", gateways=[gateway(cluster="far")]),
    ),
    row(
        "P23",
        f"error: service shop/shop has {NETWORK}=far: its traffic goes to another network",
        labelled("cluster1", service(**{NETWORK: "far"})),
    ),
    row(
        "P23",
        f"error: namespace shop has {NETWORK}=far: its traffic goes to another network",
        labelled("cluster1", spaces=[space("shop", **{NETWORK: "far"})]),
    ),
    row("P23", PASSED, labelled("cluster1", service(), COPIED)),
    row("P23", f"not applicable: namespace {SYSTEM} does not exist yet", facts(namespaces=[])),
    row(
        "S01",
        "error: cluster cluster1 has the cluster name Kubernetes, which peers cannot use",
        named("cluster1", name="Kubernetes"),
    ),
    row(
        "S01",
        "error: cluster1 and cluster2 have the same clusterName, one",
        named("cluster1", name="one"),
        named("cluster2", name="one"),
        mesh=TWINS,
    ),
    row("S01", PASSED, named("cluster1"), named("cluster2")),
    row("S02", "error: ztunnel has NETWORK=far, expected cluster1", named("cluster1", network="far")),
    row(
        "S02",
        "error: the istiod release has global.network=far, expected cluster1",
        named("cluster1", releases=OTHER_NETWORK),
    ),
    row("S02", PASSED, named("cluster1")),
    row(
        "S03",
        (
            "error: istiod has CLUSTER_ID=far, expected cluster1",
            "error: ztunnel has ISTIO_META_CLUSTER_ID=far, expected cluster1",
        ),
        named("cluster1", name="far"),
    ),
    row("S03", PASSED, named("cluster1")),
    row("S03", PASSED, named("cluster1", daemonsets=[daemon("ztunnel", CLUSTER_ID="cluster1")])),
    row(
        "S03",
        "error: ztunnel has no ISTIO_META_CLUSTER_ID, expected cluster1",
        named("cluster1", daemonsets=[daemon("ztunnel")]),
    ),
    row("S03", "not applicable: no istiod is installed yet", facts(deployments=[])),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)


def test_the_hint_takes_a_foreign_label_off_in_the_namespace_of_the_service() -> None:
    one = scene(labelled("cluster1", service(**{NETWORK: "far"})))
    [result] = results("P23", one)
    assert (
        fix_of(one, result, result.findings[0])
        == f"kubectl --context cluster1 -n shop label service shop {NETWORK}-"
    )
