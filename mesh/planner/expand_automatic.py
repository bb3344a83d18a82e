"""The resources of a mesh that a management plane links: its releases, registrations and peers; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.istio.addresses import chart_key, eastwest_key, peer_key, registration_key
from mesh.istio.management_plane import (
    DEFINITIONS,
    OLDEST,
    PLATFORM,
    PlatformRelease,
    install,
    located,
    parts,
    register,
)
from mesh.istio.solo import PEER_NAME
from mesh.model import Key, Place, Resource
from mesh.model.refs import Ref
from mesh.model.spec import Automatic, Cluster, Mesh
from mesh.providers.chart import ChartSpec, any_release
from mesh.providers.peer import PeerSpec
from mesh.providers.registration import RegistrationSpec
from mesh.sdk.managed_fields import marks
from mesh.sdk.network_gateway import NetworkLocator
from mesh.world import HelmJob

Wanted = Iterator[Resource[Any]]


def automatic_links(mesh: Mesh, automatic: Automatic) -> Wanted:
    """Yield what links the clusters, beside what each of them has by itself."""
    management = mesh.cluster(automatic.management)
    before: frozenset[Key] = frozenset()
    for part in parts(mesh, automatic):
        yield _release(mesh, automatic, part, before)
        if part.cluster == management:
            before |= {chart_key(management.name, part.chart)}
    for cluster in mesh.clusters:
        yield _registration(automatic, management, cluster)
    for source in mesh.clusters:
        for target in mesh.clusters:
            yield _peer(mesh, automatic, source, target)


def _release(mesh: Mesh, automatic: Automatic, part: PlatformRelease, needs: frozenset[Key]) -> Resource[Any]:
    ref, repo = located(automatic.source, part.chart)
    job = HelmJob(
        part.chart, automatic.namespace, ref, repo, automatic.version, part.values, marks(mesh.name)
    )
    spec = ChartSpec(
        mesh.name,
        part.chart,
        job,
        mesh.sensitive,
        adopt=True,
        oldest=OLDEST,
        ignore=mesh.ignored_in(part.cluster.name),
        missing=f"cluster {part.cluster.name} has no release of the chart {part.chart}, which automatic "
        f"linking needs: {install(automatic, part.cluster, part.chart)}",
    )
    key = chart_key(part.cluster.name, part.chart)
    return Resource(
        key, any_release(part.chart, automatic.namespace), spec, needs, automatic.origin, adopt=True
    )


def _registration(automatic: Automatic, management: Cluster, cluster: Cluster) -> Resource[Any]:
    spec = RegistrationSpec(cluster.name, cluster.cluster_name, register(management, cluster))
    place = Place(automatic.namespace, cluster.cluster_name)
    return Resource(registration_key(management.name, cluster.name), place, spec, origin=automatic.origin)


def _peer(mesh: Mesh, automatic: Automatic, source: Cluster, target: Cluster) -> Resource[Any]:
    endpoint = Ref(eastwest_key(target), "endpoint")
    name = PEER_NAME.format(cluster=target.cluster_name)
    return Resource(
        peer_key(source.name, target.name),
        Place(source.eastwest.namespace, name, NetworkLocator(target.network)),
        PeerSpec(mesh.name, source.name, target.name, endpoint),
        frozenset(_what_makes_it(automatic, source, target)),
        automatic.origin,
    )


def _what_makes_it(automatic: Automatic, source: Cluster, target: Cluster) -> Iterator[Key]:
    """Both ends, whole, and all of the management plane between them."""
    yield chart_key(automatic.management, PLATFORM)
    for cluster in (source, target):
        yield chart_key(cluster.name, DEFINITIONS)
        yield chart_key(cluster.name, "istiod")
        yield eastwest_key(cluster)
        yield registration_key(automatic.management, cluster.name)
