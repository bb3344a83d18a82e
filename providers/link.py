"""Kind `link`: the peer object in one cluster that lets it call services of another."""

from __future__ import annotations

from mesh.manifest import Manifest, ManifestProvider
from mesh.model import READY, Live, Ready, never, not_yet
from mesh.world.resources import GATEWAY

CONNECTED = "gloo.solo.io/PeerConnected"
SUCCEEDED = "gloo.solo.io/PeeringSucceeded"


class LinkProvider(ManifestProvider):
    """A Gateway of class `istio-remote`.

    Its `Programmed` condition is always true and proves nothing; the two peering conditions do.
    """

    kind = "link"
    resource = GATEWAY

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """PeerConnected and PeeringSucceeded, for this generation."""
        del spec
        generation = live.status.get("generation", 0)
        conditions = {
            each["type"]: each
            for each in live.status.get("conditions", [])
            if each.get("observedGeneration", generation) >= generation
        }
        for name in (CONNECTED, SUCCEEDED):
            condition = conditions.get(name)
            if condition is None:
                return not_yet(f"{name.partition('/')[2]} is not reported yet")
            if condition["status"] != "True":
                why = f"{name.partition('/')[2]}: {condition.get('message') or condition.get('reason', '')}"
                return never(why) if condition.get("reason") == "Invalid" else not_yet(why)
        return READY
