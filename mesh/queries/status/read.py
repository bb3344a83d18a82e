"""Read what `status.model` judges: the same LISTs as a plan, clusters in parallel, no helm, no licence.

Of a cluster that does not answer nothing else is asked; what an identity may not read is noted,
and the rest is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh.errors import MeshError
from mesh.istio import upstream
from mesh.istio.names import NETWORK
from mesh.istio.solo import EASTWEST_CLASS, LICENCE_KEYS, PEER_NAME, REMOTE_CLASS, licence_secret
from mesh.model.spec import Cluster, Mesh, SecretRef
from mesh.providers.cert.specs import CACERTS
from mesh.providers.chart import views_in
from mesh.providers.chart.values import CLEAR, LICENCE
from mesh.queries.status.distributed_peers import as_distributed
from mesh.queries.status.judge import authority, east_west, peer
from mesh.queries.status.model import (
    GATEWAYS,
    LABEL,
    PODS,
    REMOTES,
    SECRETS,
    CertificateStatus,
    ClusterStatus,
    GatewayStatus,
    PeerStatus,
    Status,
    ordered,
)
from mesh.queries.status.pods import workloads
from mesh.queries.status.remote_secrets import remote_peers
from mesh.walk import fan
from mesh.world import Object, World
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.kube.errors import Unauthorized, Unreachable
from mesh.world.resources import GATEWAY, NAMESPACE, SECRET
from mesh.world.snapshot import Snapshot

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One cluster, and what is known of it so far."""

    mesh: Mesh
    cluster: Cluster
    snapshot: Snapshot

    def blank(self) -> ClusterStatus:
        """The cluster before anything was read."""
        licence = self._licence()
        where = f"{licence.namespace}/{licence.name}" if licence else ""
        return ClusterStatus(self.cluster.name, self.cluster.context, self.cluster.network, where)

    def sections(self) -> dict[str, Callable[[], Facts]]:
        """What is read on its own: one that fails hides no other."""
        return {
            PODS: self._pods,
            SECRETS: self._secrets,
            GATEWAYS: self._gateways,
            **({REMOTES: self._remotes} if self._is_upstream else {}),
        }

    @property
    def _is_upstream(self) -> bool:
        return self.mesh.distribution == "upstream"

    def label(self) -> str:
        """The network label of istiod's namespace."""
        for obj in self.snapshot.list(NAMESPACE):
            if obj["metadata"]["name"] == self.cluster.namespace:
                return str(obj["metadata"].get("labels", {}).get(NETWORK, ""))
        return ""

    def _pods(self) -> Facts:
        return {"workloads": workloads(self.cluster, self.snapshot)}

    def _secrets(self) -> Facts:
        where = self._licence()
        data = ((where and self._secret(where.namespace, where.name)) or {}).get("data") or {}
        return {
            "authority": self._authority(),
            "has_licence": any(data.get(name) for name in LICENCE_KEYS),
            "clear_licence": where is not None and self._in_clear_text(),
        }

    def _in_clear_text(self) -> bool:
        """Whether a licence stands in the values of the istiod that is there, as helm alone would set it."""
        views = views_in(self.snapshot, self.cluster.namespace).values()
        found = [
            view.deployed.config.get(LICENCE) for view in views if view.deployed and view.is_of("istiod")
        ]
        return any(isinstance(one, Mapping) and bool(one.get(CLEAR)) for one in found)

    def _authority(self) -> CertificateStatus:
        from mesh.world import pki

        secret = self._secret(self.cluster.namespace, CACERTS)
        if secret is None:
            return CertificateStatus(why=f"Secret {self.cluster.namespace}/{CACERTS} is not there")
        now = self.snapshot.world.clock.now()
        found = pki.inspect_bundle(pki.bundle_from(secret.get("data") or {}), now)
        return authority(found, self.mesh.root.intermediate.renew_before, now)

    def _licence(self) -> SecretRef | None:
        if self._is_upstream:
            return None
        return licence_secret(self.mesh, self.cluster)

    def _secret(self, namespace: str, name: str) -> Object | None:
        found = self.snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED)
        return next((obj for obj in found if obj["metadata"]["name"] == name), None)

    def _gateways(self) -> Facts:
        objects = self.snapshot.list(GATEWAY)
        found: Facts = {"gateways": tuple(self._eastwest(objects))}
        return found if self._is_upstream else {**found, "peers": ordered(self._peers(objects))}

    def _remotes(self) -> Facts:
        return {"peers": ordered(remote_peers(self.mesh, self.cluster, self.snapshot))}

    def _eastwest(self, objects: list[Object]) -> Iterator[GatewayStatus]:
        """Every object of the class, and a row for that of the file if none stands for the network."""
        of_class = upstream.EASTWEST_CLASS if self._is_upstream else EASTWEST_CLASS
        alike = [obj for obj in objects if obj["spec"]["gatewayClassName"] == of_class]
        found = [east_west(obj) for obj in alike]
        wanted = self.cluster.eastwest
        known = {(each.namespace, each.name) for each in found}
        networks = {obj["metadata"].get("labels", {}).get(NETWORK) for obj in alike}
        if (wanted.namespace, wanted.name) not in known and self.cluster.network not in networks:
            yield GatewayStatus(wanted.namespace, wanted.name, why="it is not there")
        yield from found

    def _peers(self, objects: list[Object]) -> Iterator[PeerStatus]:
        """Every object of the class, and a row for each link of the file that has none."""
        alike = [obj for obj in objects if obj["spec"]["gatewayClassName"] == REMOTE_CLASS]
        links = {target: self._stands_for(target, alike) for target in self._targets()}
        targets = {id(obj): target for target, obj in links.items() if obj}
        for obj in alike:
            yield peer(obj, link=targets.get(id(obj), ""), own_network=self.cluster.network)
        for target in (target for target, obj in links.items() if obj is None):
            there = self.mesh.cluster(target)
            yield PeerStatus(
                self.cluster.eastwest.namespace,
                PEER_NAME.format(cluster=there.cluster_name),
                cluster=there.cluster_name,
                network=there.network,
                link=target,
                why="it is not there",
            )

    def _stands_for(self, target: str, peers: list[Object]) -> Object | None:
        """The peer for a cluster: the one of that name, else one for its network, wherever it is."""
        there = self.mesh.cluster(target)
        here = self.cluster.eastwest.namespace, PEER_NAME.format(cluster=there.cluster_name)
        named = (obj for obj in peers if (obj["metadata"]["namespace"], obj["metadata"]["name"]) == here)
        alike = (obj for obj in peers if obj["metadata"].get("labels", {}).get(NETWORK) == there.network)
        return next(named, None) or next(alike, None)

    def _targets(self) -> list[str]:
        """The clusters to which the file links this one."""
        if self.mesh.automatic:
            return [each.name for each in self.mesh.clusters]
        return [link.target for link in self.mesh.links if link.source == self.cluster.name]


