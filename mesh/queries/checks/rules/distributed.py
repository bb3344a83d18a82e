"""Checks of the peers that a management plane distributes: every cluster has a current one."""

from __future__ import annotations

from mesh.istio.addresses import peer_key
from mesh.istio.names import NETWORK
from mesh.istio.peering import stale
from mesh.istio.solo import REMOTE_CLASS
from mesh.providers.gateway import GatewayProvider
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    eastwest_gateways,
    labels,
    of_class,
    place,
    shown,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable

MANAGEMENT = "the management plane"


def distributed(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S18: verify that the management plane has distributed a current peer for each cluster to each cluster.

    Distributed peers stay when the management server stops: they work until a gateway moves or a cluster
    joins, and nothing reports that they are stale.
    """
    if not scene.mesh.automatic:
        raise NotApplicable("no management plane makes the links of this mesh")
    peers = {labels(obj).get(NETWORK, ""): obj for obj in of_class(facts, REMOTE_CLASS)}
    for name, target in scene.clusters.items():
        peer, about = peers.get(target.cluster.network), peer_key(facts.name, name)
        if peer is None:
            maker = "istiod has not created" if target is facts else f"{MANAGEMENT} has not distributed"
            yield Finding(f"{maker} a peer for {name}", {"target": name}, about)
            continue
        for endpoint in _endpoints(scene, target):
            if why := stale(peer["spec"], endpoint):
                yield Finding(
                    f"peer {shown(peer)} is {why}; {MANAGEMENT} has not distributed the change",
                    {"peer": shown(peer), "target": name, "endpoint": dict(endpoint)},
                    about,
                )


def _endpoints(scene: MeshFacts, target: ClusterFacts) -> list[dict[str, object]]:
    """Where a cluster's own gateway is reached now; nothing is compared with one that has no address."""
    if target.unreachable:
        return []
    edge = target.cluster.eastwest
    own = [obj for obj in eastwest_gateways(scene, target) if place(obj) == (edge.namespace, edge.name)]
    return [dict(found["endpoint"]) for obj in own if (found := GatewayProvider().outputs(obj))]
