"""Kind `remote`: the remote secret in one cluster that lets its istiod find the services of another.

It holds an address, a CA and a token of the other cluster. CA and token are read from the other cluster's
reader when the Secret is written; attrs and state hold their digests.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace

from mesh.errors import KubeError
from mesh.istio.addresses import reader_key
from mesh.istio.upstream import REMOTE_SECRET, is_loopback
from mesh.model import (
    READY,
    SENSITIVE,
    Action,
    Attrs,
    Found,
    Key,
    Live,
    Place,
    Ready,
    Resource,
    Unknown,
    not_yet,
)
from mesh.model.refs import Ref, unknowns_in
from mesh.model.spec import Mesh
from mesh.providers.remote.secret import CLUSTER, MULTI_CLUSTER, RemoteSpec, body, place
from mesh.sdk.capabilities import NamedAfterCluster, Renewable
from mesh.sdk.contract import AT_APPLY, Last, Preview
from mesh.sdk.document import Document
from mesh.sdk.kube_object import dry_run, token
from mesh.sdk.kube_secret import KubeSecretProvider, mesh_of
from mesh.sdk.managed_fields import is_going, owner_of, touches
from mesh.sdk.remote_access import Access, judge, kubeconfig, of_remote_secret, of_token_secret, roots, salted
from mesh.sdk.rights import Right
from mesh.sdk.script import Commands, Stage
from mesh.sdk.unreadable import VisibleState, as_left
from mesh.world import Object, World
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot

__all__ = ["MULTI_CLUSTER", "RemoteProvider", "RemoteSpec", "place"]

MANAGER = "mesh/remote"
READ = ("cluster", "server", "ca", "token")
"""The attrs that istiod reads."""
SEEN_AFTER = 2.0
"""Seconds within which an istiod sees that a remote secret is gone."""
INTERRUPTED = "requests to that cluster fail for a few seconds: the Secret is deleted and created again"


class RemoteProvider(KubeSecretProvider[RemoteSpec], Renewable[RemoteSpec], NamedAfterCluster):
    """A link of an upstream mesh.

    It is ready if the token works, the CA verifies the server, and both clusters have a root of trust in
    common. Whether istiod has read it is not visible in any object.
    """

    kind = "remote"
    stage = Stage.LINKS

    def wanted(self, spec: RemoteSpec, live: Found, last: Last | None) -> Attrs:
        """Return the label by which istiod finds it, and what it says of the other cluster."""
        del live, last
        return {
            "metadata": {"labels": dict(MULTI_CLUSTER), "annotations": {CLUSTER: spec.cluster}},
            "cluster": spec.cluster,
            "server": spec.server,
            "ca": spec.ca,
            "token": spec.token,
        }

    def due(self, spec: RemoteSpec, live: Live, now: object) -> str:
        """Return why the token or the CA that it holds is refused."""
        del spec, now
        return str(live.status.get("refused", ""))

    def refuse(self, spec: RemoteSpec, live: Found, last: Last | None) -> str:
        """Refuse a loopback address: in another cluster it is another machine."""
        del live, last
        return "" if isinstance(spec.server, Unknown | Ref) else _nowhere(spec, spec.server)

    def ready(self, spec: RemoteSpec, live: Live) -> Ready:
        """Return whether istiod reads it, it leads to the server, its token works, and the roots match."""
        if why := _astray(spec, live.attrs):
            return not_yet(why)
        for name in ("refused", "denied", "unknown"):
            if said := live.status.get(name):
                return not_yet(str(said))
        theirs, ours = str(spec.roots), str(live.status.get("roots", ""))
        if isinstance(spec.roots, str) and not set(theirs.split(",")) & set(ours.split(",")):
            ends = f"{spec.address.cluster} and {spec.address.name}"
            return not_yet(f"clusters {ends} have no root of trust in common")
        return READY

    def preview(self, spec: RemoteSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Refuse an address that cannot be reached; dry-run the write if all its values are known."""
        # The reader may not exist yet, but the server that it will name is known.
        known = world.kube(key.name).server if isinstance(spec.server, Unknown) else ""
        if why := _nowhere(spec, known):
            return Preview(refusals=(why.partition(": ")[2],))
        if next(unknowns_in(spec), None):
            lost = (INTERRUPTED,) if live is not None else ()
            return Preview(notes=(f"{AT_APPLY}, when its token is known", *lost))
        try:
            sent = self.sent(spec, key, live, world)
        except KubeError as error:
            return Preview(notes=(f"not checked by the API server: {error.message}",))
        # Outside the `try`: what this API server refuses ends the plan, as for every other kind.
        tried = dry_run(
            lambda force: world.kube(key.cluster).apply(sent, manager=self.manager, force=force, dry_run=True)
        )
        changes = live is not None and self._is_read_again(spec, live)
        return replace(tried, notes=(*tried.notes, INTERRUPTED)) if changes else tried

    def live(self, key: Key, place: Place, obj: Object, snapshot: Snapshot) -> Live:
        """Return the digests of CA and token, and what the other cluster says of the token."""
        return _live(key, place, obj, snapshot)

    def visible(self, key: Key, last: Last, snapshot: Snapshot) -> VisibleState:
        """Return what was written, and the published root; whether its token works is not visible."""
        del key
        published = roots(snapshot, last.place.namespace)
        return VisibleState(replace(as_left(last), status={"roots": published}), {})

    def update(self, spec: RemoteSpec, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Delete it and create it again if what istiod reads of it changes; else apply it by force."""
        # istiod starts to read a cluster when a remote secret appears. If one changes, it starts again beside
        # what it stops, and may end up knowing nothing of that cluster while it reports it as synced (seen
        # with 1.31). A replacement costs the requests of a few seconds, a change perhaps all until istiod
        # restarts. The pause lets istiod see the one without the other: it looks at the object that is there
        # when it gets to it, so what follows at once is a change to it.
        if not self._is_read_again(spec, live):
            super().update(spec, key, live, last, world)
            return
        world.kube(key.cluster).delete(SECRET, spec.namespace, spec.name, uid=live.uid)
        world.clock.sleep(SEEN_AFTER)
        self.create(spec, key, world)

    def _is_read_again(self, spec: RemoteSpec, live: Live) -> bool:
        """Whether istiod is to read something else than before; not known of one that cannot be read."""
        wanted = self.wanted(spec, live, None)
        return "refused" in live.status or any(live.attrs.get(name) != wanted[name] for name in READ)

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights to apply or delete the Secret; an update may be a replacement."""
        return super().rights(Action.REPLACE if action is Action.UPDATE else action, key, place)

    def commands(self, resource: Resource[RemoteSpec], mesh: Mesh) -> Commands:
        """Write the Secret with the token of the target; wait for the gateways of both ends first."""
        from mesh.providers.remote.commands import remote_commands

        return remote_commands(mesh, resource)

    def documents(self, spec: RemoteSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return the Secret with the kubeconfig masked."""
        del world
        remark = f"a kubeconfig for {spec.server} with the CA and token of reader {spec.reader.name}"
        return (Document(body(spec, key, None, SENSITIVE), (remark,)),)

    def sent(self, spec: RemoteSpec, key: Key, live: Live | None, world: World) -> Object:
        """Return the Secret with the token that the reader has now."""
        text = kubeconfig(spec.cluster, _access(spec, world))
        return body(spec, key, live, base64.b64encode(text.encode()).decode())


def _nowhere(spec: RemoteSpec, server: str) -> str:
    if spec.allow_loopback or not is_loopback(server):
        return ""
    return (
        f"{spec.address}: {server} is where this machine reaches cluster {spec.address.name}; to cluster "
        f"{spec.address.cluster} it is another machine: set apiServer of cluster {spec.address.name} to what "
        "the others reach, or allowLoopback: true in a lab"
    )


def _live(key: Key, where: Place, obj: Object, snapshot: Snapshot) -> Live:
    mesh = mesh_of(where)
    meta, data = obj["metadata"], obj.get("data") or {}
    cluster = where.name.removeprefix(REMOTE_SECRET.format(cluster=""))
    access = of_remote_secret(obj, cluster)
    reader = reader_key(key.name)
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
        touches=touches(obj, manager=MANAGER),
        owner=owner_of(obj),
        going=is_going(obj),
    )


def _astray(spec: RemoteSpec, attrs: Attrs) -> str:
    """Return why istiod does not reach the other cluster by what a remote secret says; "" if it does.

    Nothing is said of attrs that could not be read: they are empty.
    """
    if not attrs:
        return ""
    if not attrs["metadata"]["labels"]:
        return f"istiod does not see it without label {next(iter(MULTI_CLUSTER))}"
    if isinstance(spec.server, str) and attrs["server"] != spec.server:
        there = attrs["server"] or "no server"
        return f"stale: it leads to {there}, the API server of {spec.address.name} is at {spec.server}"
    return "" if attrs["token"] else "it holds no token"


def _access(spec: RemoteSpec, world: World) -> Access:
    """Read CA and token from the reader; their digests show whether they are those of the plan."""
    found = world.kube(spec.address.name).get(SECRET, spec.reader.namespace, spec.reader.name)
    access = replace(of_token_secret(found or {}), server=str(spec.server))
    if not access.complete:
        where = f"Secret {spec.reader.namespace}/{spec.reader.name} of cluster {spec.address.name}"
        raise KubeError(f"{where} holds no token", hint="it changed since the plan: run `mesh plan`")
    return access