def read_status(mesh: Mesh, world: World) -> Status:
    """Return what every cluster of the file is like; never raises for one of them."""
    readers = {each.name: _Reader(mesh, each, Snapshot(each.name, world)) for each in mesh.clusters}
    first = fan(lambda name: _first(readers[name]), readers)
    jobs = [
        (name, section)
        for name, status in first.items()
        if not status.unreachable
        for section in readers[name].sections()
    ]
    results = fan(lambda job: _try(readers[job[0]].sections()[job[1]]), jobs)
    clusters = tuple(_merged(status, results) for status in first.values())
    if mesh.automatic:
        clusters = as_distributed(mesh, clusters)
    management = mesh.automatic.management if mesh.automatic else ""
    return Status(mesh.name, clusters, _roots(clusters), management)


def _first(reader: _Reader) -> ClusterStatus:
    """Whether the cluster answers, seen by the first read."""
    try:
        return replace(reader.blank(), network=reader.label())
    except (Unreachable, Unauthorized) as error:
        return replace(reader.blank(), unreachable=error.message)
    except MeshError as error:
        return replace(reader.blank(), unread={LABEL: error.message})


def _try(read: Callable[[], Facts]) -> Facts | str:
    """What was read, or why it could not be."""
    try:
        return read()
    except MeshError as error:
        return error.message


def _merged(status: ClusterStatus, results: Mapping[tuple[str, str], Facts | str]) -> ClusterStatus:
    mine = {section: result for (cluster, section), result in results.items() if cluster == status.name}
    unread = {section: why for section, why in mine.items() if isinstance(why, str)}
    facts: Facts = {}
    for result in mine.values():
        facts |= result if isinstance(result, dict) else {}
    return replace(status, unread={**status.unread, **unread}, **facts)


def _roots(clusters: Iterable[ClusterStatus]) -> tuple[str, ...]:
    shown = {each.name: frozenset(each.authority.roots) for each in clusters if each.authority}
    if len(shown) < 2:
        return ()
    from mesh.world import pki

    return pki.one_root(shown)
