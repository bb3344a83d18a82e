"""The pods behind an east-west gateway, and whether their certificates are under the current root of trust.

A pod gets its root from `istio-ca-root-cert` when it starts. Both times that are compared come from the API
server, so that no two clocks are. The pods are read only while clusters move to another root.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mesh.errors import KubeError
from mesh.istio.names import ROOT_CONFIG_MAP
from mesh.model import Live, Place, Unknown
from mesh.world import Kube, Object
from mesh.world.resources import CONFIG_MAP, DEPLOYMENT, POD
from mesh.world.snapshot import Snapshot

NAME = "gateway.networking.k8s.io/gateway-name"
ANNOTATION = "meshform.io/ca"


def with_pods(live: Live, place: Place, snapshot: Snapshot) -> Live:
    """Add to a live gateway its Deployments, its oldest pod, and the root of trust that its pods get."""
    from mesh.world import pki

    here: dict[str, Any] = {"namespace": place.namespace, "labels": f"{NAME}={place.name}"}
    try:
        pods = [obj["metadata"]["creationTimestamp"] for obj in snapshot.list(POD, **here)]
        deployments = [
            (o["metadata"]["name"], o["metadata"]["uid"]) for o in snapshot.list(DEPLOYMENT, **here)
        ]
        maps = snapshot.list(CONFIG_MAP, namespace=place.namespace, fields=f"metadata.name={ROOT_CONFIG_MAP}")
    except KubeError:
        return live
    text = "".join(str((obj.get("data") or {}).get("root-cert.pem", "")) for obj in maps)
    told = {
        "pods": min(pods, default=""),
        "deployments": deployments,
        "roots": pki.fingerprints_in(text),
        "since": max(map(_written, maps), default=""),
        "namespace": place.namespace,
    }
    return replace(live, status={**live.status, **told})


def _written(published: Object) -> str:
    """Return when the root in a ConfigMap last changed; RFC 3339 in UTC, so that texts compare as times."""
    meta = published["metadata"]
    times = [
        entry.get("time", "")
        for entry in meta.get("managedFields", [])
        if "f:root-cert.pem" in entry.get("fieldsV1", {}).get("f:data", {})
    ]
    return str(max([meta["creationTimestamp"], *times]))


def behind(root: Any, status: Any) -> str:
    """Return why the pods must restart under the root `root`; "" if they need not, or if there are none."""
    if not root or not status.get("pods"):
        return ""
    if isinstance(root, Unknown) or root not in status["roots"]:
        return "its pods have certificates under another root of trust"
    return "its pods are older than the root of trust" if status["pods"] < status["since"] else ""


def restart(live: Live, kube: Kube, manager: str) -> None:
    """Restart every pod as `kubectl rollout restart` does; twice for one change of root restarts once."""
    status = live.status
    value = f"{','.join(sorted(status['roots']))} {status['since']}"
    for name, uid in status["deployments"]:
        template = {"metadata": {"annotations": {ANNOTATION: value}}}
        body = {
            "apiVersion": DEPLOYMENT.api_version,
            "kind": DEPLOYMENT.kind,
            "metadata": {"name": name, "namespace": status["namespace"], "uid": uid},
            "spec": {"template": template},
        }
        kube.apply(body, manager=manager, force=True)
