"""What a mesh is like now: the pods, gateways, peers and certificates of every cluster, judged; pure.

`read` reads, `judge` turns what it read into these, `mesh.cli.views.status`
shows them. Readiness is judged by the kinds themselves, so that status and plan never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mesh.model.spec import Component

NOT_REPORTED = "-"

LABEL, PODS, SECRETS, GATEWAYS = "network label", "pods", "certificate and licence", "gateways"
REMOTES = "remote secrets"
"""What is read of a cluster, each on its own."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of one component: `ready` of `desired`; `nodes` is how many a DaemonSet must cover, else None.

    `chart` is the version of its release and `release` that release's status, "" where no release
    is. `why` says why it is not ready, "" if it is. `keeper` is who else keeps it.
    """

    component: Component
    namespace: str
    name: str = ""
    ready: int = 0
    desired: int = 0
    nodes: int | None = None
    tag: str = ""
    chart: str = ""
    release: str = ""
    why: str = ""
    keeper: str = ""


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """An east-west gateway; `programmed` is the condition's status, `owner` who keeps it."""

    namespace: str
    name: str
    class_name: str = ""
    address: str = ""
    programmed: str = NOT_REPORTED
    owner: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """A peer object; `connected` and `succeeded` are the statuses of the two conditions that prove a link.

    `link` is the name of the target in the file, "" for what no link of the file asks for. `own` is
    the one of automatic linking for the cluster it is in: expected there, its conditions ignored.
    `programmed` is always true and proves nothing.
    """

    namespace: str
    name: str
    class_name: str = ""
    cluster: str = ""
    network: str = ""
    address: str = ""
    connected: str = NOT_REPORTED
    succeeded: str = NOT_REPORTED
    owner: str = ""
    link: str = ""
    why: str = ""
    programmed: str = NOT_REPORTED
    own: bool = False


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A cluster's intermediate certificate; `root` is the fingerprint of the root it chains to.

    `roots` are those of all roots that it trusts. `expires` is None if there is no certificate,
    `expiring` is whether the time to renew it has come.
    """

    subject: str = ""
    issuer: str = ""
    root: str = ""
    roots: tuple[str, ...] = ()
    expires: datetime | None = None
    days_left: int = 0
    expiring: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """One cluster; `unreachable` says why nothing of it is known, `unread` what else could not be read.

    `licence` is the Secret that holds it, "" where none is needed; `clear_licence` says that one stands in
    the values of istiod's release.
    """

    name: str
    context: str
    wanted_network: str
    licence: str
    unreachable: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    has_licence: bool = False
    clear_licence: bool = False
    workloads: tuple[Workload, ...] = ()
    gateways: tuple[GatewayStatus, ...] = ()
    peers: tuple[PeerStatus, ...] = ()
    authority: CertificateStatus | None = None

    @property
    def troubles(self) -> tuple[str, ...]:
        """Everything that is not as it must be, in words."""
        return tuple(_troubles(self))


@dataclass(frozen=True, slots=True)
class Status:
    """The whole mesh; `roots` are messages on roots of trust that differ, () if all are the same.

    `management` is the cluster whose management plane makes the links, "" if they are written.
    """

    mesh: str
    clusters: tuple[ClusterStatus, ...]
    roots: tuple[str, ...] = ()
    management: str = ""

    @property
    def ready(self) -> bool:
        """Whether everything was read and works."""
        return not self.roots and not any(cluster.troubles for cluster in self.clusters)

    @property
    def same_root(self) -> bool | None:
        """Whether all clusters have one root of trust; None if fewer than two show any."""
        shown = [each for each in self.clusters if each.authority and each.authority.root]
        return not self.roots if len(shown) > 1 else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at first."""
        return (*self.roots, *(line for cluster in self.clusters for line in _warnings(cluster)))


def _troubles(cluster: ClusterStatus) -> Iterator[str]:
    if cluster.unreachable:
        yield f"it cannot be reached: {cluster.unreachable}"
        return
    unread = cluster.unread
    yield from (f"its {what} could not be read: {why}" for what, why in unread.items())
    if cluster.network != cluster.wanted_network and LABEL not in unread:
        there = f"is {cluster.network}" if cluster.network else "is not there"
        yield f"its network label {there}, {cluster.wanted_network} is wanted"
    if cluster.licence and not (cluster.has_licence or cluster.clear_licence) and SECRETS not in unread:
        yield f"its licence, Secret {cluster.licence}, is not there or empty"
    yield from (f"{each.component}: {each.why}" for each in cluster.workloads if each.why)
    if cluster.authority and cluster.authority.why:
        yield f"cacerts: {cluster.authority.why}"
    for gateway in cluster.gateways:
        if gateway.why:
            yield f"gateway {gateway.namespace}/{gateway.name}: {gateway.why}"
    for peer in cluster.peers:
        if peer.why:
            yield f"peer {peer.namespace}/{peer.name}: {peer.why}"


def _warnings(cluster: ClusterStatus) -> Iterator[str]:
    if cluster.unreachable:
        yield f"cluster {cluster.name} cannot be reached"
    for peer in cluster.peers:
        if peer.why:
            target = peer.link or peer.cluster or peer.name
            yield f"cluster {cluster.name} has no working link to {target}: {peer.why}"
    authority = cluster.authority
    if authority and authority.expires and authority.expiring:
        yield f"the intermediate CA of cluster {cluster.name} expires in {max(authority.days_left, 0)} days"


def ordered(peers: Iterable[PeerStatus]) -> tuple[PeerStatus, ...]:
    """Those of the file first, each group by name."""
    return tuple(sorted(peers, key=lambda each: (not each.link, each.namespace, each.name)))
