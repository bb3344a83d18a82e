"""Clusters as `mesh import` finds them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.model.spec import Component, SecretRef
from mesh.queries.discover.found import DiscoveredCluster, DiscoveredGateway, InstalledComponent

LICENCE = SecretRef("licence", "istio-system")
COMPONENTS: tuple[Component, ...] = ("base", "istiod", "cni", "ztunnel")
EDGE = "istio-eastwest"


def gateway(network: str, **more: Any) -> DiscoveredGateway:
    """An east-west gateway that a person made."""
    return DiscoveredGateway(
        **{"namespace": EDGE, "name": EDGE, "network": network, "owner": "kubectl", **more}
    )


def peer(network: str, **more: Any) -> DiscoveredGateway:
    """A peer that a person made."""
    return gateway(network, **{"name": f"istio-remote-peer-{network}", **more})


def cluster(name: str, version: str = "1.29.1-solo", **more: Any) -> DiscoveredCluster:
    """A cluster with all components of one version, its own network, and the root `r`."""
    parts = {each: InstalledComponent(each, "istio-system", version, "hub", version) for each in COMPONENTS}
    found = DiscoveredCluster(
        name,
        f"{name}-admin",
        parts,
        cluster_name=name,
        network=name,
        trust_domain="cluster.local",
        licence=LICENCE,
        roots=("r",),
        signer="cacerts",
        gateway_api="v1.4.0",
        eastwest=(gateway(name),),
    )
    return replace(found, **more)
