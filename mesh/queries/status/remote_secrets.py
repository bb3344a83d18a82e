"""The links of an upstream mesh as status shows them: remote secrets, judged as their kind judges them."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.errors import KubeError
from mesh.istio.addresses import remote_key
from mesh.model import Live, Place, Unread
from mesh.model.spec import Cluster, Mesh
from mesh.providers.remote import MULTI_CLUSTER, RemoteProvider, place
from mesh.queries.status.model import NOT_REPORTED, PeerStatus
from mesh.sdk.kube_object import place_of
from mesh.sdk.managed_fields import owner_of
from mesh.sdk.remote_access import of_remote_secret
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot

CLASS = "remote secret"
LABEL = next(iter(MULTI_CLUSTER))


def remote_peers(mesh: Mesh, cluster: Cluster, snapshot: Snapshot) -> Iterator[PeerStatus]:
    """Yield a row for each link of the file that starts here, then for each secret of somebody else's.

    `connected` is whether the other API server takes the token; that istiod has synced, no object says.
    """
    targets = [mesh.cluster(link.target) for link in mesh.links if link.source == cluster.name]
    wanted = {each.name: place(mesh.name, cluster.namespace, each.cluster_name) for each in targets}
    keys = {remote_key(cluster.name, name): where for name, where in wanted.items()}
    found = RemoteProvider().observe(keys, snapshot)
    for target in targets:
        key = remote_key(cluster.name, target.name)
        match found[key]:
            case Unread(why=why):
                raise KubeError(why)
            case None:
                yield _peer(keys[key], target, why="it is not there")
            case Live() as live:
                yield _judged(keys[key], target, live)
    yield from _foreign({(each.namespace, each.name) for each in wanted.values()}, cluster, snapshot)


def _judged(where: Place, target: Cluster, live: Live) -> PeerStatus:
    unseen = (
        "" if LABEL in live.attrs["metadata"]["labels"] else f"istiod does not see it without label {LABEL}"
    )
    refused = live.status.get("refused") or live.status.get("denied")
    unknown = live.status.get("unknown", "" if live.attrs["token"] else "it holds no token")
    connected = "False" if refused else "Unknown" if unknown else "True"
    why = str(unseen or refused or unknown or "")
    return _peer(where, target, connected, str(live.attrs["server"]), live.owner, why=why)


def _peer(
    where: Place,
    target: Cluster,
    connected: str = NOT_REPORTED,
    address: str = "",
    owner: str = "",
    *,
    why: str,
) -> PeerStatus:
    return PeerStatus(
        where.namespace,
        where.name,
        class_name=CLASS if connected != NOT_REPORTED else "",
        cluster=target.cluster_name,
        network=target.network,
        address=address,
        connected=connected,
        owner=owner,
        link=target.name,
        why=why,
    )


def _foreign(ours: set[tuple[str, str]], cluster: Cluster, snapshot: Snapshot) -> Iterator[PeerStatus]:
    """Remote secrets that no link of the file asks for; one may know several clusters."""
    for obj in snapshot.list(SECRET, namespace=cluster.namespace, labels=NOT_SUPERSEDED):
        here = place_of(obj)
        if (here.namespace, here.name) in ours or LABEL not in obj["metadata"].get("labels", {}):
            continue
        for name in sorted(obj.get("data") or {}):
            server = of_remote_secret(obj, name).server
            yield PeerStatus(
                here.namespace, here.name, CLASS, cluster=name, address=server, owner=owner_of(obj)
            )
