"""Refuse to remove the mesh from a cluster while workloads use it there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mesh.errors import KubeError, RefusedError
from mesh.model import NO_CLUSTER, Action, Plan
from mesh.model.spec import Mesh
from mesh.state.lockfile import State
from mesh.world.kube.errors import Unreachable
from mesh.world.resources import GATEWAY, NAMESPACE, POD, SERVICE
from mesh.world.snapshot import Snapshot

AMBIENT = "istio.io/dataplane-mode=ambient"
SCOPED = "solo.io/service-scope in (global,global-only,segment)"
WAYPOINT = "istio-waypoint"


def refuse_enrolled(snapshots: Mapping[str, Snapshot], state: State) -> None:
    """Refuse to take the mesh down under workloads that use it; list them all."""
    _refuse("the mesh is in use", snapshots, state.clusters)


def refuse_leaving(
    snapshots: Mapping[str, Snapshot], mesh: Mesh, plan: Plan, *, writes: bool
) -> tuple[str, ...]:
    """Refuse to take down a cluster that left the mesh file under workloads that use the mesh there.

    What cannot be read refuses only a run that writes: an identity that plans need not list all pods. Returns
    a warning for each such cluster.
    """
    gone = _leaving(mesh, plan)
    why = f"{', '.join(gone)} left the mesh file while the mesh is in use there"
    return tuple(
        f"cluster {line}: an apply refuses to remove the mesh there without --ignore-enrolled"
        for line in _refuse(why, snapshots, gone, unread=writes)
    )


def _leaving(mesh: Mesh, plan: Plan) -> list[str]:
    """Return the clusters that a plan deletes from and that are no longer in the mesh file."""
    kept = {cluster.name for cluster in mesh.clusters}
    return sorted(
        {step.key.cluster for step in plan.steps if step.action is Action.DELETE} - kept - {NO_CLUSTER}
    )


def _refuse(
    why: str, snapshots: Mapping[str, Snapshot], clusters: Collection[str], *, unread: bool = True
) -> list[str]:
    """Return what is not known of these clusters; raise RefusedError if they are used, or unread if asked."""
    found = [_users(snapshots[name]) for name in sorted(clusters) if name in snapshots]
    lines = [line for users, unknown in found for line in (*users, *(unknown if unread else ()))]
    if lines:
        raise RefusedError(
            f"{why}:\n" + "\n".join(f"  {line}" for line in lines),
            hint="take these out of the mesh first; --ignore-enrolled goes on and cuts their traffic",
        )
    return [line for _, unknown in found for line in unknown]


def _users(snapshot: Snapshot) -> tuple[list[str], list[str]]:
    """Return what uses the mesh in a cluster, and why some of it is not known."""
    queries = (
        (NAMESPACE, AMBIENT, "enrolled"),
        (POD, AMBIENT, "enrolled"),
        (SERVICE, SCOPED, "shared with the mesh"),
    )
    found: list[str] = []
    try:
        for resource, labels, what in queries:
            for obj in snapshot.list(resource, labels=labels, metadata_only=True):
                found.append(f"{_name(snapshot, resource.kind, obj['metadata'])} is {what}")
        for obj in snapshot.list(GATEWAY):
            if obj["spec"].get("gatewayClassName") == WAYPOINT:
                found.append(f"{_name(snapshot, 'Gateway', obj['metadata'])} is a waypoint")
    except Unreachable:
        return [], []  # everything in it is deferred, so nothing is taken down
    except KubeError as error:
        return found, [f"{snapshot.cluster}: who uses the mesh cannot be read: {error.message}"]
    return found, []


def _name(snapshot: Snapshot, kind: str, meta: Mapping[str, str]) -> str:
    namespace = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{snapshot.cluster}: {kind} {namespace}{meta['name']}"
