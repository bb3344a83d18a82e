"""From the objects of a cluster to the facts of its status, judged as the kinds judge them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mesh.istio.names import NETWORK
from mesh.istio.solo import CLUSTER
from mesh.model import Live
from mesh.model.spec import Component
from mesh.providers.gateway import GatewayProvider
from mesh.providers.link import CONNECTED, SUCCEEDED, LinkProvider
from mesh.queries.status.model import NOT_REPORTED, CertificateStatus, GatewayStatus, PeerStatus, Workload
from mesh.sdk.kube_object import Manifest
from mesh.sdk.managed_fields import owner_of
from mesh.sdk.rollout_status import Pods, why_not
from mesh.world import Object

if TYPE_CHECKING:
    from mesh.world.pki import Inspection

PROGRAMMED = "Programmed"


def workload(component: Component, obj: Object, nodes: int, pods: Pods) -> Workload:
    """Judge a Deployment or DaemonSet; `pods` reads those of one that is not ready."""
    status, spec, meta = obj.get("status", {}), obj["spec"], obj["metadata"]
    is_daemon_set = obj["kind"] == "DaemonSet"
    containers = spec["template"]["spec"].get("containers") or [{}]
    return Workload(
        component,
        meta.get("namespace", ""),
        meta["name"],
        ready=status.get("numberReady" if is_daemon_set else "readyReplicas", 0),
        desired=status.get("desiredNumberScheduled", 0) if is_daemon_set else spec.get("replicas", 1),
        nodes=nodes if is_daemon_set else None,
        tag=image_tag(containers[0].get("image", "")),
        why=why_not(obj, nodes, pods),
    )


def image_tag(image: str) -> str:
    """Return the tag of an image reference, "" if it has none."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def conditions(obj: Object) -> dict[str, str]:
    """The statuses of an object's conditions; one that speaks of an older generation reads `Unknown`."""
    generation = obj["metadata"].get("generation", 0)
    return {
        each["type"]: each["status"]
        if each.get("observedGeneration", generation) >= generation
        else "Unknown"
        for each in obj.get("status", {}).get("conditions", [])
    }


def _as_live(obj: Object, outputs: Mapping[str, Any]) -> Live:
    """The object as the kinds judge it."""
    status = obj.get("status", {}) | {"generation": obj["metadata"].get("generation", 0)}
    return Live({}, "", outputs=outputs, status=status)


def east_west(obj: Object) -> GatewayStatus:
    """Judge an east-west gateway as its kind does."""
    kind, meta = GatewayProvider(), obj["metadata"]
    outputs = kind.outputs(obj)
    return GatewayStatus(
        meta["namespace"],
        meta["name"],
        obj["spec"]["gatewayClassName"],
        address=str(outputs.get("endpoint", {}).get("value", "")),
        programmed=conditions(obj).get(PROGRAMMED, NOT_REPORTED),
        owner=owner_of(obj),
        why=kind.ready(Manifest("", obj), _as_live(obj, outputs)).why,
    )


def peer(obj: Object, *, link: str, own_network: str) -> PeerStatus:
    """Judge a peer object as its kind does; istiod ignores one for its own network, and so do we."""
    meta, spec = obj["metadata"], obj["spec"]
    labels = meta.get("labels", {})
    network = labels.get(NETWORK, "")
    reported = conditions(obj)
    why = LinkProvider().ready(Manifest("", obj), _as_live(obj, {})).why
    return PeerStatus(
        meta["namespace"],
        meta["name"],
        spec["gatewayClassName"],
        cluster=labels.get(CLUSTER, network),
        network=network,
        address=str(next((each.get("value", "") for each in spec.get("addresses", [])), "")),
        connected=reported.get(CONNECTED, NOT_REPORTED),
        succeeded=reported.get(SUCCEEDED, NOT_REPORTED),
        owner=owner_of(obj),
        link=link,
        why="" if network and network == own_network else why,
        programmed=reported.get(PROGRAMMED, NOT_REPORTED),
    )


def authority(found: Inspection, renew_before: timedelta, now: datetime) -> CertificateStatus:
    """Judge a `cacerts`; it is to be renewed as early as a plan would, at most a third of its life early."""
    own = found.certificate
    why = "; ".join(found.problems)
    if own is None:
        return CertificateStatus(why=why)
    margin = min(renew_before, (own.not_after - own.not_before) / 3)
    return CertificateStatus(
        own.subject,
        own.issuer,
        found.root.fingerprint if found.root else "",
        tuple(each.fingerprint for each in found.roots),
        own.not_after,
        (own.not_after - now).days,
        own.not_after - now <= margin,
        why,
    )
