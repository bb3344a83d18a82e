"""The gateways and peers that stand for a network, and the Gateway API, as the kinds read them."""

from __future__ import annotations

from mesh.errors import KubeError
from mesh.istio.addresses import crds_key
from mesh.istio.names import NETWORK
from mesh.istio.peering import is_by_hand
from mesh.istio.solo import REGION, SERVICE_TYPE, ZONE
from mesh.model import Live, Place, Unread
from mesh.providers.crds import NAME, CrdsProvider
from mesh.providers.gateway import GatewayProvider
from mesh.providers.link import LinkProvider
from mesh.queries.discover.found import DiscoveredGateway
from mesh.sdk.managed_fields import owner_of
from mesh.world import Object
from mesh.world.resources import GATEWAY
from mesh.world.snapshot import Snapshot

EASTWEST, REMOTE = GatewayProvider.classes, LinkProvider.classes


def gateways(classes: frozenset[str], snapshot: Snapshot) -> tuple[DiscoveredGateway, ...]:
    """Return the Gateways of some classes, by place; () without a Gateway API."""
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
        service=str(annotations.get(SERVICE_TYPE, "")).lower(),
        region=labels.get(REGION, ""),
        zone=labels.get(ZONE, ""),
    )


def bundle_version(snapshot: Snapshot) -> str:
    """Return the version of the Gateway API, "" without one; raise KubeError if it cannot be read."""
    key = crds_key(snapshot.cluster)
    found = CrdsProvider().observe({key: Place("", NAME)}, snapshot)[key]
    if isinstance(found, Unread):
        raise KubeError(found.why)
    version = found.attrs["version"] if isinstance(found, Live) else ""
    return "" if version == "unknown" else str(version)
