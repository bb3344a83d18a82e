"""Checks of upstream Istio only: one trust domain, remote secrets, multi-network mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mesh.istio.addresses import chart_key, eastwest_key, label_key, remote_key
from mesh.istio.upstream import REMOTE_SECRET, is_loopback
from mesh.model import Key, Unread
from mesh.model.bounded_text import SMALL, Unfit, from_base64, from_base64_url, loads
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    Rows,
    annotated,
    environment,
    istiod,
    place,
    read,
    shown,
    true,
    trust_domain,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable, Severity, Skip
from mesh.queries.checks.paste import word
from mesh.world import Object
from mesh.world.shapes import fitted

REMOTE = "networking.istio.io/cluster"
FEW = 3
"""How many clusters a finding names."""
MULTI_NETWORK = "AMBIENT_ENABLE_MULTI_NETWORK"


def _few(names: list[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")


def one_trust_domain(scene: MeshFacts) -> Findings:
    """P21: verify that all clusters have the same trust domain.

    ztunnel's server verifier requires its own trust domain; aliases do not help.
    """
    domains = scene.gather(trust_domain)
    if len(set(domains.values())) > 1:
        said = "; ".join(
            f"{domain} in {_few([name for name, found in domains.items() if found == domain])}"
            for domain in sorted(set(domains.values()))
        )
        # The mesh file has one trust domain for all, so at least one cluster differs from it.
        for cluster in scene.mesh.clusters:
            if domains.get(cluster.name, cluster.trust_domain) != cluster.trust_domain:
                yield Finding(
                    f"the trust domains differ: {said}; expected {cluster.trust_domain} in {cluster.name}",
                    domains,
                    chart_key(cluster.name, "istiod"),
                )


def multi_network(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P24: verify that istiod runs in ambient and multi-network mode.

    Both are off by default, and istiod reports nothing if they are.
    """
    del scene
    env = environment(istiod(facts))
    for name in (MULTI_NETWORK, "PILOT_ENABLE_AMBIENT"):
        if not true(env.get(name, "")):
            yield Finding(
                f"istiod lacks {name}=true",
                {"variable": name, "value": env.get(name, "")},
                chart_key(facts.name, "istiod"),
            )


def remotes(facts: ClusterFacts) -> Rows:
    """The remote secrets of a cluster."""
    found = tuple(obj for obj in facts.rows("secrets") if obj.get("remote") is not None)
    if not found:
        raise NotApplicable("no remote secret exists")
    return found


def _entries(facts: ClusterFacts) -> Iterator[tuple[Object, str, Mapping[str, Any]]]:
    """Secret, cluster and the contents of its kubeconfig, without the token."""
    for obj in remotes(facts):
        for name, config in obj["remote"].items():
            yield obj, name, config


def _resource_of(scene: MeshFacts, facts: ClusterFacts, obj: Object, cluster: str) -> Key | None:
    """Return the resource that is this Secret: by its record, or by the name that mesh gives it."""
    for key, entry in scene.state.entries.items():
        where = entry.last.place
        if key.cluster == facts.name and (where.namespace, where.name) == place(obj):
            return key  # also that of a cluster that left the file
    target = next((each for each in scene.mesh.clusters if each.cluster_name == cluster), None)
    own = (facts.namespace, REMOTE_SECRET.format(cluster=cluster))
    return remote_key(facts.name, target.name) if target and place(obj) == own else None


