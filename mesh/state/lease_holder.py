"""Who holds a cluster's lease: what a run records there, and how another run reads it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from mesh.errors import KubeError, LockedError
from mesh.model.bounded_text import SMALL, loads
from mesh.sdk.shell import command
from mesh.walk import fan
from mesh.world import Kube, Object
from mesh.world.disk.file_lock import user
from mesh.world.resources import LEASE
from mesh.world.shapes import fitted, moment

NAMESPACE = "kube-system"
HOLDER = "meshform.io/holder"

SILENT_SECONDS = 90
"""A holder silent for so long looks dead. Only a person can know: it may just be cut off from the cluster."""


HELD_BY = {**dict.fromkeys(("who!", "host!", "since!", "verb!", "lineage!", "place!"), str), "pid!": int}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease; only `host` and `place` (see `mesh.state.store.Store.place`) are compared."""

    who: str
    host: str
    pid: int
    since: str
    verb: str
    lineage: str
    place: str

    @classmethod
    def here(cls, verb: str, lineage: str, place: str, since: datetime) -> Holder:
        """Return this process, which holds the file lock of the folder `place`."""
        stamp = since.isoformat(timespec="seconds")
        return cls(user(), socket.gethostname(), os.getpid(), stamp, verb, lineage, place)

    def __str__(self) -> str:
        return f"{self.who}@{self.host}, process {self.pid}: {self.verb}, since {self.since}"

    def is_at(self, other: Holder) -> bool:
        """Whether both are the same folder on the same machine."""
        # `place` has a random word and an inode: a copied or restored folder, or a second machine with the
        # same host name, does not have both. Only one process can hold the file lock of such a place.
        return (self.host, self.place) == (other.host, other.place)

    def to_text(self) -> str:
        """Return it as the annotation of a lease."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class FoundLease:
    """A lease as read. `silent` is the seconds since its last renewal by the server's clock, if known."""

    run: str
    uid: str
    holder: Holder | None
    silent: int | None = None

    def __str__(self) -> str:
        heard = "" if self.silent is None else f"; last renewed {self.silent} s ago"
        return f"{self.holder or 'another program'} (id {self.run}){heard}"


def name_of(mesh: str) -> str:
    """Return the name of the Lease."""
    return f"mesh-{mesh}"


def look(mesh: str, kube: Kube) -> FoundLease | None:
    """Read who holds a cluster's lease; None if it is free."""
    found = kube.get(LEASE, NAMESPACE, name_of(mesh))
    return _seen(found) if found else None


def _seen(found: Object) -> FoundLease:
    return FoundLease(_run_of(found), found["metadata"].get("uid", ""), holder_of(found))


def _run_of(found: Object) -> str:
    return str(found.get("spec", {}).get("holderIdentity", ""))


def refuse_held(mesh: str, kubes: Mapping[str, Kube], us: Holder | None) -> frozenset[str]:
    """Raise LockedError if a lease is held, unless by a dead run of the folder that this run has locked.

    Returns the clusters that such a dead run left locked. A cluster that does not answer, or denies the
    read, is skipped.
    """
    # This is a courtesy, not the lock: it spares a long plan that could not be applied. What counts is
    # `Leases.hold`, which creates the leases after the plan and just before the first write.

    def find(cluster: str) -> Object | None:
        try:
            return kubes[cluster].get(LEASE, NAMESPACE, name_of(mesh))
        except KubeError:
            return None

    held = {cluster: found for cluster, found in fan(find, sorted(kubes)).items() if found}
    for cluster, found in held.items():
        holder = holder_of(found)
        if not (us and holder and holder.is_at(us)):
            raise locked(kubes[cluster], found)
    return frozenset(held)


def unlock(mesh: str, cluster: str, run: str, kube: Kube) -> FoundLease | None:
    """Delete the lease that a dead run left; raise LockedError if it belongs to another run than `run`."""
    seen = look(mesh, kube)
    if seen is None:
        return None
    if seen.run != run:
        raise LockedError(
            f"cluster {cluster} is locked by another run than {run}: {seen}",
            hint="make sure that this run is dead too, then use its id",
        )
    # The person named a run, and looked a moment ago: the uid pins the deletion to that very lease.
    kube.delete(LEASE, NAMESPACE, name_of(mesh), uid=seen.uid)
    return seen


def locked(kube: Kube, found: Object) -> LockedError:
    """Return the error that names the holder of a lease and the next step."""
    seen = FoundLease(
        _run_of(found),
        found["metadata"].get("uid", ""),
        holder_of(found),
        _silent(kube, found),
    )
    hint = "wait for it to end"
    if seen.silent is None or seen.silent > SILENT_SECONDS:
        hint = f"it looks dead; make sure that it is, then run `{unlock_command(kube, seen.run)}`"
    return LockedError(f"cluster {kube.cluster} is locked by {seen}", hint=hint)


def unlock_command(kube: Kube, run: str) -> str:
    """Return the command that deletes the lease of a dead run."""
    return command("mesh", "state", "unlock", "--cluster", kube.cluster, "--id", run)


def _silent(kube: Kube, found: Object) -> int | None:
    """Return the seconds since the last write, if the server tells them.

    Both times are the server's: `renewTime` is by the clock of the holder, which may be wrong, and so may
    be that of this machine. A dry run of a new object returns the server's time and stores nothing.
    """
    probe = {**found, "metadata": {"name": f"{found['metadata']['name']}-clock", "namespace": NAMESPACE}}
    times = [entry.get("time", "") for entry in found["metadata"].get("managedFields", [])]
    try:
        now = kube.create(probe, manager="mesh/lease", dry_run=True)["metadata"]["creationTimestamp"]
        last = max(moment(time) for time in times if time)
        return int((moment(now) - last).total_seconds())
    except (KubeError, ValueError, KeyError):
        return None


def holder_of(found: Object) -> Holder | None:
    """Read the holder from a lease; None if mesh did not write it."""
    try:
        return Holder(**fitted(loads(found["metadata"]["annotations"][HOLDER], SMALL), HELD_BY))
    except (KeyError, ValueError, TypeError):
        return None
