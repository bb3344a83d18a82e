"""Reads from the ports of istiod and ztunnel.

Metrics are open to all clients, so the API server's proxy gets them. The rest is open to the pod's loopback
only, which a port-forward reaches. Pods on fake nodes (kwok, as in the lab) answer nothing, so none is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model import Unread
from mesh.queries.checks.facts import Rows, labels, place
from mesh.sdk.managed_fields import is_going
from mesh.walk import fan
from mesh.world import Kube, Object

NO_DATA_PLANE = "no data plane"
SECONDS = 3.0
ASKED = 16
"""Requests at a time."""

METRICS = "metrics"

ISTIOD: Mapping[str, tuple[int, str]] = {
    "licence": (15014, "debug/license"),
    "metrics": (15014, METRICS),
    "clusters": (15014, "debug/clusterz"),
}
"""What is read from istiod: port and path."""

KNOWN = (15014, "debug/ambientz")
"""What istiod tells ztunnels of the mesh. It is long, so it is read only where links are remote secrets."""

ZTUNNEL = (15000, "config_dump")


def ask(kube: Kube, pods: Rows, nodes: Rows, *, by_remote_secrets: bool) -> Mapping[str, Any]:
    """Return the answers of one istiod and every ztunnel: text, or `Unread` with the reason."""
    asked = {**ISTIOD, **({"known": KNOWN} if by_remote_secrets else {})}
    if not nodes or all(is_fake(node) for node in nodes):
        return {name: Unread(NO_DATA_PLANE) for name in (*asked, "ztunnels")}
    hurried = kube.within(SECONDS)
    answers: dict[str, Any] = {name: Unread("no istiod runs") for name in asked}
    if istiods := _running(pods, "istiod"):
        answers |= fan(lambda name: port(hurried, istiods[0], *asked[name]), asked, ASKED)
    ztunnels = {place(pod)[1]: pod for pod in _running(pods, "ztunnel")}
    told = fan(lambda name: port(hurried, ztunnels[name], *ZTUNNEL), ztunnels, ASKED)
    return {**answers, "ztunnels": told}


def port(kube: Kube, pod: Object, number: int, path: str) -> str | Unread:
    """GET a path of a pod's port; `Unread` if it does not answer, with `NO_DATA_PLANE` as prefix."""
    namespace, name = place(pod)
    try:
        if path == METRICS:
            return kube.get_text(f"/api/v1/namespaces/{namespace}/pods/{name}:{number}/proxy/{path}")
        return kube.port_text(namespace, name, number, path)
    except KubeError as error:
        return Unread(f"{NO_DATA_PLANE}: {error.message}")


def is_fake(node: Object) -> bool:
    """Whether a node only simulates its pods (kwok)."""
    runtime = node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "")
    return str(runtime).startswith("kwok://")


def _running(pods: Iterable[Object], app: str) -> list[Object]:
    return [
        pod
        for pod in pods
        if labels(pod).get("app") == app
        and pod.get("status", {}).get("phase") == "Running"
        and not is_going(pod)
    ]
