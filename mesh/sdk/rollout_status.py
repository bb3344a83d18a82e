"""Whether Deployments and DaemonSets have rolled out, and if not, which pod is the reason; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mesh.world import Object

Pods = Callable[[Object], list[Object]]
"""Reads the pods of a workload; called only if it is not ready."""


def why_not(workload: Object, nodes: int, pods: Pods) -> str:
    """Return why a workload is not ready, "" if it is; `nodes` is how many a DaemonSet must cover."""
    name = f"{workload['kind']} {workload['metadata']['name']}"
    status, meta = workload.get("status", {}), workload["metadata"]
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        return f"{name}: its controller has not seen the last change yet"
    why = _daemon_set(status, nodes) if workload["kind"] == "DaemonSet" else _deployment(workload)
    if not why:
        return ""
    culprit = next((line for pod in pods(workload) if (line := pod_trouble(pod))), "")
    return f"{name}: {why}" + (f"; {culprit}" if culprit else "")


def _daemon_set(status: Mapping[str, Any], nodes: int) -> str:
    desired, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    updated = status.get("updatedNumberScheduled", 0)
    if desired < nodes:
        return f"it is meant for {desired} of {nodes} nodes"
    if updated < desired:
        return f"{updated} of {desired} pods are of the new revision"
    return f"{ready} of {desired} pods are ready" if ready < desired else ""


def _deployment(workload: Object) -> str:
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    if not wanted:
        return "it is scaled to 0 replicas"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        return f"{updated} of {wanted} replicas are of the new revision"
    if status.get("replicas", 0) > updated:
        return "old replicas still exist"
    return f"{available} of {wanted} replicas are available" if available < wanted else ""


def pod_trouble(pod: Object) -> str:
    """Return why a pod is not ready, in the words of its status; "" if it is."""
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    conditions = {each["type"]: each for each in status.get("conditions", [])}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    where = f"pod {name}" + (f" on {node}" if (node := pod["spec"].get("nodeName")) else "")
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        state = container.get("state", {})
        trouble = state.get("waiting") or state.get("terminated")
        if trouble:
            return f"{where}: {_words(trouble)}"
    for kind in ("PodScheduled", "Ready"):
        condition = conditions.get(kind, {})
        if condition.get("status") == "False":
            return f"{where}: {_words(condition) or kind}"
    return f"{where}: {status.get('phase', 'Pending')}"


def _words(trouble: Mapping[str, Any]) -> str:
    return ": ".join(str(trouble[each]) for each in ("reason", "message") if trouble.get(each))


def of_release(workloads: Iterable[Object], release: str, namespace: str) -> list[Object]:
    """Return the workloads that belong to a Helm release."""
    mark = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")
    picked = []
    for obj in workloads:
        annotations = obj["metadata"].get("annotations", {})
        if (annotations.get(mark[0]), annotations.get(mark[1])) == (release, namespace):
            picked.append(obj)
    return picked
