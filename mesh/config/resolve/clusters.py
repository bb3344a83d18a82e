"""Resolve the clusters: apply defaults and check that identities are unique."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.config.resolve import upstream
from mesh.config.resolve.charts import ChartSource
from mesh.config.resolve.overrides import Overrides
from mesh.config.resolve.values import Values, ValuesReader, merged
from mesh.config.schema.mesh_file import ClusterPart, DefaultsPart, SpecPart
from mesh.config.schema.messages import did_you_mean
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems
from mesh.errors import UsageError
from mesh.istio.versions import NODE_PORT, Version
from mesh.model.spec import COMPONENTS, Chart, Cluster, Component, EastWest

AT: Trail = ("spec", "clusters")
DEFAULTS: Trail = ("spec", "defaults")
RESERVED = "kubernetes"
"""Istio's default cluster name; the vendor's tools reject it."""


def clusters(
    spec: SpecPart,
    releases: Mapping[Component, ChartSource],
    release: Version,
    overrides: Overrides,
    report: Problems,
) -> tuple[Cluster, ...]:
    """Return the clusters in the order of the file."""
    is_upstream = spec.istio.distribution == "upstream"
    reader = ValuesReader(report, spec.istio.distribution)
    default_values = reader.read(spec.defaults, DEFAULTS)
    found = []
    for index, part in enumerate(spec.clusters):
        values = merged(default_values, reader.read(part, (*AT, index)))
        found.append(_cluster(part, spec, values, releases, overrides, (*AT, index), report))
        _identifiable(part, found[-1], (*AT, index), report)
        if is_upstream:
            upstream.check(part, spec.defaults, found[-1], found[0], (*AT, index), report)
        else:
            upstream.not_for_solo(part, (*AT, index), report)
            _check(found[-1], release, (*AT, index), report)
    _distinct(spec.clusters, found, report)
    if is_upstream:
        upstream.check_trust_domains(tuple(found), release, report)
    else:
        upstream.not_for_solo(spec.defaults, DEFAULTS, report)
        _same_eastwest_namespace(found, report)
    _known_contexts(overrides, found)
    return tuple(found)


def _cluster(
    part: ClusterPart,
    spec: SpecPart,
    values: Values,
    releases: Mapping[Component, ChartSource],
    overrides: Overrides,
    trail: Trail,
    report: Problems,
) -> Cluster:
    defaults, is_upstream = spec.defaults, spec.istio.distribution == "upstream"
    own, shared = part.namespaces, defaults.namespaces
    istiod = own.istiod or shared.istiod or "istio-system"
    namespaces: Mapping[Component, str] = {
        "base": istiod,
        "istiod": istiod,
        "cni": own.cni or shared.cni or istiod,
        "ztunnel": own.ztunnel or shared.ztunnel or istiod,
    }
    return Cluster(
        name=part.name,
        context=overrides.context(part.name) or part.context or part.name,
        kubeconfig=_kubeconfig(part, defaults, trail, report),
        cluster_name=part.cluster_name or part.name,
        network=part.network or part.name,
        trust_domain=upstream.trust_domain(part)
        if is_upstream
        else part.trust_domain or f"{part.name}.local",
        namespace=istiod,
        charts={name: _chart(name, releases[name], namespaces[name], values) for name in COMPONENTS},
        eastwest=upstream.eastwest(part, defaults, istiod) if is_upstream else _eastwest(part, defaults),
        adopt=bool(defaults.adopt if part.adopt is None else part.adopt),
        origin=report.origin(trail),
        api_server=(part.api_server or "").rstrip("/"),
        allow_loopback=bool(defaults.allow_loopback if part.allow_loopback is None else part.allow_loopback),
    )


def _kubeconfig(part: ClusterPart, defaults: DefaultsPart, trail: Trail, report: Problems) -> str:
    """Return the absolute path, "" for that of the environment; report one that a stranger chose."""
    named = part.kubeconfig or defaults.kubeconfig
    if not named:
        return ""
    path = report.path(named)
    if report.bound and path.resolve() not in {each.resolve() for each in report.bound.kubeconfigs}:
        at = (*trail, "kubeconfig") if part.kubeconfig else (*DEFAULTS, "kubeconfig")
        hint = "remove it, or name the same file in KUBECONFIG: only the pipeline chooses credentials"
        report.refused(at, f"kubeconfig {named} cannot be used", hint)
    return str(path.absolute())


def _eastwest(part: ClusterPart, defaults: DefaultsPart) -> EastWest:
    return EastWest(
        namespace=part.namespaces.eastwest or defaults.namespaces.eastwest or "istio-eastwest",
        name=part.eastwest.name or defaults.eastwest.name or "istio-eastwest",
        service=part.eastwest.service or defaults.eastwest.service or "LoadBalancer",
        region=part.region or defaults.region or "",
        zone=part.zone or defaults.zone or "",
    )


def _chart(component: Component, release: ChartSource, namespace: str, values: Values) -> Chart:
    return Chart(
        component=component,
        ref=release.ref,
        repo=release.repo,
        version=release.version,
        release=release.release,
        namespace=namespace,
        values=values[component],
        origin=release.origin,
    )


def _identifiable(part: ClusterPart, cluster: Cluster, trail: Trail, report: Problems) -> None:
    if cluster.cluster_name.lower() == RESERVED:
        at = (*trail, "clusterName" if part.cluster_name else "name")
        report.wrong(at, f"{cluster.cluster_name} is Istio's default cluster name", "choose another name")


def _check(cluster: Cluster, release: Version, trail: Trail, report: Problems) -> None:
    if cluster.eastwest.zone and not cluster.eastwest.region:
        report.wrong((*trail, "zone"), "a zone needs a region", "set region as well")
    if cluster.eastwest.service == "NodePort" and release.line < NODE_PORT:
        report.wrong(
            (*trail, "eastwest", "service"), "NodePort needs Istio 1.28 or newer", "use LoadBalancer"
        )
    if cluster.eastwest.namespace in ("kube-system", cluster.namespace):
        what = f"{cluster.eastwest.namespace} cannot hold the east-west gateway"
        report.wrong(
            (*trail, "namespaces", "eastwest"), what, "use a separate namespace, such as istio-eastwest"
        )


def _distinct(parts: list[ClusterPart], found: list[Cluster], report: Problems) -> None:
    """Report names, identities and contexts that two clusters share."""
    for key, attribute in (("name", "name"), ("clusterName", "cluster_name"), ("network", "network")):
        first: dict[str, int] = {}
        for index, cluster in enumerate(found):
            value = getattr(cluster, attribute)
            before = first.setdefault(value, index)
            if before != index and not (key != "name" and found[before].name == cluster.name):
                at = (*AT, index, key if getattr(parts[index], attribute) else "name")
                what = f"cluster {found[before].name} already uses the {key} {value}"
                if key == "name":
                    what = f"duplicate cluster {value}: it is first on line {found[before].origin.line}"
                report.wrong(at, what, f"give each cluster its own {key}")
    contexts: dict[tuple[str, str], int] = {}
    for index, cluster in enumerate(found):
        before = contexts.setdefault((cluster.context, cluster.kubeconfig), index)
        if found[before].name != cluster.name:
            what = f"cluster {found[before].name} already uses the context {cluster.context}"
            report.wrong((*AT, index, "context"), what, "give each cluster its own context")


def _same_eastwest_namespace(found: list[Cluster], report: Problems) -> None:
    """Require one namespace for all gateways: it is part of the identity that peers verify."""
    for index, cluster in enumerate(found):
        first = found[0].eastwest.namespace
        if cluster.eastwest.namespace != first:
            what = (
                f"{cluster.eastwest.namespace} differs from {first}, the namespace of cluster {found[0].name}"
            )
            hint = "set spec.defaults.namespaces.eastwest for all clusters"
            report.wrong((*AT, index, "namespaces", "eastwest"), what, hint)


def _known_contexts(overrides: Overrides, found: list[Cluster]) -> None:
    names = [cluster.name for cluster in found]
    for name in overrides.contexts:
        if name not in names:
            hint = did_you_mean(name, names) or f"the clusters are {', '.join(names)}"
            raise UsageError(f"--context {name}=…: there is no cluster {name} in the mesh file", hint=hint)
