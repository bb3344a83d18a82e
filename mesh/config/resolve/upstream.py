"""Rules for the upstream distribution: what only it accepts, and what it does not accept."""

from __future__ import annotations

from mesh.config.resolve.istio import AT as ISTIO
from mesh.config.resolve.istio import check_url
from mesh.config.schema.istio import IstioPart
from mesh.config.schema.mesh_file import ClusterPart, DefaultsPart
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems
from mesh.istio.upstream import EASTWEST_NAME, TRUST_DOMAIN, is_loopback
from mesh.istio.versions import UPSTREAM_BETA, UPSTREAM_OLDEST, Version
from mesh.model.spec import Cluster, EastWest

CLUSTERS: Trail = ("spec", "clusters")
SOLO_ONLY = "is only for the Solo distribution"


def not_for_upstream(part: IstioPart, report: Problems) -> None:
    """Report keys that only the Solo distribution has."""
    if part.license is not None:
        report.wrong((*ISTIO, "license"), f"{SOLO_ONLY}: upstream needs no licence", "remove it")
    if part.repo_key:
        report.wrong((*ISTIO, "repoKey"), SOLO_ONLY, "remove it")


def mesh_id(part: IstioPart, name: str, report: Problems) -> str:
    """Return Istio's mesh ID, by default the name of the mesh; "" for the Solo distribution."""
    if part.distribution == "upstream":
        return part.mesh_id or name
    if part.mesh_id:
        report.wrong((*ISTIO, "meshID"), "is only for the upstream distribution", "remove it")
    return ""


def eastwest(part: ClusterPart, defaults: DefaultsPart, istiod: str) -> EastWest:
    """Return the east-west gateway of upstream, by default in istiod's namespace."""
    namespace = part.namespaces.eastwest or defaults.namespaces.eastwest or istiod
    return EastWest(
        namespace,
        part.eastwest.name or defaults.eastwest.name or EASTWEST_NAME,
        part.eastwest.service or defaults.eastwest.service or "LoadBalancer",
    )


def trust_domain(part: ClusterPart) -> str:
    """Return the cluster's trust domain; it must be the same in all clusters."""
    return part.trust_domain or TRUST_DOMAIN


def check(
    part: ClusterPart,
    defaults: DefaultsPart,
    cluster: Cluster,
    first: Cluster,
    trail: Trail,
    report: Problems,
) -> None:
    """Report settings that an upstream cluster cannot have; `first` is the first cluster of the file."""
    if cluster.eastwest.service == "NodePort":
        at = (*(trail if part.eastwest.service else ("spec", "defaults")), "eastwest", "service")
        report.wrong(
            at,
            "is not supported upstream, where clusters are reached through load balancers",
            "use LoadBalancer",
        )
    for name in ("region", "zone"):
        for at, one in ((trail, part), (("spec", "defaults"), defaults)):
            if getattr(one, name):
                report.wrong((*at, name), SOLO_ONLY, "remove it: upstream reads it from the nodes' labels")
    if cluster.eastwest.namespace == "kube-system":
        report.wrong(
            (*trail, "namespaces", "eastwest"),
            "kube-system cannot hold the east-west gateway",
            "use the namespace of istiod",
        )
    if cluster.trust_domain != first.trust_domain:
        what = (
            f"{cluster.trust_domain} differs from {first.trust_domain}, the trust domain of cluster "
            f"{first.name}: an upstream ztunnel accepts its own trust domain only, aliases do not help"
        )
        report.wrong((*trail, "trustDomain"), what, "use one trust domain for all clusters, or remove it")
    _api_server(part, cluster, trail, report)


def check_version(release: Version, text: str, report: Problems) -> None:
    """Report a version that is not an upstream build, or cannot join networks."""
    at = (*ISTIO, "version")
    if release.solo:
        what = f"{text} is a build of the Solo distribution"
        report.wrong(at, what, f"use {text.partition('-solo')[0]}, or distribution: solo")
    elif release < UPSTREAM_OLDEST:
        report.wrong(at, f"{text} cannot join the networks of ambient clusters", "use 1.27.0 or newer")


def check_trust_domains(clusters: tuple[Cluster, ...], release: Version, report: Problems) -> None:
    """Report custom trust domains where the version cannot join networks with them."""
    if release.line >= UPSTREAM_BETA:
        return
    for index, cluster in enumerate(clusters):
        if cluster.trust_domain != TRUST_DOMAIN:
            what = (
                f"{cluster.trust_domain} is not supported before 1.29, which joins networks only with "
                f"{TRUST_DOMAIN} (istio#58427)"
            )
            report.wrong((*CLUSTERS, index, "trustDomain"), what, "remove it, or use 1.29.0 or newer")


def not_for_solo(part: DefaultsPart, trail: Trail, report: Problems) -> None:
    """Report settings for reaching API servers of other clusters, which only upstream needs."""
    given = {"apiServer": getattr(part, "api_server", None), "allowLoopback": part.allow_loopback}
    for name, value in given.items():
        if value is not None:
            report.wrong((*trail, name), "is only for the upstream distribution", "remove it")


def _api_server(part: ClusterPart, cluster: Cluster, trail: Trail, report: Problems) -> None:
    if part.api_server is None:
        return
    at = (*trail, "apiServer")
    if "@" in part.api_server:
        report.wrong(at, "contains a user name or password", "remove it: mesh uses a token of the cluster")
        return
    check_url(part.api_server, at, ("https",), report)
    if is_loopback(part.api_server) and not cluster.allow_loopback:
        what = f"{part.api_server} is a loopback address, which other clusters cannot reach"
        report.wrong(
            at, what, "write a URL that the other clusters can reach; in a lab, set allowLoopback: true"
        )
