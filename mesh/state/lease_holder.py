"""Who holds a cluster's lease: what a run says of itself there, and what others make of it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from mesh.errors import KubeError, LockedError
from mesh.walk import fan
from mesh.world import Kube, Object
from mesh.world.disk.file_lock import user
from mesh.world.resources import LEASE

NAMESPACE = "kube-system"
HOLDER = "meshform.io/holder"

READERS = 16
SILENT_SECONDS = 90
"""A holder that was not heard of for so long looks dead; whether it is, only a person can tell."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease: for people, but for `host` and `place` (see `mesh.state.Store.place`)."""

    who: str
    host: str
    pid: int
    since: str
    verb: str
    lineage: str
    place: str

    @classmethod
    def here(cls, verb: str, lineage: str, place: str, since: datetime) -> Holder:
        """This process, which holds the lock of the folder `place`."""
        stamp = since.isoformat(timespec="seconds")
        return cls(user(), socket.gethostname(), os.getpid(), stamp, verb, lineage, place)

    def __str__(self) -> str:
        return f"{self.who}@{self.host}, process {self.pid}: {self.verb}, since {self.since}"

    def is_at(self, other: Holder) -> bool:
        """Whether both speak of the same folder on the same machine."""
        return (self.host, self.place) == (other.host, other.place)

    def to_text(self) -> str:
        """Write it as the annotation of a lease."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class FoundLease:
    """A lease as it was found. `silent`: seconds since its last renewal by the server's clock, if known."""

    run: str
    uid: str
    holder: Holder | None
    silent: int | None = None

    def __str__(self) -> str:
        heard = "" if self.silent is None else f"; last heard of {self.silent} s ago"
        return f"{self.holder or 'somebody'} (id {self.run}){heard}"


def name_of(mesh: str) -> str:
    """The name of the Lease."""
    return f"mesh-{mesh}"


def look(mesh: str, kube: Kube) -> FoundLease | None:
    """Read who holds a cluster's lease; None if nobody does."""
    found = kube.get(LEASE, NAMESPACE, name_of(mesh))
    return _seen(found) if found else None


def _seen(found: Object) -> FoundLease:
    return FoundLease(found["spec"].get("holderIdentity", ""), found["metadata"]["uid"], holder_of(found))


def refuse_held(mesh: str, kubes: Mapping[str, Kube], us: Holder | None) -> None:
    """Raise LockedError if anybody holds a lease, but for a dead run of the folder that we have locked.

    A cluster that does not answer, or does not let us look, is passed over.
    """

    def find(cluster: str) -> Object | None:
        try:
            return kubes[cluster].get(LEASE, NAMESPACE, name_of(mesh))
        except KubeError:
            return None

    for cluster, found in fan(find, sorted(kubes), READERS).items():
        holder = holder_of(found) if found else None
        if found and not (us and holder and holder.is_at(us)):
            raise locked(kubes[cluster], found)


def unlock(mesh: str, cluster: str, run: str, kube: Kube) -> FoundLease | None:
    """Delete the lease that a dead run left, if it is that run's; raise LockedError if it is another's."""
    seen = look(mesh, kube)
    if seen is None:
        return None
    if seen.run != run:
        raise LockedError(
            f"cluster {cluster} is locked by another run than {run}: {seen}",
            hint="make sure that this one is dead, too, and name its id",
        )
    kube.delete(LEASE, NAMESPACE, name_of(mesh), uid=seen.uid)
    return seen


def locked(kube: Kube, found: Object) -> LockedError:
    """The error that names whoever holds a lease, and says what can be done about it."""
    seen = FoundLease(
        found["spec"].get("holderIdentity", ""),
        found["metadata"]["uid"],
        holder_of(found),
        _silent(kube, found),
    )
    hint = "wait for it to end"
    if seen.silent is None or seen.silent > SILENT_SECONDS:
        command = f"mesh state unlock --cluster {kube.cluster} --id {seen.run}"
        hint = f"it looks dead; make sure that it is, then run `{command}`"
    return LockedError(f"cluster {kube.cluster} is locked by {seen}", hint=hint)


def _silent(kube: Kube, found: Object) -> int | None:
    """Seconds since the last write, both ends told by the server: a holder's clock may be wrong.

    A dry run of a new object comes back with the time of the server, and stores nothing.
    """
    probe = {**found, "metadata": {"name": f"{found['metadata']['name']}-clock", "namespace": NAMESPACE}}
    times = [entry.get("time", "") for entry in found["metadata"].get("managedFields", [])]
    try:
        now = kube.create(probe, manager="mesh/lease", dry_run=True)["metadata"]["creationTimestamp"]
        last = max(datetime.fromisoformat(time) for time in times if time)
        return int((datetime.fromisoformat(now) - last).total_seconds())
    except (KubeError, ValueError, KeyError):
        return None


def holder_of(found: Object) -> Holder | None:
    """Read what the holder says of itself; None if that is not a mesh of ours."""
    try:
        return Holder(**json.loads(found["metadata"]["annotations"][HOLDER]))
    except (KeyError, ValueError, TypeError):
        return None
