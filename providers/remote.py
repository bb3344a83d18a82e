"""Kind `remote`: the remote secret in one cluster that lets its istiod find the services of another.

It holds an address, a CA and a token of the other cluster. The kind reads the last two from the
other cluster's reader when it writes; attrs and record hold their digests.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.errors import KubeError
from mesh.istio.upstream import READER, REMOTE_SECRET, is_loopback
from mesh.model import READY, Attrs, Found, Key, Live, Place, Ready, Touch, Unknown, not_yet
from mesh.model.refs import Ref, unknowns_in
from mesh.sdk import kube_secret as secret_objects
from mesh.sdk.capabilities import Renewable, Traced
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.kube_object import dry_run, token, written_in
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks, owner_of, touches
from mesh.sdk.remote_access import Access, judge, kubeconfig, of_remote_secret, of_token_secret, roots, salted
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Object, Snapshot, World
from mesh.world.resources import SECRET

MANAGER = "mesh/remote"
MULTI_CLUSTER = {"istio/multiCluster": "true"}
CLUSTER = "networking.istio.io/cluster"


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """What the istiod of `address.cluster` is to know of the cluster `address.name`.

    `cluster` is what Istio calls the target, `reader` where its token Secret is. `server`, `ca`,
    `token` and `roots` are outputs of the reader, unless the file names the server.
    """

    mesh: str
    address: Key
    namespace: str
    cluster: str
    reader: Place
    server: Ref | Unknown | str
    ca: Ref | Unknown | str
    token: Ref | Unknown | str
    roots: Ref | Unknown | str
    allow_loopback: bool = False

    @property
    def name(self) -> str:
        """The name of the Secret."""
        return REMOTE_SECRET.format(cluster=self.cluster)


def place(mesh: str, namespace: str, cluster: str) -> Place:
    """Where the remote secret of a cluster is; the mesh's name is the salt of its digests."""
    return secret_objects.place(mesh, namespace, REMOTE_SECRET.format(cluster=cluster))


