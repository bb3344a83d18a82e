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


def refuse_leaving(snapshots: Mapping[str, Snapshot], mesh: Mesh, plan: Plan) -> None:
    """Refuse to take down a cluster that left the mesh file under workloads that use the mesh there."""
    kept = {cluster.name for cluster in mesh.clusters}
    gone = {step.key.cluster for step in plan.steps if step.action is Action.DELETE} - kept - {NO_CLUSTER}
    _refuse(f"{', '.join(sorted(gone))} left the mesh file while the mesh is in use there", snapshots, gone)


def _refuse(why: str, snapshots: Mapping[str, Snapshot], clusters: Collection[str]) -> None:
    found = [line for name in sorted(clusters) if name in snapshots for line in _users(snapshots[name])]
    if found:
        raise RefusedError(
            f"{why}:\n" + "\n".join(f"  {line}" for line in found),
            hint="take these out of the mesh first; --ignore-enrolled goes on and cuts their traffic",
        )


def _users(snapshot: Snapshot) -> list[str]:
    queries = (
        (NAMESPACE, AMBIENT, "enrolled"),
        (POD, AMBIENT, "enrolled"),
        (SERVICE, SCOPED, "shared with the mesh"),
    )
    found = []
    try:
        for resource, labels, what in queries:
            for obj in snapshot.list(resource, labels=labels, metadata_only=True):
                found.append(f"{_name(snapshot, resource.kind, obj['metadata'])} is {what}")
        for obj in snapshot.list(GATEWAY):
            if obj["spec"].get("gatewayClassName") == WAYPOINT:
                found.append(f"{_name(snapshot, 'Gateway', obj['metadata'])} is a waypoint")
    except Unreachable:
        return []  # everything in it is deferred, so nothing is taken down
    except KubeError as error:
        found.append(f"{snapshot.cluster}: who uses the mesh cannot be read: {error.message}")
    return found


def _name(snapshot: Snapshot, kind: str, meta: Mapping[str, str]) -> str:
    namespace = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{snapshot.cluster}: {kind} {namespace}{meta['name']}"
