"""Objects and status that istiod writes for a Gateway of class `istio-eastwest` or `istio-east-west`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from mesh.lab.standin import objects, writes
from mesh.lab.standin.api import Json
from mesh.lab.standin.facts import NETWORK, SERVICE_TYPE, Istiod, View, node_addresses
from mesh.lab.standin.objects import annotation, at, label
from mesh.lab.standin.peering import Condition
from mesh.lab.standin.writes import DEPLOYER, Write

GATEWAY_NAME: Final = "gateway.networking.k8s.io/gateway-name"
MANAGED: Final = {"gateway.istio.io/managed": "istio.io-eastwest-controller"}
UPSTREAM: Final = "istio-east-west"
PORTS: Final = (("status-port", 15021), ("tls-hbone", 15008), ("tls-xds", 15012))
UPSTREAM_PORTS: Final = (("status-port", 15021), ("mesh", 15008))
TERMINATED: Final = {
    "port": 15008,
    "protocol": "HBONE",
    "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}},
}
#: Annotations that are copied from a Gateway to its Service, so that a test can choose the address type.
HANDED_DOWN: Final = "lab.meshform.io/"


def wanted(gateway: Json, istiod: Istiod, view: View) -> Iterable[Write]:
    """Return the due writes for the objects of one east-west gateway."""
    namespace, name = objects.name(gateway)
    key = (namespace, name)
    core, apps = f"/api/v1/namespaces/{namespace}", f"/apis/apps/v1/namespaces/{namespace}"
    for kind, path, body in (
        ("accounts", f"{core}/serviceaccounts/{name}", _account(gateway)),
        ("deployments", f"{apps}/deployments/{name}", _deployment(gateway, istiod)),
        ("services", f"{core}/services/{name}", _service(gateway)),
    ):
        live = view[kind].get(key)
        if live is None or not objects.holds(live, _mirrored(body)) or _stale_labels(live, body):
            yield Write(path, body, DEPLOYER)


def reported(gateway: Json, view: View, now: datetime) -> Iterable[Write]:
    """Return the due status write of one east-west gateway."""
    key = objects.name(gateway)
    addresses = _addresses(gateway, view)
    available = at(view["deployments"].get(key, {}), "status", "availableReplicas", default=0) > 0
    service = f"{key[1]}.{key[0]}.svc.cluster.local"
    if not addresses:
        programmed = (
            "False",
            "AddressNotAssigned",
            f"assigned to service {service}, but it has no address yet",
        )
    elif _is_upstream(gateway) and not _ends_hbone(gateway):
        programmed = ("False", "Invalid", "no listener ends HBONE with ISTIO_MUTUAL at port 15008")
    elif not available:
        programmed = ("False", "Pending", f"deployment {key[1]} has no available pod")
    else:
        programmed = ("True", "Programmed", f"Resource programmed, assigned to service(s) {service}")
    conditions = (
        Condition("Accepted", "True", "Accepted", "Resource accepted"),
        Condition("Programmed", *programmed),
    )
    return writes.status("gateways", gateway, conditions, now, addresses)


def _addresses(gateway: Json, view: View) -> list[Json]:
    service = view["services"].get(objects.name(gateway), {})
    if _service_type(gateway) == "NodePort":
        ready = at(service, "spec", "type") == "NodePort"
        return [{"type": "IPAddress", "value": one} for one in node_addresses(view)[:1] if ready]
    return [
        {"type": "IPAddress", "value": one["ip"]}
        if one.get("ip")
        else {"type": "Hostname", "value": one["hostname"]}
        for one in at(service, "status", "loadBalancer", "ingress", default=())
    ]


def _is_upstream(gateway: Json) -> bool:
    return bool(at(gateway, "spec", "gatewayClassName") == UPSTREAM)


def _ends_hbone(gateway: Json) -> bool:
    return any(objects.holds(one, TERMINATED) for one in at(gateway, "spec", "listeners", default=()))


def _ports(gateway: Json) -> tuple[tuple[str, int], ...]:
    return UPSTREAM_PORTS if _is_upstream(gateway) else PORTS


def _service_type(gateway: Json) -> str:
    return "NodePort" if annotation(gateway, SERVICE_TYPE).lower() == "nodeport" else "LoadBalancer"


def _account(gateway: Json) -> Json:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _about(gateway)}


def _service(gateway: Json) -> Json:
    handed = {
        key: value
        for key, value in at(gateway, "metadata", "annotations", default={}).items()
        if key.startswith(HANDED_DOWN)
    }
    about = _about(gateway)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**about, "annotations": handed},
        "spec": {
            "type": _service_type(gateway),
            "selector": {GATEWAY_NAME: about["name"]},
            "ports": [{"name": name, "port": port, "protocol": "TCP"} for name, port in _ports(gateway)],
        },
    }


def _deployment(gateway: Json, istiod: Istiod) -> Json:
    about = _about(gateway)
    labels = {
        **about["labels"],
        "service.istio.io/canonical-name": about["name"] if _is_upstream(gateway) else "istio-eastwest",
        "service.istio.io/canonical-revision": "latest",
        "istio.io/dataplane-mode": "none",
        "sidecar.istio.io/inject": "false",
    }
    env = {
        "ISTIO_META_CLUSTER_ID": istiod.cluster_id,
        "ISTIO_META_NETWORK": label(gateway, NETWORK),
        "NETWORK": label(gateway, NETWORK),
    }
    if not _is_upstream(gateway):
        skips = "true" if istiod.skips_trust_domain else "false"
        env |= {"PROXY_MODE": "gateway", "SKIP_VALIDATE_TRUST_DOMAIN": skips}
    program = ("proxyv2", "router") if _is_upstream(gateway) else ("ztunnel", "ztunnel")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": about,
        "spec": {
            "selector": {"matchLabels": {GATEWAY_NAME: about["name"]}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": about["name"],
                    "containers": [
                        {
                            "name": "istio-proxy",
                            "image": istiod.image.replace("/pilot:", f"/{program[0]}:"),
                            "args": ["proxy", program[1]],
                            "env": [{"name": key, "value": value} for key, value in env.items()],
                            "ports": [
                                {"name": name, "containerPort": port, "protocol": "TCP"}
                                for name, port in _ports(gateway)
                            ],
                        }
                    ],
                },
            },
        },
    }


def _about(gateway: Json) -> Json:
    namespace, name = objects.name(gateway)
    return {
        "name": name,
        "namespace": namespace,
        "labels": {
            **at(gateway, "metadata", "labels", default={}),
            GATEWAY_NAME: name,
            "gateway.networking.k8s.io/gateway-class-name": gateway["spec"]["gatewayClassName"],
            **MANAGED,
        },
        "ownerReferences": [
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "name": name,
                "uid": gateway["metadata"]["uid"],
            }
        ],
    }


def _mirrored(body: Json) -> Json:
    """Return the body without the fields that copies drop."""
    return {key: value for key, value in body.items() if key not in {"apiVersion", "kind"}}


def _stale_labels(live: Json, body: Json) -> bool:
    """Return whether a label remains that was copied from the Gateway and has been removed there."""
    extra = at(live, "metadata", "labels", default={}).keys() - body["metadata"]["labels"].keys()
    return any("istio.io/" in key or "kubernetes.io/" in key for key in extra)
