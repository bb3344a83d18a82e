"""The address of each resource of a mesh, and what an address stands for.

An address is `kind/cluster/name`. Everything that refers to a resource of another kind takes the address
from here, so that the names of kinds and the order of the parts are written once.
"""

from __future__ import annotations

from mesh.istio.management_plane import PLATFORM
from mesh.istio.upstream import READER
from mesh.model import NO_CLUSTER, Key
from mesh.model.spec import COMPONENTS, Cluster, Mesh

CRDS = "crds"
"""The kind that a destroy keeps unless `--crds` is given."""

STARTS_AUTOMATIC_LINKS = frozenset({"istiod", PLATFORM})
"""The charts whose upgrade starts automatic linking: from then on, peers with the links' names appear."""


LICENCE = Key("input", NO_CLUSTER, "licence")
"""The licence. Not a resource: specs refer to it, and a session that has the value fills it in."""


def crds_key(cluster: str) -> Key:
    """The CRDs of the Gateway API in a cluster."""
    return Key(CRDS, cluster, "gateway-api")


def namespace_key(cluster: str, namespace: str) -> Key:
    """A namespace of a cluster."""
    return Key("namespace", cluster, namespace)


def root_key() -> Key:
    """The root of trust, which belongs to no cluster."""
    return Key("cert", NO_CLUSTER, "root")


def cacerts_key(cluster: str) -> Key:
    """The intermediate certificate of a cluster."""
    return Key("cert", cluster, "cacerts")


def licence_key(cluster: str, secret: str) -> Key:
    """The Secret from which a cluster's istiod reads its licence."""
    return Key("secret", cluster, secret)


def chart_key(cluster: str, component: str) -> Key:
    """The release of a chart: a component of Istio, or a chart of the management plane."""
    return Key("chart", cluster, component)


def label_key(cluster: str, namespace: str) -> Key:
    """The network label on a namespace."""
    return Key("label", cluster, namespace)


def gateway_key(cluster: str, gateway: str) -> Key:
    """A gateway of a cluster, by its name: for one that was found and may not be the file's."""
    return Key("gateway", cluster, gateway)


def eastwest_key(cluster: Cluster) -> Key:
    """The east-west gateway of a cluster."""
    return gateway_key(cluster.name, cluster.eastwest.name)


def link_key(source: str, target: str) -> Key:
    """The peer object that mesh makes in the source for calls to the target."""
    return Key("link", source, target)


def peer_key(source: str, target: str) -> Key:
    """The peer object that a management plane makes in the source for calls to the target."""
    return Key("peer", source, target)


def remote_key(source: str, target: str) -> Key:
    """The remote secret by which the source's istiod reads the target."""
    return Key("remote", source, target)


def reader_key(cluster: str) -> Key:
    """The token by which the istiods of other clusters read a cluster."""
    return Key("reader", cluster, READER)


def registration_key(management: str, cluster: str) -> Key:
    """The registration of a cluster with the management plane."""
    return Key("registration", management, cluster)


def connection_key(mesh: Mesh, source: str, target: str) -> Key:
    """The resource that connects two clusters of a mesh, whatever kind its distribution uses."""
    if mesh.distribution == "upstream":
        return remote_key(source, target)
    return peer_key(source, target) if mesh.automatic else link_key(source, target)


def is_crds(key: Key) -> bool:
    """Whether a resource is the CRDs of the Gateway API."""
    return key.kind == CRDS


def is_intermediate(key: Key) -> bool:
    """Whether a resource is the intermediate certificate of a cluster, not the root of trust."""
    return key.kind == "cert" and key.cluster != NO_CLUSTER


def is_release(key: Key) -> bool:
    """Whether a resource is a Helm release."""
    return key.kind == "chart"


def is_component(key: Key) -> bool:
    """Whether a resource is the release of a component of Istio."""
    return is_release(key) and key.name in COMPONENTS


def is_gateway(key: Key) -> bool:
    """Whether a resource is an east-west gateway."""
    return key.kind == "gateway"


def is_link(key: Key) -> bool:
    """Whether a resource is a peer object that mesh makes."""
    return key.kind == "link"


def is_peer(key: Key) -> bool:
    """Whether a resource is a peer object that a management plane makes."""
    return key.kind == "peer"


def is_connection(key: Key) -> bool:
    """Whether a resource connects a cluster to another one; a peer for its own cluster does not."""
    return key.kind in {"link", "remote", "peer"} and key.cluster != key.name


def starts_automatic_links(key: Key) -> bool:
    """Whether an upgrade of a resource starts automatic linking."""
    return is_release(key) and key.name in STARTS_AUTOMATIC_LINKS
