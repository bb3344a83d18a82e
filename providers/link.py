"""Kind `link`: the peer object in one cluster that lets it call services of another."""

from __future__ import annotations

from mesh.istio.peering import CONNECTED, REMOTE_CLASS, SUCCEEDED, linked
from mesh.model import Live, Ready
from mesh.sdk.kube_object import Manifest
from mesh.sdk.network_gateway import NetworkGateways

__all__ = ["CONNECTED", "SUCCEEDED", "LinkProvider"]


class LinkProvider(NetworkGateways):
    """A Gateway of class `istio-remote`.

    Its `Programmed` condition is always true and proves nothing; the two peering conditions do.
    """

    kind = "link"
    classes = frozenset({REMOTE_CLASS})
    what = "peer"
    unmoved = "it is not taken over there: a peer expects of its gateway an identity of its own namespace"

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """PeerConnected and PeeringSucceeded, for this generation."""
        del spec
        return linked(live.status)
