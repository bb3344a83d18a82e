"""Kind `link`: the peer object in one cluster that lets it call services of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh.istio.peering import CONNECTED, REMOTE_CLASS, SUCCEEDED, linked, stale
from mesh.model import Live, NoValue, Ready, Resource, Unknown, not_yet
from mesh.model.refs import Ref
from mesh.model.spec import Mesh
from mesh.sdk.capabilities import NamedAfterCluster
from mesh.sdk.kube_object import Manifest
from mesh.sdk.network_gateway import NetworkGateways
from mesh.sdk.script import Commands, Stage

__all__ = ["CONNECTED", "SUCCEEDED", "LinkProvider", "LinkSpec"]


@dataclass(frozen=True, slots=True)
class LinkSpec(Manifest):
    """A peer object that leads to the `endpoint` of another cluster's east-west gateway."""

    endpoint: Mapping[str, Any] | Ref | Unknown | None = None


class LinkProvider(NetworkGateways, NamedAfterCluster):
    """A Gateway of class `istio-remote`.

    Its `Programmed` condition is always true and proves nothing; the two peering conditions do.
    """

    kind = "link"
    stage = Stage.LINKS
    classes = frozenset({REMOTE_CLASS})
    what = "peer"
    unmoved = "it is not taken over there: a peer expects of its gateway an identity of its own namespace"

    def commands(self, resource: Resource[Manifest], mesh: Mesh) -> Commands:
        """Create the peer object at the address that its target has, and wait until it works."""
        from mesh.providers.link.commands import link_commands

        return link_commands(mesh, resource)

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """PeerConnected and PeeringSucceeded are true for this generation, and it leads to the gateway.

        A peer of another owner may use another address of the same gateway, so it is stale only when the
        gateway has none; a connection that is up may be the one to an address that the gateway had before.
        """
        endpoint = spec.endpoint if isinstance(spec, LinkSpec) else None
        judged = live.owner == spec.mesh or isinstance(endpoint, NoValue)
        if judged and (why := stale(live.attrs.get("spec", {}), endpoint)):
            return not_yet(why)
        if why := self.ambiguous(spec, live):
            return not_yet(why)
        return linked(live.status)
