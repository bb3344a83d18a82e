"""Checks of a cluster's identity: its name, network and mesh ID, and every object that states them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from mesh.istio.addresses import chart_key, gateway_key, label_key
from mesh.istio.names import NETWORK
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
    setting,
    shown,
)
from mesh.queries.checks.model import Finding, Findings, NotApplicable
from mesh.queries.checks.paste import word
from mesh.world import Object

DNS_LABEL = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
CONTROL_PLANE: Mapping[str, Callable[[ClusterFacts], Object]] = {
    "istiod": istiod,
    "ztunnel": lambda facts: daemon(facts, "ztunnel"),
}

CLUSTER_NAME = {"istiod": ("CLUSTER_ID",), "ztunnel": ("ISTIO_META_CLUSTER_ID", "CLUSTER_ID")}
"""The variables with the name of the cluster, by component; the chart of ztunnel sets the first of two."""


def _repeated(values: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Values that several clusters have, with those clusters."""
    for value in sorted(set(values.values())):
        users = sorted(name for name, each in values.items() if each == value)
        if value and len(users) > 1:
            yield value, users


def one_mesh(scene: MeshFacts) -> Findings:
    """P22: verify that no two clusters have the same name or network, and that all have one mesh ID.

    Clusters of one name overwrite each other's endpoints; with one network, traffic bypasses the gateways.
    """
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
                chart_key(wrong, component),
            )
    meshes = {name: found for name, found in scene.gather(_mesh_id).items() if found}
    if len(set(meshes.values())) > 1:
        said = f"the clusters have different mesh IDs: {', '.join(sorted(set(meshes.values())))}"
        # Only in an upstream mesh does mesh set it, and can say what it should be.
        expected = scene.mesh.mesh_id
        others = [name for name, found in meshes.items() if expected and found != expected]
        for name in others:
            says = f"{said}; {name} has {meshes[name]}, expected {expected}"
            yield Finding(says, meshes, chart_key(name, "istiod"), fix="mesh apply")
        if not others:
            yield Finding(said, meshes)


def _own(scene: MeshFacts, name: str) -> tuple[str, str]:
    """The cluster name and the network that the mesh file sets."""
    cluster = scene.clusters[name].cluster
    return cluster.cluster_name, cluster.network


def _mesh_id(facts: ClusterFacts) -> str:
    istiod(facts)
    return str((mesh_config(facts).get("defaultConfig") or {}).get("meshId", ""))


def network_label(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P23: verify that the network labels on namespace, gateway and Services match the cluster's network.

    No chart sets the label on istiod's namespace, and without it peering retries for ever. A foreign value on
    another object makes istiod place its endpoints in that network.
    """
    own = facts.cluster.network
    namespace = facts.named("namespaces", "", facts.namespace)
    if namespace is None:
        raise NotApplicable(f"namespace {facts.namespace} does not exist yet")
    label = labels(namespace).get(NETWORK, "")
    if label != own:
        yield Finding(
            f"namespace {facts.namespace} has {setting(NETWORK, label)}, expected {own}",
            {"namespace": facts.namespace, "label": label, "expected": own},
            label_key(facts.name, facts.namespace),
        )
    for gateway in eastwest_gateways(scene, facts):
        label = labels(gateway).get(NETWORK, "")
        if label != own:
            yield Finding(
                f"gateway {shown(gateway)} has {setting(NETWORK, label)}, expected {own}",
                {"gateway": shown(gateway), "label": label, "expected": own},
                gateway_key(facts.name, place(gateway)[1]),
            )
    for what in ("namespaces", "services"):
        for obj in facts.rows(what):
            found = labels(obj).get(NETWORK, own)
            if found != own and obj is not namespace and not _is_copied(obj):
                yield Finding(
                    f"{what[:-1]} {shown(obj)} has {NETWORK}={found}: its traffic goes to another network",
                    {"object": shown(obj), "label": found, "network": own},
                    fix=_unlabel(what[:-1], obj),
                )


def _unlabel(kind: str, obj: Object) -> str:
    """The command that removes the network label."""
    namespace, name = place(obj)
    where = f" -n {word(namespace)}" if namespace else ""
    return f"kubectl --context {{context}}{where} label {kind} {word(name)} {NETWORK}-"


def _is_copied(obj: Object) -> bool:
    """Whether istiod copies its labels from a Gateway, which is checked itself."""
    return any(each.get("kind") == "Gateway" for each in obj["metadata"].get("ownerReferences", []))


def named(scene: MeshFacts) -> Findings:
    """S01: verify that every cluster has a unique name that is a DNS label, and not `Kubernetes`.

    `Kubernetes` is istiod's default: peers cannot tell clusters with that name apart.
    """
    live = scene.gather(lambda facts: environment(istiod(facts)).get("CLUSTER_ID", "Kubernetes"))
    for cluster in scene.mesh.clusters:
        for name in {cluster.cluster_name, live.get(cluster.name, cluster.cluster_name)}:
            if name == "Kubernetes" or not DNS_LABEL.fullmatch(name):
                yield Finding(
                    f"cluster {cluster.name} has the cluster name {name}, which peers cannot use",
                    {"cluster": cluster.name, "clusterName": name},
                    chart_key(cluster.name, "istiod"),
                )
    for value, users in _repeated({each.name: each.cluster_name for each in scene.mesh.clusters}):
        yield Finding(
            f"{' and '.join(users)} have the same clusterName, {value}",
            {"clusterName": value, "clusters": users},
        )


def network(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S02: verify that ztunnel and the istiod release have the cluster's network.

    Namespace label, istiod, ztunnel and gateway must agree, or the link does not come up.
    """
    del scene
    yield from _same(facts, facts.cluster.network, {"ztunnel": ("NETWORK",)})
    release = deployed(facts, "istiod")
    told = str(
        ((release.config if release else {}).get("global") or {}).get("network", facts.cluster.network)
    )
    if told != facts.cluster.network:
        yield Finding(
            f"the istiod release has global.network={told}, expected {facts.cluster.network}",
            {"global.network": told, "expected": facts.cluster.network},
            chart_key(facts.name, "istiod"),
        )


def cluster_name(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """S03: verify that istiod and ztunnel have the cluster's name.

    A ztunnel with another name than its istiod finds no local endpoints.
    """
    del scene
    yield from _same(facts, facts.cluster.cluster_name, CLUSTER_NAME)


def _same(facts: ClusterFacts, wanted: str, variables: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Compare what each component has in the first of its variables that is set."""
    for component, names in variables.items():
        env = environment(CONTROL_PLANE[component](facts))
        name = next((each for each in names if each in env), names[0])
        value = env.get(name, "")
        if value != wanted:
            yield Finding(
                f"{component} has {setting(name, value)}, expected {wanted}",
                {"component": component, "variable": name, "value": value, "expected": wanted},
                chart_key(facts.name, component),
            )
