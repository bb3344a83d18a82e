"""The gateways and links of one cluster: those of the mesh file, then those that it does not ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from mesh.engine.session import Session
from mesh.istio import upstream
from mesh.istio.addresses import connection_key, eastwest_key, gateway_key, label_key
from mesh.istio.solo import EASTWEST_CLASS, REMOTE_CLASS
from mesh.model import Key, Live, Place
from mesh.model.spec import Cluster
from mesh.providers.remote import MULTI_CLUSTER
from mesh.queries.current import Current
from mesh.queries.states import ResourceState
from mesh.queries.status import judge
from mesh.queries.status.model import GatewayStatus, PeerStatus
from mesh.sdk.kube_object import Manifest, place_of
from mesh.sdk.managed_fields import owner_of
from mesh.sdk.remote_access import of_remote_secret
from mesh.world import Object
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.resources import GATEWAY, SECRET
from mesh.world.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ClusterView:
    """One cluster of the mesh file, and what was read of it."""

    session: Session
    cluster: Cluster
    current: Current

    @property
    def snapshot(self) -> Snapshot:
        """What was read of the cluster."""
        return self.current.snapshots[self.cluster.name]

    @property
    def is_upstream(self) -> bool:
        """Whether links are remote secrets."""
        return self.session.mesh.distribution == "upstream"

    def state(self, key: Key) -> ResourceState:
        """The state of a resource of the mesh file."""
        return self.current.states[key]

    @property
    def gateway(self) -> ResourceState:
        """The east-west gateway of the mesh file."""
        return self.state(eastwest_key(self.cluster))

    @property
    def targets(self) -> list[Cluster]:
        """The clusters that the file links this one to; automatic linking adds the cluster itself."""
        mesh = self.session.mesh
        if mesh.automatic:
            return list(mesh.clusters)
        return [mesh.cluster(link.target) for link in mesh.links if link.source == self.cluster.name]

    def link(self, target: Cluster) -> ResourceState:
        """The state of the link to a target."""
        return self.state(connection_key(self.session.mesh, self.cluster.name, target.name))


def gateway(view: ClusterView) -> GatewayStatus:
    """Return the row of the gateway that the mesh file asks for, also if it is missing."""
    state = view.gateway
    if state.live:
        return judge.gateway(state.live, state.place, state.trouble, str(state.key))
    place = state.place
    return GatewayStatus(place.namespace, place.name, why=state.trouble, resource=str(state.key))


def other_gateways(view: ClusterView) -> Iterator[GatewayStatus]:
    """Yield the gateways that the mesh file does not ask for, read and judged by the same kind."""
    of_class, own = upstream.EASTWEST_CLASS if view.is_upstream else EASTWEST_CLASS, _at(view.gateway.place)
    objects = {
        gateway_key(view.cluster.name, "/".join(_at(place_of(obj)))): obj
        for obj in view.snapshot.list(GATEWAY)
        if obj["spec"]["gatewayClassName"] == of_class and _at(place_of(obj)) != own
    }
    kind = view.session.kinds[view.gateway.key.kind]
    found = kind.observe({key: place_of(obj) for key, obj in objects.items()}, view.snapshot)
    for key, obj in objects.items():
        if isinstance(live := found[key], Live):
            yield judge.gateway(live, place_of(obj), kind.ready(Manifest("", obj), live).why)


def links(view: ClusterView) -> Iterator[PeerStatus]:
    """Yield the row of each link that the mesh file asks for, also if it is missing."""
    for target in view.targets:
        state = view.link(target)
        if view.is_upstream:
            row = judge.remote(state, target)
            yield replace(row, why=row.why or _way_in(view, target))
        else:
            yield judge.peer(state, target, view.cluster)


def _way_in(view: ClusterView, target: Cluster) -> str:
    """Return why no request reaches a target whose remote secret is good, "" if nothing is known to stop it.

    istiod finds the gateway of another cluster by the network label of its system namespace.
    """
    label = view.current.states.get(label_key(target.name, target.charts["istiod"].namespace))
    if label and not label.unread and (label.trouble or not label.in_sync):
        return f"{label.key}: {label.text}"
    gateway = view.current.states.get(eastwest_key(target))
    return f"{gateway.key}: {gateway.trouble}" if gateway and gateway.trouble else ""


def other_links(view: ClusterView) -> Iterator[PeerStatus]:
    """Yield the peers or remote secrets that no link of the mesh file asks for."""
    own = {_at(view.link(target).place) for target in view.targets}
    return _other_remotes(view, own) if view.is_upstream else _other_peers(view, own)


def _other_peers(view: ClusterView, own: Collection[tuple[str, str]]) -> Iterator[PeerStatus]:
    for obj in view.snapshot.list(GATEWAY):
        if obj["spec"]["gatewayClassName"] == REMOTE_CLASS and _at(place_of(obj)) not in own:
            yield judge.other_peer(obj, view.cluster.network)


def _other_remotes(view: ClusterView, own: Collection[tuple[str, str]]) -> Iterator[PeerStatus]:
    """Yield a row for each cluster that a remote secret holds: it may hold several."""
    for obj in view.snapshot.list(SECRET, namespace=view.cluster.namespace, labels=NOT_SUPERSEDED):
        if _at(place_of(obj)) not in own and _is_remote(obj):
            yield from (_remote(obj, name) for name in sorted(obj.get("data") or {}))


def _is_remote(obj: Object) -> bool:
    return bool(MULTI_CLUSTER.keys() & (obj["metadata"].get("labels") or {}).keys())


def _remote(obj: Object, name: str) -> PeerStatus:
    here, server = place_of(obj), of_remote_secret(obj, name).server
    owner = owner_of(obj)
    return PeerStatus(
        here.namespace, here.name, judge.REMOTE_SECRET, cluster=name, address=server, owner=owner
    )


def _at(place: Place) -> tuple[str, str]:
    return place.namespace, place.name
