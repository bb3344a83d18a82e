"""Checks of nodes and of what the mesh's namespaces allow: ztunnel and the CNI agent can run everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from mesh.istio.addresses import chart_key
from mesh.model.spec import Component
from mesh.queries.checks.facts import (
    ClusterFacts,
    MeshFacts,
    daemon,
    environment,
    installed,
    labels,
    place,
    read,
    shown,
    true,
)
from mesh.queries.checks.model import Finding, Findings, NotFound, Severity
from mesh.queries.checks.paste import pasted, word
from mesh.world import Object

NEEDS = {"cpu": Decimal("0.3"), "memory": Decimal(640 * 2**20), "pods": Decimal(2)}
"""What ztunnel and the CNI agent request together on each node; source: their charts' default values."""

UNITS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}

PSA = "pod-security.kubernetes.io/enforce"


def quantity(text: Any) -> Decimal:
    """Read a Kubernetes quantity (`200m`, `512Mi`, `2`); return 0 for anything else."""
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    return Decimal(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else Decimal(0)


def fit(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P07: verify that every node is ready, runs Linux, and has room for ztunnel and the CNI agent.

    The allocatable size is compared, not what is free now: both agents have a system priority class and
    preempt other pods.
    """
    del scene
    nodes = facts.rows("nodes")
    if not nodes:
        yield Finding("the cluster has no nodes")
    for node in nodes:
        yield from _unfit(node)
    for component in ("cni", "ztunnel"):
        yield from _uncovered(facts, component, len(nodes))


def _unfit(node: Object) -> Iterator[Finding]:
    name, status = node["metadata"]["name"], node.get("status", {})
    ready = next(
        (each["status"] for each in status.get("conditions", []) if each["type"] == "Ready"), "Unknown"
    )
    if ready != "True":
        yield Finding(f"node {name} is not ready", {"node": name}, severity=Severity.WARNING)
    system = labels(node).get("kubernetes.io/os", "linux")
    if system != "linux":
        yield Finding(
            f"node {name} runs {system}, where neither ztunnel nor the CNI agent can run",
            {"node": name, "os": system},
            severity=Severity.WARNING,
        )
        return
    for what, needed in NEEDS.items():
        there = quantity(status.get("allocatable", {}).get(what, needed))
        if there < needed:
            yield Finding(
                f"node {name} has too little {what} for ztunnel and the CNI agent",
                {"node": name, "resource": what, "allocatable": str(there), "needed": str(needed)},
            )


def _uncovered(facts: ClusterFacts, component: Component, nodes: int) -> Iterator[Finding]:
    """Nodes that taints and selectors leave out, as the DaemonSet's own controller counts them."""
    try:
        found = daemon(facts, component)
    except NotFound:
        return
    desired = found.get("status", {}).get("desiredNumberScheduled", 0)
    if found.get("status", {}).get("observedGeneration", 0) and desired < nodes:
        yield Finding(
            f"{component} is scheduled on {desired} of {nodes} nodes: other pods stay outside the mesh",
            {"component": component, "desired": desired, "nodes": nodes},
            about=chart_key(facts.name, component),
        )


def allowed(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P08: verify that pod security, quotas and limits admit the mesh's pods.

    A namespace that rejects them fails without a message: the DaemonSet exists, its pods do not.
    """
    del scene
    spaces = {facts.cluster.charts[name].namespace for name in ("cni", "ztunnel")}
    for obj in facts.rows("namespaces"):
        name, level = place(obj)[1], labels(obj).get(PSA, "privileged")
        if name in spaces and level != "privileged":
            yield Finding(
                f"namespace {name} enforces pod security {level}, but cni and ztunnel need privileged",
                {"namespace": name, "enforce": level},
                fix=f"kubectl --context {{context}} label ns {word(name)} {PSA}=privileged --overwrite",
            )
    spaces |= {facts.namespace, facts.cluster.eastwest.namespace}
    for quota in facts.rows("quotas"):
        if place(quota)[0] in spaces:
            for finding in _exhausted(quota):
                yield replace(finding, severity=Severity.WARNING if installed(facts) else Severity.ERROR)
    for limits in facts.rows("limits"):
        if place(limits)[0] in spaces:
            yield from _too_tight(limits)


def _exhausted(quota: Object) -> Iterator[Finding]:
    status = quota.get("status", {})
    hard = {**quota.get("spec", {}).get("hard", {}), **status.get("hard", {})}
    for what in sorted(
        hard.keys() & {"pods", "count/pods", "requests.cpu", "cpu", "requests.memory", "memory"}
    ):
        used = quantity(status.get("used", {}).get(what, "0"))
        if used >= quantity(hard[what]):
            yield Finding(
                f"ResourceQuota {shown(quota)} admits no more pods: {used} of {hard[what]} {what} are used",
                {"quota": shown(quota), "resource": what, "hard": str(hard[what]), "used": str(used)},
                fix=_edit("resourcequota", quota),
            )


def _edit(what: str, obj: Object) -> str:
    return f"kubectl --context {{context}} -n {pasted(obj)[0]} edit {what} {pasted(obj)[1]}"


def _too_tight(limits: Object) -> Iterator[Finding]:
    for limit in limits["spec"].get("limits", []):
        for what, most in limit.get("max", {}).items():
            if limit.get("type") in {"Container", "Pod"} and quantity(most) < NEEDS.get(what, Decimal(0)):
                yield Finding(
                    f"LimitRange {shown(limits)} allows at most {most} {what}, too little for the agents",
                    {"limits": shown(limits), "resource": what, "max": str(most)},
                    fix=_edit("limitrange", limits),
                )


@dataclass(frozen=True, slots=True)
class NodePlatform:
    """A flavour of Kubernetes, known by its nodes; `values` are those that the CNI chart accepts for it."""

    name: str
    label: str = ""
    version: str = ""
    values: tuple[str, ...] = ()


PLATFORMS = (
    NodePlatform("GKE", label="cloud.google.com/gke-nodepool", values=("gke",)),
    NodePlatform("OpenShift", label="node.openshift.io/os_id", values=("openshift",)),
    NodePlatform("k3s", version="+k3s", values=("k3s", "k3d")),
    NodePlatform("MicroK8s", label="microk8s.io/cluster", values=("microk8s",)),
)
"""Platforms with CNI folders of their own; source: the platform prerequisites of ambient mode."""


def plugged(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P09: verify that the cluster's CNI plugin works together with the Istio CNI agent.

    Cilium removes every CNI configuration that it did not write; strict AWS security groups drop kubelet's
    probes of meshed pods; with the wrong folders the agent configures nothing.
    """
    del scene
    yield from _cilium(facts)
    yield from _aws(facts)
    told = str(_chart_values(facts).get("platform", ""))
    for node in facts.rows("nodes"):
        version = node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
        for each in PLATFORMS:
            is_it = (each.label and each.label in labels(node)) or (each.version and each.version in version)
            if is_it and told not in each.values:
                yield Finding(
                    f"the nodes run {each.name}, but global.platform of the CNI chart is {told or 'not set'}",
                    {"platform": each.name, "global.platform": told},
                    about=chart_key(facts.name, "cni"),
                    fix=f"set spec.defaults.values.cni.global.platform to {each.values[0]}",
                )
                return


def _chart_values(facts: ClusterFacts) -> dict[str, Any]:
    values: dict[str, Any] = dict(facts.cluster.charts["cni"].values).get("global", {})
    return values


def _cilium(facts: ClusterFacts) -> Iterator[Finding]:
    for config in facts.rows("cilium"):
        if true((config.get("data") or {}).get("cni-exclusive", "true")):
            yield Finding(
                f"Cilium removes other CNI plugins: cni-exclusive is true in ConfigMap {shown(config)}",
                {"config": shown(config)},
                fix="helm upgrade --reuse-values cilium cilium/cilium --set cni.exclusive=false",
            )


def _aws(facts: ClusterFacts) -> Iterator[Finding]:
    found = facts.named("daemonsets", "kube-system", "aws-node")
    if found is None:
        return
    env = environment(found)
    if true(env.get("ENABLE_POD_ENI", "")) and env.get("POD_SECURITY_GROUP_ENFORCING_MODE") != "standard":
        yield Finding(
            "AWS security groups for pods are in strict mode: kubelet's probes of meshed pods are dropped",
            {"POD_SECURITY_GROUP_ENFORCING_MODE": env.get("POD_SECURITY_GROUP_ENFORCING_MODE", "strict")},
            fix="kubectl --context {context} -n kube-system set env ds/aws-node"
            " POD_SECURITY_GROUP_ENFORCING_MODE=standard",
        )


def served(scene: MeshFacts, facts: ClusterFacts) -> Findings:
    """P03: verify that Kubernetes is new enough for this Istio, and that the kubelets match the API server.

    Kubernetes supports kubelets of the API server's minor version and the three before it.
    """
    server = _minor(read(facts.version))
    oldest = OLDEST.get(".".join(scene.mesh.version.split(".")[:2]))
    if oldest and server and server < oldest:
        yield Finding(
            f"Kubernetes {facts.version} is too old for Istio {scene.mesh.version}, which needs 1.{oldest}",
            {"version": facts.version, "oldest": f"1.{oldest}"},
        )
    for node in facts.rows("nodes"):
        own = _minor(node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", ""))
        if server and own and not server - 3 <= own <= server:
            yield Finding(
                f"node {node['metadata']['name']} runs kubelet 1.{own}, the API server is 1.{server}",
                {"node": node["metadata"]["name"], "kubelet": f"1.{own}", "server": f"1.{server}"},
                severity=Severity.WARNING,
            )


OLDEST = {"1.24": 28, "1.25": 29, "1.26": 29, "1.27": 29, "1.28": 30, "1.29": 31, "1.30": 31}
"""The oldest minor of Kubernetes that a line of Istio was tested with; source: its supported releases."""


def _minor(version: Any) -> int:
    found = re.match(r"v?1\.(\d+)", str(version))
    return int(found[1]) if found else 0
