"""Checks of the peers that a management plane distributes: every cluster has a current one."""

from __future__ import annotations

from mesh.istio.addresses import peer_key
from mesh.istio.peering import is_stale
from mesh.queries.checks.facts import ClusterFacts, MeshFacts
from mesh.queries.checks.model import Finding, Findings, NotApplicable


def distributed(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S18: verify that the management plane has distributed a current peer for each cluster to each cluster.

    Distributed peers stay when the management server stops: they work until a gateway moves or a cluster
    joins, and nothing reports that they are stale.
    """
    if not scene.mesh.automatic:
        raise NotApplicable("no management plane makes the links of this mesh")
    for name in scene.clusters:
        state = scene.resource(peer_key(facts.name, name))
        live = state.live
        if live is None:
            yield Finding(f"peer for {name}: {state.trouble}", {"target": name}, state.key)
        elif is_stale(state.trouble):
            peer = f"{state.place.namespace}/{state.place.name}"
            yield Finding(f"peer {peer} is {state.trouble}", {"peer": peer, "target": name}, state.key)
