"""Kind `link`: the peer object in one cluster that lets it call services of another."""

from __future__ import annotations

from mesh.manifest import Manifest, ManifestProvider
from mesh.model import Live, Ready
from mesh.peering import CONNECTED, SUCCEEDED, linked
from mesh.world.resources import GATEWAY

__all__ = ["CONNECTED", "SUCCEEDED", "LinkProvider"]


class LinkProvider(ManifestProvider):
    """A Gateway of class `istio-remote`.

    Its `Programmed` condition is always true and proves nothing; the two peering conditions do.
    """

    kind = "link"
    resource = GATEWAY

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """PeerConnected and PeeringSucceeded, for this generation."""
        del spec
        return linked(live.status)
