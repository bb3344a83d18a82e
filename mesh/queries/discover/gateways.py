"""The Gateways of a cluster that stand for a network, and the Gateway API that it has."""

from __future__ import annotations

from mesh.istio.names import NETWORK
from mesh.istio.peering import is_by_hand
from mesh.queries.discover.found import DiscoveredGateway
from mesh.sdk.managed_fields import owner_of
from mesh.world import Object
from mesh.world.resources import CRD, GATEWAY
from mesh.world.snapshot import Snapshot

EASTWEST = frozenset({"istio-eastwest", "istio-east-west"})
REMOTE = frozenset({"istio-remote"})
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
SERVICE = "peering.solo.io/data-plane-service-type"
BUNDLE = "gateway.networking.k8s.io/bundle-version"
GATEWAYS = "gateways.gateway.networking.k8s.io"


def gateways(classes: frozenset[str], snapshot: Snapshot) -> tuple[DiscoveredGateway, ...]:
    """Return those of some classes, by place; none if there is no Gateway API."""
    found = [obj for obj in snapshot.list(GATEWAY) if obj["spec"].get("gatewayClassName") in classes]
    return tuple(sorted(map(_gateway, found), key=lambda each: each.where))


def _gateway(obj: Object) -> DiscoveredGateway:
    meta = obj["metadata"]
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    return DiscoveredGateway(
        namespace=meta["namespace"],
        name=meta["name"],
        network=labels.get(NETWORK, ""),
        owner=owner_of(obj) or "owner unknown",
        by_hand=is_by_hand(obj),
        service=str(annotations.get(SERVICE, "")).lower(),
        region=labels.get(REGION, ""),
        zone=labels.get(ZONE, ""),
    )


def bundle_version(snapshot: Snapshot) -> str:
    """Return the version of the Gateway API bundle, "" if there is none."""
    for obj in snapshot.list(CRD, metadata_only=True):
        if obj["metadata"]["name"] == GATEWAYS:
            return str((obj["metadata"].get("annotations") or {}).get(BUNDLE, ""))
    return ""
