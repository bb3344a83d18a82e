"""From the mesh file to its resources, cluster by cluster; pure.

What is learnt from a cluster, or made by another resource, is a `Ref`; nothing live is needed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mesh.istio import Distribution, of
from mesh.istio.addresses import (
    LICENCE,
    cacerts_key,
    chart_key,
    crds_key,
    eastwest_key,
    label_key,
    licence_key,
    link_key,
    namespace_key,
)
from mesh.istio.names import NETWORK
from mesh.istio.solo import PEER_NAME, licence_secret, peer_gateway
from mesh.model import Key, Place, Resource
from mesh.model.refs import Ref
from mesh.model.spec import Cluster, Component, ExistingCA, Link, Mesh
from mesh.planner.expand_automatic import automatic_links
from mesh.planner.expand_listed import with_listed
from mesh.planner.expand_upstream import is_upstream, reader, remote
from mesh.providers.cert import ISSUER, ROOT, IntermediateSpec, RootSpec, cacerts_place, root_place
from mesh.providers.chart import ChartSpec, any_release, with_roots
from mesh.providers.crds import CrdsSpec
from mesh.providers.gateway import GatewaySpec
from mesh.providers.label import LabelLocator, LabelSpec
from mesh.providers.link import LinkSpec
from mesh.providers.secret import SecretSpec
from mesh.sdk.contract import Registry
from mesh.sdk.kube_object import Manifest
from mesh.sdk.kube_secret import place as secret_place
from mesh.sdk.managed_fields import marks
from mesh.sdk.network_gateway import NetworkLocator
from mesh.world import HelmJob

GIVEN = frozenset({"kube-system", "default", "kube-public", "kube-node-lease"})
"""Namespaces that every cluster has; mesh neither creates nor deletes them."""

Wanted = Iterator[Resource[Any]]


def expand(mesh: Mesh, kinds: Registry | None = None) -> Mapping[Key, Resource[Any]]:
    """Return every resource of the mesh by its key.

    No secret enters: a licence that mesh keeps is a `Ref`, which the session fills in. `kinds` are needed if
    the file lists resources: see `mesh.engine.registry.kinds_for`.
    """
    distribution = of(mesh)
    resources = [*_root(mesh)]
    for cluster in mesh.clusters:
        resources += _cluster(mesh, cluster, distribution)
    for link in mesh.links:
        resources.append(_remote(mesh, link) if is_upstream(mesh) else _link(mesh, link))
    if mesh.automatic:
        resources += automatic_links(mesh, mesh.automatic)
    return with_listed(mesh, {resource.key: resource for resource in resources}, kinds or {})


def _root(mesh: Mesh) -> Wanted:
    if not isinstance(mesh.root.ca, ExistingCA):
        namespaces = {cluster.name: cluster.namespace for cluster in mesh.clusters}
        root = mesh.root
        spec = RootSpec(mesh.name, root.ca, root.root_key, root.root_validity, namespaces, root.migrate)
        yield Resource(ROOT, root_place(mesh.name, mesh.root.ca), spec, origin=mesh.root.origin)


def _cluster(mesh: Mesh, cluster: Cluster, distribution: Distribution) -> Wanted:
    yield _crds(mesh, cluster)
    yield from _namespaces(mesh, cluster)
    yield _cacerts(mesh, cluster)
    if not is_upstream(mesh):
        yield _licence(mesh, cluster)
    yield from _charts(mesh, cluster, distribution)
    yield _label(mesh, cluster)
    yield _gateway(mesh, cluster, distribution)
    if is_upstream(mesh) and cluster.name in {link.target for link in mesh.links}:
        yield reader(
            mesh, cluster, frozenset({chart_key(cluster.name, "base"), chart_key(cluster.name, "istiod")})
        )


def _crds(mesh: Mesh, cluster: Cluster) -> Resource[Any]:
    place = Place("", "gateway-api")
    return Resource(
        crds_key(cluster.name), place, CrdsSpec(mesh.name, mesh.gateway_api), origin=mesh.gateway_api.origin
    )


def _in_namespace(cluster: Cluster, name: str) -> frozenset[Key]:
    return frozenset() if name in GIVEN else frozenset({namespace_key(cluster.name, name)})


def _namespaces(mesh: Mesh, cluster: Cluster) -> Wanted:
    names = {cluster.namespace, cluster.eastwest.namespace, *(c.namespace for c in cluster.charts.values())}
    for name in sorted(names - GIVEN):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        key = namespace_key(cluster.name, name)
        yield Resource(key, Place("", name), Manifest(mesh.name, body), origin=cluster.origin)


def _cacerts(mesh: Mesh, cluster: Cluster) -> Resource[Any]:
    ca = mesh.root.ca
    spec = IntermediateSpec(
        mesh=mesh.name,
        cluster=cluster.name,
        namespace=cluster.namespace,
        profile=mesh.root.intermediate,
        ca=ca,
        issuer=None if isinstance(ca, ExistingCA) else ISSUER,
        migrate=mesh.root.migrate,
        backup=mesh.root.backup,
    )
    return Resource(
        cacerts_key(cluster.name),
        cacerts_place(cluster.namespace),
        spec,
        _in_namespace(cluster, cluster.namespace),
        mesh.root.origin,
        bool(mesh.root.migrate),
    )


def root_ref(mesh: Mesh, cluster: Cluster) -> Ref:
    """The fingerprint of the root that a cluster's istiod is to sign under."""
    if isinstance(mesh.root.ca, ExistingCA):
        return Ref(cacerts_key(cluster.name), "root")
    return Ref(ISSUER.key, f"{ISSUER.name}.fingerprint")