class RemoteProvider(Provider[RemoteSpec], Renewable[RemoteSpec], Traced):
    """A link of an upstream mesh.

    Ready is: the token works, the CA vouches for the server, and both clusters have a root of trust
    in common. Whether istiod has read it, no object says.
    """

    kind = "remote"

    def wanted(self, spec: RemoteSpec, live: Found, last: Last | None) -> Attrs:
        """The label by which istiod finds it, and what it says of the other cluster."""
        del live, last
        return {
            "metadata": {"labels": dict(MULTI_CLUSTER), "annotations": {CLUSTER: spec.cluster}},
            "cluster": spec.cluster,
            "server": spec.server,
            "ca": spec.ca,
            "token": spec.token,
        }

    def due(self, spec: RemoteSpec, live: Live, now: object) -> str:
        """Say that what it holds is good no more."""
        del spec, now
        return str(live.status.get("refused", ""))

    def refuse(self, spec: RemoteSpec, live: Found, last: Last | None) -> str:
        """Refuse an address that means another machine to its reader."""
        del live, last
        return "" if isinstance(spec.server, Unknown | Ref) else _nowhere(spec, spec.server)

    def ready(self, spec: RemoteSpec, live: Live) -> Ready:
        """Accepted, allowed to read, and of one root of trust."""
        for name in ("refused", "denied", "unknown"):
            if said := live.status.get(name):
                return not_yet(str(said))
        theirs, ours = str(spec.roots), str(live.status.get("roots", ""))
        if isinstance(spec.roots, str) and not set(theirs.split(",")) & set(ours.split(",")):
            ends = f"{spec.address.cluster} and {spec.address.name}"
            return not_yet(f"clusters {ends} have no root of trust in common")
        return READY

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Find each in the one LIST of Secrets of its namespace; ask the other cluster about its token."""
        return secret_objects.observe(
            places,
            snapshot,
            lambda key, where, obj: _live(key, where, obj, snapshot),
            lambda _key, last: _glimpse(last, snapshot),
        )

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Every Secret with our label whose address is of this kind."""
        return secret_objects.owned(self.kind, mesh, snapshot)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """What the Secret's managedFields say."""
        del live
        return written_in(SECRET, key, place, world)

    def preview(self, spec: RemoteSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Refuse an address that cannot be reached; dry-run the write if all of it is known."""
        # The reader may be still to be made, but which server it will name is known.
        known = world.kube(key.name).server if isinstance(spec.server, Unknown) else ""
        if why := _nowhere(spec, known):
            return Preview(refusals=(why.partition(": ")[2],))
        if next(unknowns_in(spec), None):
            return Preview(notes=("checked by the API server at apply, when its token is known",))
        try:
            sent = _filled(spec, key, live, world)
        except KubeError as error:
            return Preview(notes=(f"not checked by the API server: {error.message}",))
        return dry_run(
            lambda force: world.kube(key.cluster).apply(sent, manager=MANAGER, force=force, dry_run=True)
        )

    def create(self, spec: RemoteSpec, key: Key, world: World) -> None:
        """Apply it with the token that the reader has now."""
        world.kube(key.cluster).apply(_filled(spec, key, None, world), manager=MANAGER)

    def update(self, spec: RemoteSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply it by force to the very Secret that was read, with the token that the reader has now."""
        del last
        world.kube(key.cluster).apply(_filled(spec, key, live, world), manager=MANAGER, force=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the Secret that we made; istiod then forgets the other cluster."""
        return secret_objects.delete(key, place, live, last, world)


def _nowhere(spec: RemoteSpec, server: str) -> str:
    if spec.allow_loopback or not is_loopback(server):
        return ""
    return (
        f"{spec.address}: {server} is where this machine reaches cluster {spec.address.name}; to cluster "
        f"{spec.address.cluster} it is another machine: set apiServer of cluster {spec.address.name} to what "
        "the others reach, or allowLoopback: true in a lab"
    )


def _live(key: Key, where: Place, obj: Object, snapshot: Snapshot) -> Live:
    mesh = secret_objects.SecretLocator.of(where).mesh
    meta, data = obj["metadata"], obj.get("data") or {}
    cluster = where.name.removeprefix(REMOTE_SECRET.format(cluster=""))
    access = of_remote_secret(obj, cluster)
    reader = Key("reader", key.name, READER)
    labels = {name: value for name, value in meta.get("labels", {}).items() if name in MULTI_CLUSTER}
    annotations = {CLUSTER: meta["annotations"][CLUSTER]} if CLUSTER in meta.get("annotations", {}) else {}
    attrs = {
        "metadata": {"labels": labels, "annotations": annotations},
        "cluster": cluster if cluster in data else ", ".join(sorted(data)),
        "server": access.server,
        "ca": salted(mesh, reader, access.ca),
        "token": salted(mesh, reader, access.token),
    }
    kube = snapshot.world.kubes.get(key.name)
    said = judge(kube, access, whose="its").told() if kube and access.complete else {}
    return Live(
        attrs,
        token(obj, attrs),
        uid=meta["uid"],
        status={**said, "roots": roots(snapshot, where.namespace)},
        touches=touches(obj, ours=MANAGER),
        owner=owner_of(obj),
    )


def _glimpse(last: Last, snapshot: Snapshot) -> VisibleState:
    """What was written, and the root that is published beside it; whether its token works does not show."""
    return VisibleState(replace(as_left(last), status={"roots": roots(snapshot, last.place.namespace)}), {})


def _access(spec: RemoteSpec, world: World) -> Access:
    """Read CA and token where they are kept; the digests say whether they are those of the plan."""
    found = world.kube(spec.address.name).get(SECRET, spec.reader.namespace, spec.reader.name)
    access = replace(of_token_secret(found or {}), server=str(spec.server))
    if not access.complete:
        where = f"Secret {spec.reader.namespace}/{spec.reader.name} of cluster {spec.address.name}"
        raise KubeError(f"{where} holds no token", hint="plan again: it has changed meanwhile")
    return access


def _filled(spec: RemoteSpec, key: Key, live: Live | None, world: World) -> Object:
    text = kubeconfig(spec.cluster, _access(spec, world))
    return body(spec, key, live, base64.b64encode(text.encode()).decode())


def body(spec: RemoteSpec, key: Key, live: Live | None, data: str) -> Object:
    """The Secret as it is sent, with `data` under the cluster's name."""
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {
            "name": spec.name,
            "namespace": spec.namespace,
            "labels": {**marks(spec.mesh), **MULTI_CLUSTER},
            "annotations": {ADDRESS_ANNOTATION: str(key), CLUSTER: spec.cluster},
            **({"uid": live.uid} if live else {}),
        },
        "type": "Opaque",
        "data": {spec.cluster: data},
    }
