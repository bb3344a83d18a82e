"""The settings that peering needs: facts on one side, findings on the other."""

from __future__ import annotations

from typing import Any

from mesh.istio.names import NETWORK
from mesh.istio.solo import CLUSTER, TRUST_DOMAIN
from mesh.queries.checks.facts import ClusterFacts
from tests.support.check_facts import (
    EDGE,
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
    obj,
    peer,
    pod,
    pod_of,
    row,
    space,
    table,
)

PEERING = {"ENABLE_PEERING_DISCOVERY": "true"}
SKIPS = {"PILOT_SKIP_VALIDATE_TRUST_DOMAIN": "true"}


def trusting(
    name: str, domain: str, *gateways: dict[str, Any], istiods: Any = None, **env: str
) -> ClusterFacts:
    return facts(
        name,
        deployments=[istiod(**(SKIPS if istiods is None else istiods))],
        daemonsets=[daemon("ztunnel", **(env or {"SKIP_VALIDATE_TRUST_DOMAIN": "true"}))],
        configs=[mesh_config(f"trustDomain: {domain}\n")],
        gateways=gateways,
    )


def licensed(*secrets: dict[str, Any]) -> ClusterFacts:
    return facts(deployments=[istiod()], secrets=secrets)


def licence(*keys: str) -> dict[str, Any]:
    return obj("solo-istio-license", keys=list(keys))


def peering(**env: str) -> ClusterFacts:
    return facts(deployments=[istiod(**env)])


def edge(*gateways: dict[str, Any], network: str | None = "cluster1", label: str = "") -> ClusterFacts:
    env = {"ISTIO_META_NETWORK": network} if network else {}
    edge_pod = pod("edge-1", EDGE, spec=pod_of("registry.invalid/a", env))
    return facts(
        deployments=[istiod()],
        namespaces=[space(SYSTEM, **({NETWORK: label} if label else {}))],
        gateways=gateways,
        gateway_pods=[edge_pod],
    )


def capturing(value: str) -> ClusterFacts:
    config = obj("istio-cni-config", data={"AMBIENT_DNS_CAPTURE": value})
    return facts(deployments=[istiod()], daemonsets=[daemon("cni")], configs=[config])


B = trusting("cluster2", "b")
OTHER = gateway()
OTHER["metadata"]["labels"][CLUSTER] = "far"

ROWS = (
    row(
        "S05",
        f"error: cluster1: peer {EDGE}/istio-remote-peer-cluster2 has {TRUST_DOMAIN}=a, but…",
        trusting("cluster1", "a", peer(annotations={TRUST_DOMAIN: "a"})),
        B,
    ),
    row(
        "S05",
        f"error: cluster1: peer {EDGE}/istio-remote-peer-cluster2 has no {TRUST_DOMAIN}, but…",
        trusting("cluster1", "a", peer()),
        B,
    ),
    row("S05", PASSED, trusting("cluster1", "a", peer(annotations={TRUST_DOMAIN: "b"})), B),
    row("S05", "not applicable: no peer exists yet", trusting("cluster1", "a"), B),
    row("S05", "not applicable: applies to solo only", trusting("cluster1", "a"), B, mesh=UPSTREAM),
    row(
        "S17",
        "error: cluster1: trust domains differ, but istiod lacks PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true",
        trusting("cluster1", "a", istiods={}),
        B,
    ),
    row(
        "S17",
        "error: cluster1: trust domains differ, but ztunnel lacks SKIP_VALIDATE_TRUST_DOMAIN=true",
        trusting("cluster1", "a", SKIP_VALIDATE_TRUST_DOMAIN="false"),
        B,
    ),
    row("S17", PASSED, trusting("cluster1", "a"), B),
    row("S17", "not applicable: all clusters have the same trust domain", trusting("cluster1", "b"), B),
    row("S06", "error: the licence Secret istio-system/solo-istio-license is missing", licensed()),
    row(
        "S06",
        "error: Secret istio-system/solo-istio-license has no value under…",
        licensed(licence("license")),
    ),
    row("S06", PASSED, licensed(licence("gloo-mesh-license-key"))),
    row(
        "M01", "error: istiod has no ENABLE_PEERING_DISCOVERY, so it does not take part in peering", peering()
    ),
    row(
        "M01",
        "error: istiod has K8S_SELECT_WORKLOAD_ENTRIES=false, so it does not take part in peering",
        peering(K8S_SELECT_WORKLOAD_ENTRIES="false", **PEERING),
    ),
    row("M01", PASSED, peering(**PEERING)),
    row("M08", f"error: gateway {EDGE}/istio-eastwest has {CLUSTER}=far, expected cluster1", edge(OTHER)),
    row(
        "M08", f"error: pod {EDGE}/edge-1 has network far, expected cluster1", edge(gateway(), network="far")
    ),
    row(
        "M08",
        f"error: pod {EDGE}/edge-1 has network far, expected cluster1; first fix check P23: "
        f"namespace {SYSTEM} has {NETWORK}=far",
        edge(gateway(), network="far", label="far"),
    ),
    row("M08", PASSED, edge(gateway(), label="far")),
    row("M08", PASSED, edge(gateway())),
    row("M08", f"skipped: pod {EDGE}/edge-1 has no variable for its network", edge(gateway(), network=None)),
    row("M08", "not applicable: no east-west gateway exists yet", edge()),
    row("M09", "error: the CNI agent does not capture DNS: …", capturing("false")),
    row("M09", PASSED, capturing("true")),
)


@table(ROWS)
def test_facts_lead_to_these_findings(row: Row) -> None:
    holds(row)
