"""The network between clusters: facts on one side, findings on the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from mesh.model import Unread
from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    EDGE,
    FLAT,
    MESH,
    NOW,
    PASSED,
    SYSTEM,
    UPSTREAM,
    Row,
    facts,
    holds,
    node,
    obj,
    row,
    space,
    table,
)


def balanced(*services: dict[str, Any], answer: str | Unread = "", **more: Any) -> ClusterFacts:
    return facts(services=services, **{"quotas": [], "tried": {"load balancer": answer}, **more})


def balancer(name: str, *, age: timedelta, namespace: str = "shop", address: str = "") -> dict[str, Any]:
    return obj(
        name,
        namespace,
        meta={"creationTimestamp": (NOW - age).isoformat()},
        spec={"type": "LoadBalancer"},
        status={"loadBalancer": {"ingress": [{"ip": address}] if address else []}},
    )


def quota(used: str) -> dict[str, Any]:
    name = "services.loadbalancers"
    return obj("few", EDGE, spec={"hard": {name: "1"}}, status={"used": {name: used}})


def flat(name: str, *ranges: str) -> ClusterFacts:
    nodes = [node(f"{name}-{each}", spec={"podCIDR": each}) for each in ranges]
    return facts(name, mesh=FLAT, nodes=nodes or [node()])


def guarded(*policies: dict[str, Any]) -> ClusterFacts:
    return facts(
        policies=policies, pods=[], namespaces=[space("shop", **{"istio.io/dataplane-mode": "ambient"})]
    )


def policy(namespace: str, *ports: dict[str, Any], name: str = "web", **selector: Any) -> dict[str, Any]:
    ingress = [{"ports": list(ports)}] if ports else []
    return obj(name, namespace, spec={"podSelector": selector, "ingress": ingress})


ISTIOD = {"matchLabels": {"app": "istiod"}}
GATEWAY = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "istio-eastwest"}}
OPEN = ({"port": 15012}, {"port": 15017})
OLD, NEW = timedelta(minutes=6), timedelta(minutes=4)
DONE = balancer("istio-eastwest", namespace=EDGE, age=OLD, address="192.0.2.1")
NODE_PORTS = replace(
    MESH.cluster("cluster1"), eastwest=replace(MESH.cluster("cluster1").eastwest, service="NodePort")
)

ROWS = (
    row(
        "P25",
        f"error: ResourceQuota {EDGE}/few allows 1 load balancers, 1 are used",
        balanced(quotas=[quota("1")]),
    ),
    row(
        "P25",
        "warning: Service shop/web has had no load balancer address for more than five minutes",
        balanced(balancer("web", age=OLD)),
    ),
    row(
        "P25",
        "error: a dry run of a Service of type LoadBalancer is rejected: denied",
        balanced(answer="denied"),
    ),
    row("P25", PASSED, balanced(balancer("web", age=NEW), quotas=[quota("0")])),
    row("P25", PASSED, balanced(DONE, answer="denied")),
    row("P25", "skipped: forbidden", balanced(answer=Unread("forbidden"))),
    row(
        "P25",
        "not applicable: the east-west gateway uses node ports",
        replace(balanced(), cluster=NODE_PORTS),
    ),
    row(
        "P27",
        "error: cluster1 and cluster2 are on one network, but their pod ranges overlap: 10.0.0.0/16",
        flat("cluster1", "10.0.0.0/16"),
        flat("cluster2", "10.0.1.0/24"),
    ),
    row("P27", PASSED, flat("cluster1", "10.0.0.0/16"), flat("cluster2", "10.1.0.0/16", "fd00::/64")),
    row(
        "P27",
        "skipped: cluster1: its nodes have no podCIDR",
        flat("cluster1"),
        flat("cluster2", "10.1.0.0/16"),
    ),
    row("P27", "not applicable: each cluster has its own network", facts(), facts("cluster2")),
    row(
        "P28",
        f"error: NetworkPolicy web in {SYSTEM} blocks port 15017",
        guarded(policy(SYSTEM, {"port": 15012}, **ISTIOD)),
    ),
    row(
        "P28",
        (
            f"error: NetworkPolicy web in {EDGE} blocks port 15008",
            f"error: NetworkPolicy web in {EDGE} blocks port 15012",
            f"error: NetworkPolicy web in {EDGE} blocks port 15021",
        ),
        guarded(policy(EDGE, **GATEWAY)),
    ),
    row(
        "P28",
        "error: NetworkPolicy web in istio-eastwest blocks port 15021",
        guarded(policy(EDGE, {"port": 15008}, **GATEWAY)),
        mesh=UPSTREAM,
    ),
    row(
        "P28", "warning: NetworkPolicy web in shop blocks port 15008", guarded(policy("shop", {"port": 8080}))
    ),
    row("P28", PASSED, guarded(policy(SYSTEM, *OPEN, **ISTIOD), policy(SYSTEM, name="other", **ISTIOD))),
    row("P28", PASSED, guarded(policy("shop", {"port": 15000, "endPort": 15100}), policy("far"))),
    row("P28", PASSED, guarded(policy("shop", {"port": "hbone"}))),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)
