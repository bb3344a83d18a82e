"""What `mesh status` shows of a mesh: its resources as the plan decided them, and the pods behind them; pure.

`read` puts these together, `judge` makes the rows, `mesh.cli.views.status` prints them. What works and what
does not is said by `mesh.queries.states`; only objects that no mesh file speaks of are judged beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mesh.istio.peering import NOT_REPORTED
from mesh.model.spec import Component
from mesh.queries.states import UNKNOWN, ResourceState

LABEL, PODS, SECRETS, GATEWAYS = "network label", "pods", "certificate and licence", "gateways"
REMOTES = "remote secrets"
"""The parts of a cluster that an identity may not be allowed to read."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of one component: `ready` of `desired`; `nodes` is how many a DaemonSet must cover, else None.

    `chart` is the version of its release and `release` that release's status, "" without a release.
    `why` says why it is not ready, "" if it is. `keeper` is the owner if that is not Helm. `resource` is
    the address of the release in the mesh.
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
    resource: str = ""


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """An east-west gateway; `programmed` is the condition's status.

    `resource` is its address in the mesh, "" for one that the mesh file does not ask for.
    """

    namespace: str
    name: str
    class_name: str = ""
    address: str = ""
    programmed: str = NOT_REPORTED
    owner: str = ""
    why: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """A peer object or remote secret; `connected` and `succeeded` are the conditions that prove a link.

    `link` is the name of the target in the mesh file, "" for what no link of the file asks for. `own` is the
    peer that automatic linking makes for the cluster it is in: expected there, its conditions ignored.
    `programmed` is always true and proves nothing. `resource` is the address of the link in the mesh.
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
    resource: str = ""


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A cluster's intermediate certificate; `root` is the fingerprint of the root it chains to.

    `roots` are those of all roots that the cluster trusts. `expires` is None if there is no certificate,
    `expiring` says that it is due for renewal.
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
    """One cluster; `unreachable` says why nothing of it is known, `unread` which parts could not be read.

    `licence` is the Secret that holds it, "" where none is needed; `clear_licence` says that a licence is
    in the values of istiod's release. `resources` are the states of the cluster's resources.
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
    resources: tuple[ResourceState, ...] = ()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Everything that does not work or could not be read."""
        return tuple(_troubles(self))

    @property
    def out_of_sync(self) -> tuple[str, ...]:
        """Everything that works, or exists at least, and that a plan would change."""
        return () if self.unreachable else tuple(_differing(self.resources))

    @property
    def was_read(self) -> bool:
        """Whether everything could be read."""
        return not (self.unreachable or self.unread or any(each.unread for each in self.resources))


@dataclass(frozen=True, slots=True)
class Status:
    """The whole mesh; `roots` are messages on roots of trust that differ, () if all are the same.

    `management` is the cluster whose management plane makes the links, "" if mesh makes them. `resources`
    are the states of what belongs to no cluster of the file. `note` says why the state was not used,
    `said` what was ignored in the clusters' copies of it.
    """

    mesh: str
    clusters: tuple[ClusterStatus, ...]
    roots: tuple[str, ...] = ()
    management: str = ""
    resources: tuple[ResourceState, ...] = ()
    note: str = ""
    said: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether everything was read and works."""
        return not (self.roots or self.troubles or any(cluster.troubles for cluster in self.clusters))

    @property
    def was_read(self) -> bool:
        """Whether everything could be read."""
        return all(each.was_read for each in self.clusters) and not any(
            each.unread for each in self.resources
        )

    @property
    def in_sync(self) -> bool:
        """Whether everything was read, and a plan would change nothing."""
        states = [*self.resources, *(each for cluster in self.clusters for each in cluster.resources)]
        return not self.note and all(each.in_sync for each in states)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What belongs to no cluster and does not work."""
        return tuple(_of_resources(self.resources, ()))

    @property
    def out_of_sync(self) -> tuple[str, ...]:
        """What belongs to no cluster of the file, and a plan would change."""
        return tuple(_differing(self.resources))

    @property
    def same_root(self) -> bool | None:
        """Whether all clusters have one root of trust; None if fewer than two show any."""
        shown = [each for each in self.clusters if each.authority and each.authority.root]
        return not self.roots if len(shown) > 1 else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at first."""
        note = [f"the state was not used, and nothing is compared with it: {self.note}"] if self.note else []
        return (
            *note,
            *self.said,
            *self.roots,
            *(line for cluster in self.clusters for line in _warnings(cluster)),
        )

    def cluster(self, name: str) -> ClusterStatus:
        """Return the status of a cluster of the file."""
        return next(each for each in self.clusters if each.name == name)


def _troubles(cluster: ClusterStatus) -> Iterator[str]:
    if cluster.unreachable:
        yield f"it cannot be reached: {cluster.unreachable}"
        return
    yield from (f"its {what} could not be read: {why}" for what, why in cluster.unread.items())
    yield from _of_resources(cluster.resources, cluster.unread.values())
    yield from _of_rows(cluster)


def _of_resources(states: Iterable[ResourceState], said: Collection[str]) -> Iterator[str]:
    """Yield a line for each resource that does not work, and one for each reason why some were not read."""
    unread: dict[str, list[str]] = {}
    for each in states:
        if each.unread:
            unread.setdefault(each.unread, []).append(str(each.key))
        elif each.trouble:
            yield f"{each.key}: {each.trouble}"
    for why, addresses in unread.items():
        if why not in said:
            yield f"{', '.join(addresses)}: could not be read: {why}"


def _of_rows(cluster: ClusterStatus) -> Iterator[str]:
    """Yield problems of objects that are not resources of the mesh, or that say more than their resource."""
    states = {str(each.key): each for each in cluster.resources}
    for pods in cluster.workloads:
        release = states.get(pods.resource)
        told = release and not pods.keeper and (release.found is None or pods.why in release.trouble)
        if pods.why and not told:
            yield f"{pods.component}: {pods.why}"
    for gateway in cluster.gateways:
        if gateway.why and not gateway.resource:
            yield f"gateway {gateway.namespace}/{gateway.name}: {gateway.why}"
    for peer in cluster.peers:
        if peer.why and not peer.resource:
            yield f"peer {peer.namespace}/{peer.name}: {peer.why}"


def _differing(states: Iterable[ResourceState]) -> Iterator[str]:
    for each in states:
        is_missing = each.found is None and each.trouble
        if not each.in_sync and each.word != UNKNOWN and not is_missing:
            yield f"{each.key}: {each.text}"


def _warnings(cluster: ClusterStatus) -> Iterator[str]:
    if cluster.unreachable:
        yield f"cluster {cluster.name} cannot be reached"
    for peer in cluster.peers:
        if peer.why:
            target = peer.link or peer.cluster or peer.name
            yield f"cluster {cluster.name} has no working link to {target}: {peer.why}"
    authority = cluster.authority
    if authority and authority.expires and authority.expiring:
        days = max(authority.days_left, 0)
        yield f"the intermediate certificate of cluster {cluster.name} expires in {days} days"


def ordered(peers: Iterable[PeerStatus]) -> tuple[PeerStatus, ...]:
    """Return the peers, those of the mesh file first, each group by name."""
    return tuple(sorted(peers, key=lambda each: (not each.link, each.namespace, each.name)))
