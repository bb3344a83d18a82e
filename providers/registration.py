"""Kind `registration`: whether the management plane has accepted a cluster; only verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.model import READY, Found, Key, Live, Place, Ready, Resource, not_yet
from mesh.model.spec import Mesh
from mesh.sdk.capabilities import NamedAfterCluster, Verified
from mesh.sdk.contract import Last
from mesh.sdk.kube_object import find
from mesh.sdk.rights import READ, Right, rights
from mesh.sdk.script import Commands
from mesh.sdk.shell import comment
from mesh.world import Object, World
from mesh.world.resources import KUBERNETES_CLUSTER
from mesh.world.snapshot import Snapshot

ACCEPTED = "ACCEPTED"


@dataclass(frozen=True, slots=True)
class RegistrationSpec:
    """A cluster and the name that it is registered under; `command` registers it."""

    cluster: str
    name: str
    command: str


class RegistrationProvider(Verified[RegistrationSpec], NamedAfterCluster):
    """A `KubernetesCluster` in the management cluster, with approval ACCEPTED."""

    kind = "registration"

    def awaited(self, key: Key) -> str:
        """Return that a person registers a cluster."""
        return f"{key.name} is not registered yet"

    def refuse(self, spec: RegistrationSpec, live: Found, last: Last | None) -> str:
        """Refuse a cluster that is not accepted: no peer is distributed from or to it."""
        del last
        if live is None:
            return (
                f"cluster {spec.cluster} is not registered with the management plane as {spec.name}: "
                f"{spec.command}"
            )
        return self.ready(spec, live).why if isinstance(live, Live) else ""

    def ready(self, spec: RegistrationSpec, live: Live) -> Ready:
        """Accepted by the management plane."""
        approval = live.status["approval"]
        if approval == ACCEPTED:
            return READY
        return not_yet(
            f"the management plane has not accepted cluster {spec.cluster}: KubernetesCluster {spec.name} "
            f"has approval {approval or '(none)'}, not {ACCEPTED}; approve it there, or register it again: "
            f"{spec.command}"
        )

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read all of them in one LIST."""
        return find(places, lambda: snapshot.list(KUBERNETES_CLUSTER), _live)

    def commands(self, resource: Resource[RegistrationSpec], mesh: Mesh) -> Commands:
        """Return the command that registers the cluster as a comment: a person runs it."""
        del mesh
        return Commands(comment(f"only verified: mesh does not create it; {resource.spec.command}"))

    def reads(self, key: Key, place: Place) -> Iterable[Right]:
        """Return the right to list registrations in the management cluster."""
        del key, place
        return rights(KUBERNETES_CLUSTER, READ)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Leave it to its owner."""
        del key, place, live, last, world
        return ("another program keeps it",)


def _live(_key: Key, obj: Object) -> Live:
    uid = str(obj["metadata"]["uid"])
    return Live({}, uid, uid=uid, status={"approval": _approval(obj.get("status", {}))})


def _approval(status: Mapping[str, Any]) -> str:
    state = (status.get("common") or {}).get("State") or {}
    return str(state.get("approval", ""))
