"""Peers of a management plane: facts on one side, findings on the other."""

from __future__ import annotations

from typing import Any

from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    AUTOMATIC,
    EDGE,
    PASSED,
    Row,
    facts,
    gateway,
    holds,
    istiod,
    peer,
    row,
    table,
)


def having(name: str, *gateways: dict[str, Any]) -> ClusterFacts:
    return facts(name, deployments=[istiod()], gateways=gateways)


OWN = peer("cluster1", address="192.0.2.1")
REMOTE = having("cluster2", gateway(address="192.0.2.2", cluster="cluster2"))

ROWS = (
    row(
        "S18",
        (
            "error: peer for cluster1: …",
            "error: peer for cluster2: Gloo has not distributed it yet…",
        ),
        having("cluster1", gateway()),
        REMOTE,
        mesh=AUTOMATIC,
    ),
    row(
        "S18",
        f"error: peer {EDGE}/istio-remote-peer-cluster2 is stale: …",
        having("cluster1", gateway(), OWN, peer(address="192.0.2.9")),
        REMOTE,
        mesh=AUTOMATIC,
    ),
    row("S18", PASSED, having("cluster1", gateway(), OWN, peer()), REMOTE, mesh=AUTOMATIC),
    row(
        "S18",
        PASSED,
        having("cluster1", gateway(), OWN, peer()),
        facts("cluster2", unreachable="off"),
        mesh=AUTOMATIC,
    ),
    row(
        "S18", "not applicable: no management plane makes the links of this mesh", having("cluster1"), REMOTE
    ),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)
