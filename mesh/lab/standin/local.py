"""The peer that istiod creates for its own east-west gateway if `PEERING_AUTOMATIC_LOCAL_GATEWAY` is true.

Its copies represent this cluster in other clusters; in the cluster itself it is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mesh.lab.standin import objects
from mesh.lab.standin.api import Json
from mesh.lab.standin.facts import CLUSTER, EXPOSE, NETWORK, Istiod, View
from mesh.lab.standin.meeting import ACCOUNT, TRUST_DOMAIN
from mesh.lab.standin.mirror import GATEWAY_API
from mesh.lab.standin.objects import annotation, at, label
from mesh.lab.standin.writes import DEPLOYER, Deletion, Write

REMOTE: Final = "istio-remote"
PREFIX: Final = "istio-remote-peer-"
#: A peer is created only if all of these and an address exist.
REQUIRED: Final = (EXPOSE, CLUSTER, NETWORK)
#: kubectl's own annotation is not copied.
APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def wanted(gateways: Iterable[Json], istiod: Istiod, view: View) -> Iterable[Write | Deletion]:
    """Return the due writes for the local peers of a cluster's east-west gateways."""
    made = {}
    for gateway in gateways:
        if istiod.automatic and at(gateway, "status", "addresses") and _labelled(gateway):
            body = _peer(gateway, istiod)
            made[objects.name(body)] = body
            live = view["gateways"].get(objects.name(body))
            if live is None or not objects.holds(live, {key: body[key] for key in ("metadata", "spec")}):
                yield Write(path(body), body, DEPLOYER)
    for key, live in sorted(view["gateways"].items()):
        if key not in made and is_local(live):
            yield Deletion(path(live), live["metadata"]["uid"])


def is_local(gateway: Json) -> bool:
    """Return whether a gateway is a peer that the istiod of its own cluster created."""
    owners = at(gateway, "metadata", "ownerReferences", default=())
    return at(gateway, "spec", "gatewayClassName") == REMOTE and any(
        one["kind"] == "Gateway" for one in owners
    )


def path(gateway: Json) -> str:
    """Return the API path of a gateway."""
    namespace, name = objects.name(gateway)
    return f"{GATEWAY_API}/namespaces/{namespace}/gateways/{name}"


def _labelled(gateway: Json) -> bool:
    return all(label(gateway, key) for key in REQUIRED)


def _peer(gateway: Json, istiod: Istiod) -> Json:
    about = gateway["metadata"]
    annotations = {key: value for key, value in (about.get("annotations") or {}).items() if key != APPLIED}
    annotations[ACCOUNT] = annotation(gateway, ACCOUNT) or about["name"]
    annotations[TRUST_DOMAIN] = istiod.trust_domain
    owner = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": f"{PREFIX}{label(gateway, CLUSTER)}",
            "namespace": about["namespace"],
            "labels": about["labels"],
            "annotations": annotations,
            "ownerReferences": [{**owner, "name": about["name"], "uid": about["uid"]}],
        },
        "spec": {
            "gatewayClassName": REMOTE,
            "addresses": gateway["status"]["addresses"],
            "listeners": [_listener(one) for one in at(gateway, "spec", "listeners", default=())],
        },
    }


def _listener(one: Json) -> Json:
    return {key: one[key] for key in ("name", "port", "protocol", "tls") if key in one}
