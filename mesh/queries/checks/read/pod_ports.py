"""The ports of pods, reached through the API server's proxy: the one door to the data plane.

Where nodes are fake no pod answers anything, so nothing is asked there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model import Unread
from mesh.queries.checks.facts import Rows, labels, place
from mesh.walk import fan
from mesh.world import Kube, Object

NO_DATA_PLANE = "no data plane"
SECONDS = 3.0
ASKED = 16
"""Pods that are asked at a time."""

ISTIOD: Mapping[str, tuple[int, str]] = {
    "licence": (15014, "debug/license"),
    "metrics": (15014, "metrics"),
    "clusters": (15014, "debug/clusterz"),
}
"""What an istiod tells, by port and path."""

ZTUNNEL = (15000, "config_dump")


def ask(kube: Kube, pods: Rows, nodes: Rows) -> Mapping[str, Any]:
    """Return what one istiod and every ztunnel answer: texts, or `Unread` with the reason."""
    if not nodes or all(is_fake(node) for node in nodes):
        return {name: Unread(NO_DATA_PLANE) for name in (*ISTIOD, "ztunnels")}
    hurried = kube.within(SECONDS)
    answers: dict[str, Any] = {name: Unread("no istiod runs") for name in ISTIOD}
    if istiods := _running(pods, "istiod"):
        answers |= fan(lambda name: port(hurried, istiods[0], *ISTIOD[name]), ISTIOD, ASKED)
    ztunnels = {place(pod)[1]: pod for pod in _running(pods, "ztunnel")}
    told = fan(lambda name: port(hurried, ztunnels[name], *ZTUNNEL), ztunnels, ASKED)
    return {**answers, "ztunnels": told}


def port(kube: Kube, pod: Object, number: int, path: str) -> str | Unread:
    """GET a path of a pod's port; what does not answer is `Unread`, with a reason that begins the same."""
    namespace, name = place(pod)
    try:
        return kube.get_text(f"/api/v1/namespaces/{namespace}/pods/{name}:{number}/proxy/{path}")
    except KubeError as error:
        return Unread(f"{NO_DATA_PLANE}: {error.message}")


def is_fake(node: Object) -> bool:
    """Whether a node only pretends to run pods (kwok)."""
    runtime = node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "")
    return str(runtime).startswith("kwok://")


def _running(pods: Iterable[Object], app: str) -> list[Object]:
    return [
        pod
        for pod in pods
        if labels(pod).get("app") == app and pod.get("status", {}).get("phase") == "Running"
    ]
