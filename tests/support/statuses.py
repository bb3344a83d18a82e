"""The status of clusters, as values."""

from __future__ import annotations

from datetime import UTC, datetime

from mesh.model import Action, Key, Live, Reason, Step
from mesh.queries.states import DIFFERS, MISSING, NOT_READY, READY, ResourceState
from mesh.queries.status.model import CertificateStatus, ClusterStatus, GatewayStatus, PeerStatus, Workload

ROOT = "sha256:" + "ab" * 32
LIVE = Live({}, "token")
LINK = "link/c1/other"


def healthy(name: str) -> ClusterStatus:
    """A cluster in which nothing is wrong."""
    return ClusterStatus(
        name,
        context=f"{name}-admin",
        wanted_network=name,
        licence="istio-system/solo-istio-license",
        network=name,
        has_licence=True,
        workloads=(
            Workload("ztunnel", "istio-system", "ztunnel", 2, 2, 2, "1.30.2-solo", "1.30.2-solo", "deployed"),
        ),
        gateways=(
            GatewayStatus("istio-eastwest", "istio-eastwest", "istio-eastwest", "10.0.0.1", "True", "demo"),
        ),
        peers=(
            PeerStatus(
                *("istio-eastwest", "istio-remote-peer-other", "istio-remote", "other", "other", "10.0.0.2"),
                *("True", "True", "demo", "other"),
            ),
        ),
        authority=CertificateStatus(
            f"CN=demo/{name}", "CN=demo Root", ROOT, (ROOT,), datetime(2027, 1, 2, tzinfo=UTC), days_left=300
        ),
    )


def fine(address: str) -> ResourceState:
    """A resource that is in sync and ready."""
    return ResourceState(Key.parse(address), READY, "in sync and ready", found=LIVE)


def broken(address: str, why: str) -> ResourceState:
    """A resource that is in sync and does not work."""
    key = Key.parse(address)
    step = Step(Action.READ, key, Reason.UNHEALTHY, why=why)
    return ResourceState(key, NOT_READY, f"not ready: {why}", why, step, LIVE)


def absent(address: str) -> ResourceState:
    """A resource that is missing."""
    key = Key.parse(address)
    return ResourceState(key, MISSING, "missing", "missing", Step(Action.CREATE, key), None)


def drifted(address: str) -> ResourceState:
    """A resource that works and is not as the mesh file says."""
    key = Key.parse(address)
    step = Step(Action.UPDATE, key, Reason.DRIFT)
    return ResourceState(key, DIFFERS, "differs in 1 field (changed outside mesh): spec.x", "", step, LIVE)


def unread(address: str, why: str) -> ResourceState:
    """A resource that could not be read."""
    return ResourceState(Key.parse(address), "not known", f"not known: {why}", unread=why)
