"""The rows of `mesh status`, from what the kinds read and judged; pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from mesh.istio.names import NETWORK
from mesh.istio.peering import (
    CONNECTED,
    NOT_REPORTED,
    PROGRAMMED,
    SUCCEEDED,
    address_of,
    linked,
    reported,
)
from mesh.istio.solo import CLUSTER
from mesh.model import Live, Place
from mesh.model.spec import Cluster, Component
from mesh.providers.cert.observe import renewal
from mesh.queries.states import ResourceState
from mesh.queries.status.model import CertificateStatus, GatewayStatus, PeerStatus, Workload
from mesh.sdk.managed_fields import owner_of
from mesh.sdk.rollout_status import Pods, why_not
from mesh.world import Object

REMOTE_SECRET = "remote secret"  # noqa: S105  # what the table says of the class of a link
CACERTS = "cacerts"


def workload(component: Component, obj: Object, nodes: int, pods: Pods) -> Workload:
    """Judge a Deployment or DaemonSet; `pods` reads the pods of one that is not ready."""
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


def gateway(live: Live, where: Place, why: str, resource: str = "") -> GatewayStatus:
    """Return the row of an east-west gateway; its address is where other clusters reach it."""
    return GatewayStatus(
        where.namespace,
        where.name,
        str(live.attrs.get("spec", {}).get("gatewayClassName", "")),
        address=str(live.outputs.get("endpoint", {}).get("value", "")),
        programmed=reported(live.status, PROGRAMMED),
        owner=live.owner,
        why=why,
        resource=resource,
    )


def peer(state: ResourceState, target: Cluster, source: Cluster) -> PeerStatus:
    """Return the row of a peer object that the mesh file asks for; a missing one has a row too."""
    link = "" if target == source else target.name
    row = PeerStatus(
        state.place.namespace,
        state.place.name,
        cluster=target.cluster_name,
        network=target.network,
        link=link,
        why=state.trouble,
        own=target == source,
        resource=str(state.key),
    )
    return _filled(row, state.live) if state.live else row


def other_peer(obj: Object, own_network: str) -> PeerStatus:
    """Return the row of a peer object that the mesh file does not ask for.

    istiod ignores a peer for the network of its own cluster, so nothing is wrong with one.
    """
    meta = obj["metadata"]
    status = {**obj.get("status", {}), "generation": meta.get("generation", 0)}
    live = Live({"metadata": meta, "spec": obj["spec"]}, "", status=status, owner=owner_of(obj))
    why = "" if (meta.get("labels") or {}).get(NETWORK) == own_network else linked(status).why
    return _filled(PeerStatus(meta["namespace"], meta["name"], why=why), live)


def _filled(row: PeerStatus, live: Live) -> PeerStatus:
    """Return the row with what the live object says."""
    labels, spec = live.attrs["metadata"].get("labels") or {}, live.attrs["spec"]
    network = labels.get(NETWORK, "")
    return PeerStatus(
        row.namespace,
        row.name,
        spec["gatewayClassName"],
        cluster=labels.get(CLUSTER, network),
        network=network,
        address=address_of(spec),
        connected=reported(live.status, CONNECTED),
        succeeded=reported(live.status, SUCCEEDED),
        owner=live.owner,
        link=row.link,
        why=row.why,
        programmed=reported(live.status, PROGRAMMED),
        own=row.own,
        resource=row.resource,
    )


def remote(state: ResourceState, target: Cluster) -> PeerStatus:
    """Return the row of a remote secret; connected means that the other API server accepts its token.

    No object tells whether istiod has read it.
    """
    live = state.live
    attrs: Any = live.attrs if live else {}
    return PeerStatus(
        state.place.namespace,
        state.place.name,
        class_name=REMOTE_SECRET if live else "",
        cluster=target.cluster_name,
        network=target.network,
        address=str(attrs.get("server", "")),
        connected=_accepted(state),
        owner=live.owner if live else "",
        link=target.name,
        why=state.trouble,
        resource=str(state.key),
    )


def _accepted(state: ResourceState) -> str:
    live = state.live
    if live is None:
        return NOT_REPORTED
    if "unknown" in live.status or not live.attrs:
        return "Unknown"
    return "False" if state.trouble else "True"


def authority(live: Live, why: str, renew_before: timedelta, now: datetime) -> CertificateStatus:
    """Return what a cluster's istiod signs with: its `cacerts`, or only the root that it publishes."""
    end, root = live.outputs.get("not_after", ""), str(live.outputs.get("root", ""))
    roots = tuple(live.status.get("roots", ()))
    if not end:
        return CertificateStatus(root=root, roots=roots, why=why)
    expires = datetime.fromisoformat(end)
    return CertificateStatus(
        str(live.outputs.get("subject", "")),
        str(live.status.get("signed_by", "")),
        root,
        roots,
        expires,
        (expires - now).days,
        now >= renewal(live, renew_before),
        why,
    )