def _licence(mesh: Mesh, cluster: Cluster) -> Resource[Any]:
    where = licence_secret(mesh, cluster)
    key = licence_key(cluster.name, where.name)
    value = None if mesh.licence.secret else Ref(LICENCE, "value")
    spec = SecretSpec(mesh.name, key, where.namespace, where.name, value)
    return Resource(
        key,
        secret_place(mesh.name, where.namespace, where.name),
        spec,
        _in_namespace(cluster, where.namespace),
        mesh.licence.origin,
    )


def _charts(mesh: Mesh, cluster: Cluster, distribution: Distribution) -> Wanted:
    licence = None if is_upstream(mesh) else licence_secret(mesh, cluster)
    secrets = frozenset({licence_key(cluster.name, licence.name)} if licence else ())
    digest = next((Ref(secret, "digest") for secret in secrets), None)
    before: dict[Component, frozenset[Key]] = {
        "base": frozenset({crds_key(cluster.name)}),
        "istiod": frozenset({chart_key(cluster.name, "base"), cacerts_key(cluster.name)}) | secrets,
        "cni": frozenset({chart_key(cluster.name, "istiod")}),
        "ztunnel": frozenset({chart_key(cluster.name, "cni")}),
    }
    for component, chart in cluster.charts.items():
        values = distribution.chart_values(
            mesh, cluster, component, licence=licence, licence_digest=digest, root=root_ref(mesh, cluster)
        )
        job = HelmJob(
            chart.release, chart.namespace, chart.ref, chart.repo, chart.version, values, marks(mesh.name)
        )
        yield Resource(
            chart_key(cluster.name, component),
            _chart_place(mesh, cluster, component),
            _chart_spec(mesh, cluster, component, job),
            before[component] | _in_namespace(cluster, chart.namespace),
            chart.origin,
            cluster.adopt,
        )


def _chart_place(mesh: Mesh, cluster: Cluster, component: Component) -> Place:
    chart = cluster.charts[component]
    by_chart = any_release(component, chart.namespace)
    place = by_chart if cluster.adopt else Place(chart.namespace, chart.release)
    return with_roots(place) if mesh.root.migrate and component == "istiod" else place


def _chart_spec(mesh: Mesh, cluster: Cluster, component: Component, job: HelmJob) -> ChartSpec:
    spec = ChartSpec(
        mesh.name,
        component,
        job,
        mesh.sensitive,
        cluster.adopt,
        images=mesh.version,
        ignore=mesh.ignored_in(cluster.name),
        stated=cluster.charts[component].values,
    )
    spec = replace(spec, reissues=bool(mesh.root.migrate))
    if component != "istiod" or not mesh.root.migrate:
        return spec
    users = {cluster.namespace, cluster.charts["ztunnel"].namespace, cluster.eastwest.namespace, "default"}
    return replace(spec, root=root_ref(mesh, cluster), shown_in=frozenset(users))


def _label(mesh: Mesh, cluster: Cluster) -> Resource[Any]:
    return Resource(
        label_key(cluster.name, cluster.namespace),
        Place("", cluster.namespace, LabelLocator(NETWORK)),
        LabelSpec(mesh.name, cluster.namespace, {NETWORK: cluster.network}),
        _in_namespace(cluster, cluster.namespace) | {chart_key(cluster.name, "ztunnel")},
        cluster.origin,
    )


def _gateway(mesh: Mesh, cluster: Cluster, distribution: Distribution) -> Resource[Any]:
    spec = GatewaySpec(mesh.name, distribution.eastwest_gateway(mesh, cluster))
    if mesh.root.migrate:
        spec = replace(spec, root=root_ref(mesh, cluster))
    name = cluster.name
    before = {crds_key(name), chart_key(name, "istiod"), label_key(name, cluster.namespace)}
    return Resource(
        eastwest_key(cluster),
        Place(
            cluster.eastwest.namespace,
            cluster.eastwest.name,
            NetworkLocator(cluster.network, pods=bool(mesh.root.migrate)),
        ),
        spec,
        _in_namespace(cluster, cluster.eastwest.namespace) | before,
        cluster.origin,
        cluster.adopt,
    )


def _remote(mesh: Mesh, link: Link) -> Resource[Any]:
    source, target = mesh.cluster(link.source), mesh.cluster(link.target)
    return remote(
        mesh, link, frozenset({chart_key(source.name, "istiod"), eastwest_key(source), eastwest_key(target)})
    )


def _link(mesh: Mesh, link: Link) -> Resource[Any]:
    source, target = mesh.cluster(link.source), mesh.cluster(link.target)
    endpoint = Ref(eastwest_key(target), "endpoint")
    spec = LinkSpec(mesh.name, peer_gateway(mesh, source, target, endpoint), endpoint)
    return Resource(
        link_key(source.name, target.name),
        Place(
            source.eastwest.namespace,
            PEER_NAME.format(cluster=target.cluster_name),
            NetworkLocator(target.network),
        ),
        spec,
        _in_namespace(source, source.eastwest.namespace) | {eastwest_key(source), eastwest_key(target)},
        link.origin,
        source.adopt,
    )
