"""Kind `peer`: the peer object that a management plane distributes to a cluster; only verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh.errors import KubeError
from mesh.istio.addresses import is_link
from mesh.istio.names import NETWORK
from mesh.istio.peering import REMOTE_CLASS, is_by_hand, linked, stale
from mesh.model import READY, Found, Key, Live, Place, Ready, Unknown, Unread, not_yet
from mesh.model.refs import Ref
from mesh.sdk.capabilities import NamedAfterCluster, Verified
from mesh.sdk.contract import Last
from mesh.sdk.kube_object import attrs_of, place_of, token
from mesh.sdk.managed_fields import MESH_LABEL, is_copied, owner_of
from mesh.sdk.network_gateway import NetworkLocator
from mesh.sdk.recorded_snapshot import all_recorded
from mesh.sdk.rights import READ, Right, rights
from mesh.sdk.shell import command
from mesh.world import Object, World
from mesh.world.resources import GATEWAY
from mesh.world.snapshot import Snapshot

BY_HAND, REPLACED = "by hand", "replaced"
"""What prevents a distributed peer: peers made by hand, and a link of mesh that this plan deletes first."""

WHERE = "where"


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """The peer in cluster `source` that leads to `target`, at the `endpoint` of its gateway."""

    mesh: str
    source: str
    target: str
    endpoint: Mapping[str, Any] | Ref | Unknown

    @property
    def own(self) -> bool:
        """Whether it stands for its own cluster: it exists by design, and istiod ignores it."""
        return self.source == self.target


class PeerProvider(Verified[PeerSpec], NamedAfterCluster):
    """A Gateway of class `istio-remote`, found by the network that it stands for (a `NetworkLocator`)."""

    kind = "peer"

    def awaited(self, key: Key) -> str:
        """Return who makes it: istiod in its own cluster, the management plane in the others."""
        if key.cluster == key.name:
            return f"the istiod of {key.name} has not made it yet"
        return f"Gloo has not distributed it yet: it is made in {key.name} and copied to {key.cluster}"

    def refuse(self, spec: PeerSpec, live: Found, last: Last | None) -> str:
        """Refuse a peer beside one that was made by hand: the two are ambiguous."""
        del last
        made = live.status[BY_HAND] if isinstance(live, Live) else []
        return (
            f"cluster {spec.source} has a peer for {spec.target} that was made by hand: {', '.join(made)}; "
            "with automatic linking the two are ambiguous and neither works: delete it (kubectl delete "
            "gateway), or write the links one by one"
            if made
            else ""
        )

    def ready(self, spec: PeerSpec, live: Live) -> Ready:
        """It leads to where the gateway is, and works; of a cluster's own peer only the address counts."""
        if made := live.status[BY_HAND]:
            return not_yet(f"{', '.join(made)} was made by hand: with the distributed peer it is ambiguous")
        if live.status[REPLACED]:
            return not_yet("the peer that mesh created is deleted first, then Gloo distributes its own")
        if why := stale(live.attrs["spec"], spec.endpoint):
            return not_yet(f"{why}; Gloo has not distributed the change")
        return READY if spec.own else linked(live.status)

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Find each among the peers of the cluster, in any namespace."""
        try:
            objects = [obj for obj in snapshot.list(GATEWAY) if _is_peer(obj)]
        except KubeError as error:
            return dict.fromkeys(places, Unread(error.message))
        recorded = {
            last.place
            for key, last in all_recorded(snapshot).items()
            if is_link(key) and key.cluster == snapshot.cluster
        }
        return {key: _found(place, objects, recorded) for key, place in places.items()}

    def reads(self, key: Key, place: Place) -> Iterable[Right]:
        """Return the right to list the Gateways of the cluster: a peer can be in any namespace."""
        del key, place
        return rights(GATEWAY, READ)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Do nothing: the management plane removes it when automatic linking is switched off."""
        del key, place, live, last, world
        return ()

    def lingers(self, key: Key, live: Live) -> str:
        """Return its name and owner: the owner may not run any more."""
        namespace, _, name = live.status[WHERE].partition("/")
        return (
            f"{live.status[WHERE]} still exists, by {live.owner or 'owner unknown'}; the management plane "
            "removes it if gloo-mesh-mgmt-server runs; otherwise delete it by hand in cluster "
            f"{key.cluster}: {command('kubectl', 'delete', 'gateway', '-n', namespace, name)}"
        )


def _is_peer(obj: Object) -> bool:
    return bool(obj["spec"].get("gatewayClassName") == REMOTE_CLASS)


def _found(place: Place, objects: Iterable[Object], recorded: set[Place]) -> Live | None:
    """Return the peer of a network, a distributed one first; `refuse` judges the others."""
    mine = [obj for obj in objects if _stands_for(obj, place)]
    hands = [obj for obj in mine if is_by_hand(obj)]
    ours = [obj for obj in hands if _is_recorded(obj, recorded)]
    if not mine:
        return None
    first = next((obj for obj in mine if obj not in hands), mine[0])
    attrs = attrs_of(first)
    return Live(
        attrs,
        token(first, attrs),
        uid=first["metadata"]["uid"],
        status={
            **first.get("status", {}),
            "generation": first["metadata"].get("generation", 0),
            BY_HAND: [_named(obj) for obj in hands if obj not in ours],
            REPLACED: bool(ours),
            WHERE: "/".join((place_of(first).namespace, place_of(first).name)),
        },
        owner=owner_of(first),
        # The state keeps the locator: without it, the peer would be found by its name only.
        place=replace(place_of(first), locator=place.locator),
    )


def _stands_for(obj: Object, place: Place) -> bool:
    here = place_of(obj)
    named = (here.namespace, here.name) == (place.namespace, place.name)
    return named or obj["metadata"].get("labels", {}).get(NETWORK) == NetworkLocator.of(place).network


def _is_recorded(obj: Object, recorded: set[Place]) -> bool:
    """Return whether it is a link of mesh in the state, which a plan therefore deletes."""
    meta = obj["metadata"]
    return MESH_LABEL in meta.get("labels", {}) and not is_copied(meta) and place_of(obj) in recorded


def _named(obj: Object) -> str:
    here = place_of(obj)
    return f"{here.namespace}/{here.name} ({owner_of(obj) or 'owner unknown'})"
