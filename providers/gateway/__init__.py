"""Kind `gateway`: the east-west gateway of a cluster, at which its peers reach it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh.istio.peering import PROGRAMMED, conditions, xds_port
from mesh.model import READY, Action, Found, Key, Live, Place, Ready, Reason, Unknown, never, not_yet
from mesh.model.diff import diff
from mesh.model.refs import Ref
from mesh.providers.gateway.service import with_service
from mesh.sdk.capabilities import Disruptive, Renewable
from mesh.sdk.contract import Last
from mesh.sdk.gateway_pods import behind, restart, with_pods
from mesh.sdk.kube_object import Manifest
from mesh.sdk.network_gateway import NetworkGateways, NetworkLocator
from mesh.sdk.recorded_snapshot import recorded
from mesh.sdk.rights import Right, rights
from mesh.world import Object, World
from mesh.world.resources import DEPLOYMENT
from mesh.world.snapshot import Snapshot

PEERING_CLASS = "istio-eastwest"
"""The class whose gateways serve the discovery of peers as well; upstream's carry data only."""


@dataclass(frozen=True, slots=True)
class GatewaySpec(Manifest):
    """An east-west gateway whose pods restart if they are older than the root of trust `root`."""

    root: str | Ref | Unknown = ""


class GatewayProvider(NetworkGateways, Renewable[Manifest], Disruptive):
    """A Gateway of class `istio-eastwest` or `istio-east-west`; its output `endpoint` is its address."""

    kind = "gateway"
    classes = frozenset({"istio-eastwest", "istio-east-west"})
    what = "east-west gateway"
    named = True
    moves = frozenset({("spec",), ("metadata", "annotations")})
    renewed = Reason.FOLLOWS
    lasting = True

    def due(self, spec: Manifest, live: Live, now: datetime) -> str:
        """Return why its pods must restart: they keep their certificates when the root of trust changes."""
        del now
        return _behind(spec, live)

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the Gateways, and the Service of one that is or was reached by node ports."""
        found = dict(super().observe(places, snapshot))
        for key, live in found.items():
            if isinstance(live, Live) and NetworkLocator.of(places[key]).pods:
                found[key] = with_pods(live, places[key], snapshot)
        for key, live in found.items():
            if isinstance(live, Live):
                place = live.place or places[key]
                found[key] = with_service(live, place, recorded(snapshot, key), snapshot)
        return found

    def outputs(self, obj: Object) -> Mapping[str, Any]:
        """Return `endpoint`: {type: IPAddress|Hostname, value, xdsPort}, an IP address before a hostname.

        It has no `xdsPort` if istiods do not peer.
        """
        addresses = sorted(
            obj.get("status", {}).get("addresses", []), key=lambda each: str(each.get("type")) != "IPAddress"
        )
        port = xds_port(obj.get("spec", {}))
        peers = obj.get("spec", {}).get("gatewayClassName") == PEERING_CLASS
        if not addresses or (peers and port is None):
            return {}
        first = {"type": addresses[0]["type"], "value": addresses[0]["value"]}
        return {"endpoint": {**first, "xdsPort": port} if port is not None else first}

    def ready(self, spec: Manifest, live: Live) -> Ready:
        """Return whether it is programmed for this generation, has an address, and has current pods."""
        if why := _behind(spec, live):
            return not_yet(why)
        current = conditions(live.status)
        if why := self.ambiguous(spec, live):
            return not_yet(why)
        accepted, programmed = current.get("Accepted"), current.get(PROGRAMMED)
        if accepted and accepted["status"] == "False":
            return never(f"not accepted: {accepted.get('message', '')}")
        if not programmed:
            return not_yet("istiod has not programmed it yet")
        if programmed["status"] != "True":
            return not_yet(programmed.get("message") or programmed.get("reason", "not programmed"))
        if "lags" in live.status:
            return not_yet(live.status["lags"])
        return READY if live.outputs.get("endpoint") else not_yet("it has no address yet")

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Add the right to restart the gateway's pods while the mesh moves to another root of trust."""
        yield from super().rights(action, key, place)
        if NetworkLocator.of(place).pods:
            yield from rights(DEPLOYMENT, ("patch",), place.namespace)

    def update(self, spec: Manifest, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply it if it differs; restart its pods if they are older than the root of trust."""
        if diff(live.attrs, self.wanted(spec, live, last)):
            super().update(spec, key, live, last, world)
        if _behind(spec, live):
            restart(live, world.kube(key.cluster), self.manager)


def _behind(spec: Manifest, live: Live) -> str:
    return behind(spec.root, live.status) if isinstance(spec, GatewaySpec) else ""
