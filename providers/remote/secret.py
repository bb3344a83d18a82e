"""The remote secret: what a kind must know of it, where it is, and how it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.istio.upstream import REMOTE_SECRET
from mesh.model import Key, Live, Place, Sensitive, Unknown
from mesh.model.refs import Ref
from mesh.sdk.kube_secret import place as secret_place
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, marks
from mesh.world import Object
from mesh.world.resources import SECRET

MULTI_CLUSTER = {"istio/multiCluster": "true"}
CLUSTER = "networking.istio.io/cluster"


@dataclass(frozen=True, slots=True)
class RemoteSpec:
    """What the istiod of `address.cluster` gets to know about the cluster `address.name`.

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
    """Return the place of the remote secret of a cluster; the mesh's name is the salt of its digests."""
    return secret_place(mesh, namespace, REMOTE_SECRET.format(cluster=cluster))


def body(spec: RemoteSpec, key: Key, live: Live | None, data: str | Sensitive) -> Object:
    """Return the Secret as it is sent, with `data` under the cluster's name."""
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
