"""Objects that istiod maintains in its own cluster: root certificates, gateway classes, webhooks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from mesh.lab.standin import writes
from mesh.lab.standin.api import Json
from mesh.lab.standin.facts import Istiod, View
from mesh.lab.standin.mirror import GATEWAY_API
from mesh.lab.standin.objects import at
from mesh.lab.standin.peering import Condition
from mesh.lab.standin.writes import Write

#: Gateway class to its controller and description.
CLASSES: Final = {
    "istio-eastwest": ("istio.io/eastwest-controller", "The gateway of a network to its peers"),
    "istio-remote": (
        "istio.io/unmanaged-gateway",
        "Remote to this cluster. Does not deploy or affect configuration.",
    ),
    "istio-waypoint": ("istio.io/mesh-controller", "The waypoint of a namespace or a service"),
}
#: The class that exists only if multi-network is enabled.
CROSSING: Final = {
    "istio-east-west": ("istio.io/eastwest-controller", "The gateway through which others enter a network"),
}
ROOT: Final = "istio-ca-root-cert"
ROOTLESS: Final = ("kube-public", "kube-node-lease", "local-path-storage")
"""The namespaces to which an istiod publishes no root."""


def roots(istiod: Istiod, view: View) -> Iterable[Write]:
    """Return due writes of the root certificate for the namespaces that have one and are not terminating."""
    pem = istiod.boot.authority.root_pem.decode()
    for _, namespace in sorted(view["namespaces"].items()):
        name = namespace["metadata"]["name"]
        if name in ROOTLESS or at(namespace, "status", "phase") == "Terminating":
            continue
        if at(view["roots"].get((name, ROOT), {}), "data", "root-cert.pem") != pem:
            yield Write(f"/api/v1/namespaces/{name}/configmaps/{ROOT}", _root(name, pem))


def classes(istiod: Istiod, view: View, now: datetime) -> Iterable[Write]:
    """Return due writes of the gateway classes and their accepted status."""
    known = {**CLASSES, **(CROSSING if istiod.multi_network else {})}
    for name, (controller, description) in known.items():
        live = view["classes"].get(("", name))
        if live is None:
            spec = {"controllerName": controller, "description": description}
            body = {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "GatewayClass",
                "metadata": {"name": name},
                "spec": spec,
            }
            yield Write(f"{GATEWAY_API}/gatewayclasses/{name}", body)
        else:
            accepted = Condition("Accepted", "True", "Accepted", "Handled by Istio controller")
            yield from writes.status("gatewayclasses", live, (accepted,), now)


def webhooks(istiod: Istiod, view: View) -> Iterable[Write]:
    """Return due writes of the webhooks: fail closed and with the root, as istiod sets them when ready."""
    bundle = b64encode(istiod.boot.authority.root_pem).decode()
    for (_, name), live in sorted(view["webhooks"].items()):
        hooks = at(live, "webhooks", default=[])
        ours = [_armed(hook, bundle) for hook in hooks if _is_ours(hook, istiod)]
        if ours and ours != hooks and len(ours) == len(hooks):
            path = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{name}"
            yield Write(path, {"webhooks": ours}, update=True)


def _is_ours(hook: Json, istiod: Istiod) -> bool:
    service = at(hook, "clientConfig", "service", default={})
    return service.get("namespace") == istiod.namespace and str(service.get("name")).startswith("istiod")


def _armed(hook: Json, bundle: str) -> Json:
    return {**hook, "failurePolicy": "Fail", "clientConfig": {**hook["clientConfig"], "caBundle": bundle}}


def _root(namespace: str, pem: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": ROOT, "namespace": namespace, "labels": {"istio.io/config": "true"}},
        "data": {"root-cert.pem": pem},
    }
