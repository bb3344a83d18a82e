"""What holds for the upstream distribution only, and what is not for it."""

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
SOLO_ONLY = "is for the Solo distribution"


def not_for_upstream(part: IstioPart, report: Problems) -> None:
    """Note what only the other distribution has."""
    if part.license is not None:
        report.wrong((*ISTIO, "license"), f"{SOLO_ONLY}: upstream needs no licence", "remove it")
    if part.repo_key:
        report.wrong((*ISTIO, "repoKey"), SOLO_ONLY, "remove it")


def mesh_id(part: IstioPart, name: str, report: Problems) -> str:
    """Return the mesh's id, its name unless the file says otherwise; "" for the other distribution."""
    if part.distribution == "upstream":
        return part.mesh_id or name
    if part.mesh_id:
        report.wrong((*ISTIO, "meshID"), "is for the upstream distribution", "remove it")
    return ""


def eastwest(part: ClusterPart, defaults: DefaultsPart, istiod: str) -> EastWest:
    """Return the gateway as upstream has it: in istiod's namespace unless the file says otherwise."""
    namespace = part.namespaces.eastwest or defaults.namespaces.eastwest or istiod
    return EastWest(
        namespace,
        part.eastwest.name or defaults.eastwest.name or EASTWEST_NAME,
        part.eastwest.service or defaults.eastwest.service or "LoadBalancer",
    )


def trust_domain(part: ClusterPart) -> str:
    """Return the cluster's trust domain, which must be that of all."""
    return part.trust_domain or TRUST_DOMAIN


def check(
    part: ClusterPart,
    defaults: DefaultsPart,
    cluster: Cluster,
    first: Cluster,
    trail: Trail,
    report: Problems,
) -> None:
    """Note what an upstream cluster cannot be; `first` is the first one of the file."""
    if cluster.eastwest.service == "NodePort":
        at = (*(trail if part.eastwest.service else ("spec", "defaults")), "eastwest", "service")
        report.wrong(at, "upstream clusters are reached through load balancers only", "use LoadBalancer")
    for name in ("region", "zone"):
        for at, one in ((trail, part), (("spec", "defaults"), defaults)):
            if getattr(one, name):
                report.wrong((*at, name), SOLO_ONLY, "remove it: upstream takes it from the nodes' labels")
    if cluster.eastwest.namespace == "kube-system":
        report.wrong((*trail, "namespaces", "eastwest"), "kube-system is not for gateways", "use istiod's")
    if cluster.trust_domain != first.trust_domain:
        what = (
            f"{cluster.trust_domain} differs from {first.trust_domain}, that of cluster {first.name}: "
            "an upstream ztunnel accepts its own trust domain only, and aliases do not help"
        )
        report.wrong((*trail, "trustDomain"), what, "use one for all clusters, or leave it out")
    _api_server(part, cluster, trail, report)


def check_version(release: Version, text: str, report: Problems) -> None:
    """Note a version that is not upstream's, or cannot join networks."""
    at = (*ISTIO, "version")
    if release.solo:
        what = f"{text} is a build of the Solo distribution"
        report.wrong(at, what, f"use {text.partition('-solo')[0]}, or distribution: solo")
    elif release < UPSTREAM_OLDEST:
        report.wrong(at, f"{text} cannot join the networks of ambient clusters", "use 1.27.0 or newer")


def check_trust_domains(clusters: tuple[Cluster, ...], release: Version, report: Problems) -> None:
    """Note a trust domain of one's own where a version cannot join networks with one."""
    if release.line >= UPSTREAM_BETA:
        return
    for index, cluster in enumerate(clusters):
        if cluster.trust_domain != TRUST_DOMAIN:
            what = f"{cluster.trust_domain}: before 1.29 only {TRUST_DOMAIN} joins networks (istio#58427)"
            report.wrong((*CLUSTERS, index, "trustDomain"), what, "leave it out, or use 1.29.0 or newer")


def not_for_solo(part: DefaultsPart, trail: Trail, report: Problems) -> None:
    """Note what says how upstream clusters reach each other's API servers: Solo's need not."""
    given = {"apiServer": getattr(part, "api_server", None), "allowLoopback": part.allow_loopback}
    for name, value in given.items():
        if value is not None:
            report.wrong((*trail, name), "is for the upstream distribution", "remove it")


def _api_server(part: ClusterPart, cluster: Cluster, trail: Trail, report: Problems) -> None:
    if part.api_server is None:
        return
    at = (*trail, "apiServer")
    if "@" in part.api_server:
        report.wrong(at, "holds a user name or password", "a token of the cluster's own is used")
        return
    check_url(part.api_server, at, ("https",), report)
    if is_loopback(part.api_server) and not cluster.allow_loopback:
        what = f"{part.api_server} is another machine to every other cluster"
        report.wrong(
            at, what, "write the address that the other clusters reach; a lab sets allowLoopback: true"
        )
