"""Gateways and peers: facts on one side, findings on the other."""

from __future__ import annotations

from typing import Any

from mesh.istio.solo import PREFERRED_SERVICE_TYPE, SERVICE_ACCOUNT
from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    EDGE,
    PASSED,
    UPSTREAM,
    Row,
    facts,
    gateway,
    holds,
    istiod,
    peer,
    row,
    table,
)

BY_NODE = {PREFERRED_SERVICE_TYPE: "nodeport", SERVICE_ACCOUNT: "istio-eastwest"}
NODE_PORTS = [{"name": "xds-tls", "port": 31012}]
MANAGED = {"meshform.io/mesh": "demo"}


def having(*gateways: dict[str, Any], cluster: str = "cluster1", **more: Any) -> ClusterFacts:
    return facts(cluster, deployments=[istiod()], gateways=gateways, **more)


def there(*gateways: dict[str, Any], **more: Any) -> ClusterFacts:
    return having(*gateways, cluster="cluster2", **more)


def remote(**more: Any) -> dict[str, Any]:
    """The gateway of cluster2."""
    return gateway(address="192.0.2.2", cluster="cluster2", **more)


def written(by: str, **more: Any) -> dict[str, Any]:
    return {"manager": by, "fieldsV1": {"f:spec": {}}, **more}


def managed(*writers: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return peer(labels=labels, meta={"managedFields": list(writers)})


STATUS_ONLY = written("pilot", subresource="status")
NO_STATUS = gateway() | {"status": {}}

ROWS = (
    row("Q11", f"error: gateway {EDGE}/istio-eastwest: missing", having(peer())),
    row("Q11", f"error: gateway {EDGE}/istio-eastwest: …", having(NO_STATUS)),
    row("Q11", f"error: gateway {EDGE}/istio-eastwest: …", having(gateway(address=""))),
    row("Q11", PASSED, having(gateway())),
    row("Q11", f"error: gateway {EDGE}/istio-eastwest: missing", having(), mesh=UPSTREAM),
    row(
        "Q11",
        (
            f"error: gateway {EDGE}/istio-eastwest: network cluster1 has several east-west gateways…",
            "error: gateway a/twin: it has no address yet",
        ),
        having(gateway(), gateway("twin", namespace="a", address="")),
    ),
    row("Q11", PASSED, having(gateway(of="istio-east-west")), mesh=UPSTREAM),
    row("Q11", "not applicable: no istiod is installed yet", facts(deployments=[])),
    row("S12", f"error: peer {EDGE}/istio-remote-peer-cluster2: missing", having(), there()),
    row("S12", f"error: peer {EDGE}/istio-remote-peer-cluster2: …", having(peer(up=False)), there()),
    row("S12", PASSED, having(peer()), there(remote())),
    row("S12", f"error: peer {EDGE}/istio-remote-peer-cluster2: stale: …", having(peer()), there()),
    row(
        "S09",
        "error: cluster1: peer a/istio-remote-peer-cluster2 is not in the namespace of cluster2's …",
        having(gateway(), peer(namespace="a")),
        there(remote()),
    ),
    row(
        "S09",
        "error: the east-west gateways are in differently named namespaces",
        having(gateway()),
        there(remote(namespace="b")),
    ),
    row("S09", PASSED, having(gateway(), peer()), there(remote())),
    row("S09", "not applicable: no cluster has an east-west gateway yet", having(), there()),
    row(
        "S10",
        f"error: cluster1: peer {EDGE}/istio-remote-peer-cluster2 for cluster2 is stale: it leads to "
        "192.0.2.9, the gateway is at 192.0.2.2",
        having(peer(address="192.0.2.9")),
        there(remote()),
    ),
    row(
        "S10",
        f"error: cluster1: peer {EDGE}/istio-remote-peer-cluster2 for cluster2 is stale: it leads to "
        "no address, the gateway is at 192.0.2.2",
        having(peer(address="")),
        there(remote()),
    ),
    row(
        "S10",
        f"error: cluster1: peer {EDGE}/istio-remote-peer-cluster2 for cluster2 is stale: it leads to "
        "port 31012, istiod is at port 15012",
        having(peer(listeners=NODE_PORTS)),
        there(remote()),
    ),
    row("S10", PASSED, having(peer()), there(remote())),
    row("S10", "not applicable: no peer has an address to compare yet", having(peer()), there()),
    row(
        "S11",
        f"warning: {EDGE}/istio-remote-peer-cluster2 has several field managers: kubectl, mesh/link",
        having(managed(written("mesh/link"), written("kubectl"), labels=MANAGED)),
    ),
    row("S11", PASSED, having(managed(written("mesh/link"), STATUS_ONLY, labels=MANAGED))),
    row("S11", PASSED, having(managed(written("a"), written("b"), labels={}))),
    row("S11", "not applicable: no gateway or peer exists yet", having()),
    row(
        "S15",
        f"error: peer {EDGE}/istio-remote-peer-cluster2 uses node ports, but lacks a node port…",
        having(peer(annotations=BY_NODE)),
    ),
    row(
        "S15",
        f"error: peer {EDGE}/istio-remote-peer-cluster2 uses node ports, but lacks annotation…",
        having(peer(annotations=BY_NODE | {SERVICE_ACCOUNT: ""}, listeners=NODE_PORTS)),
    ),
    row("S15", PASSED, having(peer(annotations=BY_NODE, listeners=NODE_PORTS))),
    row("S15", "not applicable: no peer uses node ports", having(peer())),
    row(
        "S16",
        "error: istiod creates peers itself (PEERING_AUTOMATIC_LOCAL_GATEWAY=true), but 1 peers…",
        facts(deployments=[istiod(PEERING_AUTOMATIC_LOCAL_GATEWAY="true")], gateways=[peer(labels=MANAGED)]),
    ),
    row(
        "S16",
        "error: a/twin and istio-eastwest/istio-remote-peer-cluster2 are peers for the same network…",
        having(peer(name="twin", namespace="a"), peer()),
    ),
    row("S16", PASSED, having(peer(labels=MANAGED))),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)
