"""The resources by which an upstream mesh is linked: readers, and remote secrets with their tokens; pure."""

from __future__ import annotations

from mesh.istio.addresses import reader_key, remote_key
from mesh.istio.upstream import READER_ACCOUNT, READER_SECRET
from mesh.model import Key, Resource
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Link, Mesh
from mesh.providers.reader import ReaderSpec
from mesh.providers.remote import RemoteSpec
from mesh.providers.remote import place as remote_place
from mesh.sdk.kube_secret import place as secret_place


def is_upstream(mesh: Mesh) -> bool:
    """Whether clusters are linked by remote secrets, and no licence is needed."""
    return mesh.distribution == "upstream"


def reader(mesh: Mesh, cluster: Cluster, needs: frozenset[Key]) -> Resource[ReaderSpec]:
    """Return the token of a cluster that others read; the charts of `needs` make its account and rights."""
    key = reader_key(cluster.name)
    return Resource(
        key,
        secret_place(mesh.name, cluster.namespace, READER_SECRET),
        ReaderSpec(mesh.name, key, cluster.namespace, READER_SECRET, READER_ACCOUNT),
        needs,
        cluster.origin,
    )


def remote(mesh: Mesh, link: Link, needs: frozenset[Key]) -> Resource[RemoteSpec]:
    """Return the remote secret of a link: the source's istiod discovers the services of the target."""
    source, target = mesh.cluster(link.source), mesh.cluster(link.target)
    key, known = remote_key(source.name, target.name), reader_key(target.name)
    spec = RemoteSpec(
        mesh=mesh.name,
        address=key,
        namespace=source.namespace,
        cluster=target.cluster_name,
        reader=secret_place(mesh.name, target.namespace, READER_SECRET),
        server=target.api_server or Ref(known, "server"),
        ca=Ref(known, "ca"),
        token=Ref(known, "token"),
        roots=Ref(known, "roots"),
        allow_loopback=target.allow_loopback,
    )
    place = remote_place(mesh.name, source.namespace, target.cluster_name)
    return Resource(key, place, spec, needs | {known}, link.origin)
