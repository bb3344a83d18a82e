"""Checks of who a cluster is: its names, its network, its trust domain, and that all of it says the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from mesh.istio.solo import NETWORK
from mesh.model import Key
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    daemon,
    deployed,
    eastwest_gateways,
    environment,
    istiod,
    labels,
    mesh_config,
    place,
    shown,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable
from mesh.world import Object

DNS_LABEL = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
CONTROL_PLANE: Mapping[str, Callable[[ClusterFacts], Object]] = {
    "istiod": istiod,
    "ztunnel": lambda facts: daemon(facts, "ztunnel"),
}


def _repeated(values: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Values that several clusters have, with those clusters."""
    for value in sorted(set(values.values())):
        users = sorted(name for name, each in values.items() if each == value)
        if value and len(users) > 1:
            yield value, users


def one_mesh(scene: MeshFacts) -> Findings:
    """P22."""
    names = scene.gather(lambda facts: environment(istiod(facts)).get("CLUSTER_ID", "Kubernetes"))
    networks = scene.gather(lambda facts: environment(daemon(facts, "ztunnel")).get("NETWORK", ""))
    if not names:
        raise NotApplicable("nothing is installed yet")
    for what, values, component in (("cluster name", names, "istiod"), ("network", networks, "ztunnel")):
        for value, users in _repeated(values):
            wrong = next((name for name in users if value not in _own(scene, name)), users[-1])
            yield Finding(
                f"{' and '.join(users)} have the same {what}, {value}",
                {what: value, "clusters": users},
                Key("chart", wrong, component),
            )
    meshes = {name: found for name, found in scene.gather(_mesh_id).items() if found}
    if len(set(meshes.values())) > 1:
        yield Finding(f"the clusters are of several meshes: {sorted(set(meshes.values()))}", meshes)


def _own(scene: MeshFacts, name: str) -> tuple[str, str]:
    """The names that the file gives a cluster."""
    cluster = scene.clusters[name].cluster
    return cluster.cluster_name, cluster.network


def _mesh_id(facts: ClusterFacts) -> str:
    istiod(facts)
    return str((mesh_config(facts).get("defaultConfig") or {}).get("meshId", ""))


def network_label(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P23."""
    own = facts.cluster.network
    namespace = facts.named("namespaces", "", facts.namespace)
    if namespace is None:
        raise NotApplicable(f"namespace {facts.namespace} is not there yet")
    label = labels(namespace).get(NETWORK, "")
    if label != own:
        yield Finding(
            f"namespace {facts.namespace} has {NETWORK}={label or 'nothing'}, {own} is wanted",
            {"namespace": facts.namespace, "label": label, "wanted": own},
            facts.key("label", facts.namespace),
        )
    for gateway in eastwest_gateways(scene, facts):
        if labels(gateway).get(NETWORK) != own:
            yield Finding(
                f"gateway {shown(gateway)} says network {labels(gateway).get(NETWORK)}, {own} is wanted",
                {"gateway": shown(gateway), "label": labels(gateway).get(NETWORK, ""), "wanted": own},
                facts.key("gateway", place(gateway)[1]),
            )
    for what in ("namespaces", "services"):
        for obj in facts.rows(what):
            found = labels(obj).get(NETWORK, own)
            if found != own and obj is not namespace and not _is_copied(obj):
                yield Finding(
                    f"{what[:-1]} {shown(obj)} says network {found}: its traffic goes to another cluster",
                    {"object": shown(obj), "label": found, "network": own},
                    fix=f"kubectl --context {{context}} label {what[:-1]} {place(obj)[1]} {NETWORK}-",
                )


def _is_copied(obj: Object) -> bool:
    """Whether istiod copies its labels from a Gateway, which is looked at itself."""
    return any(each.get("kind") == "Gateway" for each in obj["metadata"].get("ownerReferences", []))


def named(scene: MeshFacts) -> Findings:
    """S01."""
    live = scene.gather(lambda facts: environment(istiod(facts)).get("CLUSTER_ID", "Kubernetes"))
    for cluster in scene.mesh.clusters:
        for name in {cluster.cluster_name, live.get(cluster.name, cluster.cluster_name)}:
            if name == "Kubernetes" or not DNS_LABEL.fullmatch(name):
                yield Finding(
                    f"cluster {cluster.name} calls itself {name}, which is no name that a peer can use",
                    {"cluster": cluster.name, "clusterName": name},
                    Key("chart", cluster.name, "istiod"),
                )
    for value, users in _repeated({each.name: each.cluster_name for each in scene.mesh.clusters}):
        yield Finding(
            f"{' and '.join(users)} are both called {value}", {"clusterName": value, "clusters": users}
        )


def network(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S02."""
    yield from _same(scene, facts, "NETWORK", facts.cluster.network, ("ztunnel",))
    release = deployed(facts, "istiod")
    told = str(
        ((release.config if release else {}).get("global") or {}).get("network", facts.cluster.network)
    )
    if told != facts.cluster.network:
        yield Finding(
            f"istiod is told network {told}, {facts.cluster.network} is wanted",
            {"global.network": told, "wanted": facts.cluster.network},
            facts.key("chart", "istiod"),
        )


def cluster_name(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S03."""
    yield from _same(scene, facts, "CLUSTER_ID", facts.cluster.cluster_name, ("istiod", "ztunnel"))


def _same(
    scene: MeshFacts, facts: ClusterFacts, name: str, wanted: str, components: tuple[str, ...]
) -> Iterator[Finding]:
    del scene
    for component in components:
        value = environment(CONTROL_PLANE[component](facts)).get(name, "")
        if value != wanted:
            yield Finding(
                f"{component} runs with {name}={value or 'nothing'}, {wanted} is wanted",
                {"component": component, "variable": name, "value": value, "wanted": wanted},
                facts.key("chart", component),
            )
