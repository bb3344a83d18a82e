"""Peers that a management plane distributes, judged across clusters: what is missing or stale; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mesh.model.spec import Mesh
from mesh.queries.status.model import ClusterStatus, PeerStatus


def as_distributed(mesh: Mesh, clusters: tuple[ClusterStatus, ...]) -> tuple[ClusterStatus, ...]:
    """Return the clusters; peers that lead to an address their gateway does not have are stale."""
    addresses = {
        cluster.name: gateway.address
        for cluster in clusters
        for gateway in cluster.gateways
        if (gateway.namespace, gateway.name) == _eastwest(mesh, cluster.name)
    }
    return tuple(
        replace(cluster, peers=tuple(_judged(cluster.name, peer, addresses) for peer in cluster.peers))
        for cluster in clusters
    )


def _eastwest(mesh: Mesh, cluster: str) -> tuple[str, str]:
    gateway = mesh.cluster(cluster).eastwest
    return gateway.namespace, gateway.name


def _judged(cluster: str, peer: PeerStatus, addresses: Mapping[str, str]) -> PeerStatus:
    """Mark the own peer, which is no link; say of each what is missing or stale."""
    own = peer.link == cluster
    judged = replace(peer, own=own, link="" if own else peer.link)
    address = addresses.get(peer.link, "")
    if peer.class_name and address and peer.address != address:
        why = f"stale: it leads to {peer.address or 'no address'}, the gateway of {peer.link} is at {address}"
        return replace(judged, why=why)
    if not peer.class_name and own:
        return replace(judged, why="istiod has not made it yet")
    if not peer.class_name and peer.link:
        return replace(judged, why="the management plane has not distributed it")
    return judged