def reachable(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P26: verify that no remote secret points at a loopback address.

    In istiod's pod, 127.0.0.1 is the pod itself. A cluster with `allowLoopback` (a lab) is left out.
    """
    labs = {each.cluster_name for each in scene.mesh.clusters if each.allow_loopback}
    for obj, name, config in _entries(facts):
        server = str(config.get("server", ""))
        if is_loopback(server) and name not in labs:
            yield Finding(
                f"remote secret {shown(obj)} has loopback address {server} for {name}: pods cannot use it",
                {"secret": shown(obj), "cluster": name, "server": server},
                _resource_of(scene, facts, obj, name),
            )


def valid(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q09: verify that remote secrets are complete, for clusters of this mesh, and accepted there.

    istiod reads them once and hardly reports an error; the other API server was asked with the token.
    """
    for target, said in sorted(read(facts.remotes).items()):
        if why := read(said):
            yield Finding(f"the link to {target}: {why}", {"target": target}, remote_key(facts.name, target))
    names = {cluster.cluster_name: cluster.name for cluster in scene.mesh.clusters}
    for obj, name, config in _entries(facts):
        problems = [
            *([f"it is for {name}, which is not part of this mesh"] if name not in names else []),
            *(["its annotation names another cluster"] if annotated(obj).get(REMOTE, name) != name else []),
            *(["it has no token"] if not config.get("has token") else []),
            *(["it has no CA certificate of the API server"] if not config.get("has ca") else []),
        ]
        for problem in problems:
            yield Finding(
                f"remote secret {shown(obj)}: {problem}",
                {"secret": shown(obj), "cluster": name},
                remote_key(facts.name, names.get(name, name)),
            )


def synced(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q10: verify that istiod has synced with every remote cluster.

    An istiod that has not synced serves local endpoints only, and still reports ready.
    """
    text = read(facts.ports.get("clusters"))
    wanted = {link.target for link in scene.mesh.links if link.source == facts.name}
    names = {scene.mesh.cluster(name).cluster_name: name for name in wanted}
    told = {each.get("id", ""): each.get("syncStatus", "") for each in _synced_with(text)}
    for name in sorted(names):
        if told.get(name) != "synced":
            yield Finding(
                f"istiod has not synced with {name}: {told.get(name, 'unknown to istiod')}",
                {"cluster": name, "syncStatus": told.get(name, "")},
                remote_key(facts.name, names[name]),
            )
    synced = [names[name] for name in sorted(names) if told.get(name) == "synced"]
    yield from _unknown(scene, facts, synced)


def _unknown(scene: MeshFacts, facts: ClusterFacts, targets: Iterable[str]) -> Findings:
    """Yield the clusters that istiod has synced with and still knows no way to."""
    text = facts.ports.get("known") if not isinstance(facts.ports, Unread) else None
    if text is None or isinstance(text, Unread):
        return
    networks = {each.get("network", "") for each in _known(str(text)).get("workloads", ())}
    for target in targets:
        network = scene.mesh.cluster(target).network
        if network not in networks and _has_way_in(scene, target):
            secret = REMOTE_SECRET.format(cluster=scene.mesh.cluster(target).cluster_name)
            yield Finding(
                f"istiod has synced with {target}, but knows no gateway of network {network}",
                {"cluster": target, "network": network},
                remote_key(facts.name, target),
                fix=f"kubectl --context {{context}} -n {word(facts.namespace)} delete secret {word(secret)}",
            )


def _has_way_in(scene: MeshFacts, target: str) -> bool:
    """Whether a target has the label and the gateway by which istiod knows it; other checks say so if not."""
    cluster = scene.mesh.cluster(target)
    keys = (label_key(target, cluster.charts["istiod"].namespace), eastwest_key(cluster))
    found = [scene.states.get(key) for key in keys]
    return all(each is None or (each.works and each.in_sync) for each in found)


def expiring(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """Q23: verify that the token in each remote secret expires.

    A token without an end stays valid wherever it was copied.
    """
    del scene
    for obj, name, config in _entries(facts):
        if config.get("has token") and not config.get("expires"):
            yield Finding(
                f"remote secret {shown(obj)} holds a token for {name} that never expires",
                {"secret": shown(obj), "cluster": name},
                severity=Severity.INFO,
            )


KNOWN = {"workloads": [{"network": str}]}
SYNCED = [{"id": str, "syncStatus": str}]
REMOTE_CONFIG = {
    "clusters!": [{"cluster!": {"server": str, "certificate-authority-data": str}}],
    "users!": [{"user!": {"token": str}}],
}


def _known(text: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = fitted(loads(text), KNOWN)
    except Unfit as error:
        raise Skip(f"the answer of istiod cannot be used: {error}") from None
    return found


def _synced_with(text: str) -> list[Mapping[str, str]]:
    try:
        found: list[Mapping[str, str]] = fitted(loads(text), SYNCED)
    except Unfit as error:
        raise Skip(f"the answer of istiod cannot be used: {error}") from None
    return found


def public(secret: Object) -> Mapping[str, Mapping[str, Any]]:
    """The contents of a remote secret by cluster, without the token: only whether it exists and expires."""
    from mesh.world.yaml_documents import read as parse

    found: dict[str, Mapping[str, Any]] = {}
    for name, value in (secret.get("data") or {}).items():
        try:
            config = fitted(parse(from_base64(value, SMALL), SMALL), REMOTE_CONFIG)
            cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        except (ValueError, KeyError, IndexError):
            found[name] = {}
            continue
        token = user.get("token", "")
        found[name] = {
            "server": cluster.get("server", ""),
            "has ca": bool(cluster.get("certificate-authority-data")),
            "has token": bool(token),
            "expires": "exp" in _claims(token),
        }
    return found


def _claims(token: str) -> Mapping[str, Any]:
    part = [*token.split("."), "", ""][1]
    try:
        claims: Mapping[str, Any] = fitted(loads(from_base64_url(part), SMALL), dict)
    except Unfit:
        return {}
    return claims
