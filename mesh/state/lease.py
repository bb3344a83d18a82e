"""Locks between machines: a Lease in each cluster names the run that writes to it.

The Lease `mesh-<mesh>` is in kube-system, which every cluster has and no mesh creates or deletes. A run
creates it before its first write and deletes it after its last one.

Two runs cannot both hold it: the API server creates a name once (the other gets 409), and a run only
ever writes the object it created, by uid and resourceVersion. There is no takeover after a timeout, so
no clock decides: neither a wrong one nor a paused process can make two holders. The price is that a
Lease of a dead run on another machine needs `mesh state unlock`. A Lease that a killed run of the same
folder left is replaced at once: this run holds the file lock of the folder, which ends with its
process, so the former holder is dead. See docs/reference/state-files.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from mesh.errors import KubeError, LockedError
from mesh.sdk.managed_fields import marks
from mesh.state.lease_holder import HOLDER, NAMESPACE, SILENT_SECONDS, Holder, holder_of, locked, name_of
from mesh.world import Clock, Kube, Object, trace
from mesh.world.kube.errors import AlreadyExists, Conflict, Forbidden, Missing, Unreachable
from mesh.world.resources import LEASE

MANAGER = "mesh/lease"
BEAT_SECONDS = 10.0
FAILURES = 3
"""Renewals in a row that may fail; after that no step begins in that cluster."""
HURRY_SECONDS = 3.0
"""The deadline of one renewal: the thread that renews also records results."""
TRIES = 3


@dataclass(slots=True)
class HeldLease:
    """A lease of this run: the object as last written, when it was last renewed, and why it is lost."""

    kube: Kube
    obj: Object
    beaten: float
    failures: int = 0
    lost: str = ""


@dataclass(slots=True)
class HeldLeases:
    """The leases of one run. Only `lost` may be called by another thread than the caller's."""

    clock: Clock | None = None
    claims: dict[str, HeldLease] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def lost(self, cluster: str) -> str:
        """Return why no step may begin in a cluster any more; "" if it may."""
        # Checked before each step. A step under way is not stopped: it has compared the live object with
        # the plan just before, and a change cut short is worse than one that is finished and recorded.
        claim = self.claims.get(cluster)
        return claim.lost if claim else self.denied.get(cluster, "")

    def beat(self) -> None:
        """Renew the lease that was renewed longest ago, if it is due: at most one request per call."""
        alive = [claim for claim in self.claims.values() if not claim.lost]
        if not alive or self.clock is None:
            return
        now = self.clock.monotonic()
        claim = min(alive, key=lambda each: each.beaten)
        if now - claim.beaten >= BEAT_SECONDS:
            # Set before the request: a cluster that does not answer must not starve the others' renewals.
            claim.beaten = now
            _renew(claim, self.clock.now())

    def release(self) -> None:
        """Delete every lease; one that cannot be deleted is replaced by the next run of this folder."""
        for claim in self.claims.values():
            with suppress(KubeError):
                # By uid: if it was unlocked and created by another run meanwhile, that run keeps it.
                claim.kube.delete(
                    LEASE, NAMESPACE, claim.obj["metadata"]["name"], uid=claim.obj["metadata"]["uid"]
                )
                _traced("released", claim)
        self.claims.clear()


@dataclass(frozen=True, slots=True)
class Leases:
    """What a run takes leases with: the mesh, the holder to name, the clock, the clusters."""

    mesh: str
    holder: Holder
    clock: Clock
    kubes: Mapping[str, Kube]

    @contextmanager
    def hold(self, run: str, clusters: Mapping[str, str]) -> Iterator[HeldLeases]:
        """Hold the leases of all clusters (name: uid) or of none; raise LockedError, naming the holder.

        A cluster in which this identity may not create leases is not locked, with a warning; in one that
        does not answer no step begins.
        """
        # Every run takes them in the order of uids, which does not depend on names in a file. Of two runs
        # that start together one gets the first lease and then meets no other; in different orders each
        # could hold one and refuse the other, and neither would run.
        held = HeldLeases(self.clock)
        try:
            for name in sorted(clusters, key=lambda each: clusters[each]):
                self._claim(held, name, run)
            yield held
        finally:
            held.release()

    def _claim(self, held: HeldLeases, cluster: str, run: str) -> None:
        kube = self.kubes[cluster]
        try:
            obj = _take(kube, self._lease(run), self.holder)
        except Unreachable as error:
            held.denied[cluster] = error.message
        except KubeError as error:
            may_not = isinstance(error, Forbidden | Missing)
            why = "this identity may not create leases there" if may_not else error.message
            held.warnings.append(
                f"cluster {cluster} is not locked against runs of other people: {why} ({NAMESPACE})"
            )
        else:
            claim = HeldLease(kube.within(HURRY_SECONDS), obj, self.clock.monotonic())
            held.claims[cluster] = claim
            _traced("acquired", claim)

    def _lease(self, run: str) -> Object:
        now = _micro(self.clock.now())
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": {
                "name": name_of(self.mesh),
                "namespace": NAMESPACE,
                "labels": marks(self.mesh),
                "annotations": {HOLDER: self.holder.to_text()},
            },
            "spec": {
                "holderIdentity": run,
                "leaseDurationSeconds": SILENT_SECONDS,
                "acquireTime": now,
                "renewTime": now,
            },
        }


def _take(kube: Kube, lease: Object, us: Holder) -> Object:
    """Create the lease, in place of a dead one of this folder; raise LockedError if another run holds it."""
    for _ in range(TRIES):
        try:
            return kube.create(lease, manager=MANAGER)
        except (AlreadyExists, Unreachable) as error:
            if isinstance(error, Unreachable) and not error.sent:
                raise
        # 409, or a POST with its answer lost: only a read tells which run the lease belongs to.
        found = kube.get(LEASE, NAMESPACE, lease["metadata"]["name"])
        if found is None:
            continue
        if found["spec"].get("holderIdentity") == lease["spec"]["holderIdentity"]:
            return found  # created by this run: its id is random, and no other run can have written it
        holder = holder_of(found)
        if holder is None or not holder.is_at(us):
            raise locked(kube, found)
        # The uid makes the deletion safe: should another run replace the dead lease first, the server
        # answers Conflict, and the loop finds that run's lease.
        with suppress(Conflict):
            kube.delete(LEASE, NAMESPACE, found["metadata"]["name"], uid=found["metadata"]["uid"])
    raise LockedError(f"other runs are locking cluster {kube.cluster}", hint="run the command again")


def _renew(claim: HeldLease, now: datetime) -> None:
    obj = {**claim.obj, "spec": {**claim.obj["spec"], "renewTime": _micro(now)}}
    try:
        # PUT with the resourceVersion last seen: it cannot overwrite a lease that another run created.
        claim.obj = claim.kube.replace(obj, manager=MANAGER)
        claim.failures = 0
        _traced("renewed", claim)
    except (Conflict, Missing):
        _look_again(claim)
    except KubeError as error:
        _failed(claim, error)


def _look_again(claim: HeldLease) -> None:
    """Find out whether a lease that has changed still belongs to this run."""
    meta = claim.obj["metadata"]
    try:
        found = claim.kube.get(LEASE, NAMESPACE, meta["name"])
    except KubeError as error:
        _failed(claim, error)
        return
    if found is None or found["metadata"]["uid"] != meta["uid"]:
        holder = f"{holder_of(found) or 'another program'} holds it now" if found else "it was deleted"
        claim.lost = f"the lease of cluster {claim.kube.cluster} was taken from this run: {holder}"
        _traced("lost", claim)
    else:
        # The same uid: the write that was answered with an error had worked, or a program added a field.
        claim.obj = found


def _failed(claim: HeldLease, error: KubeError) -> None:
    claim.failures += 1
    if claim.failures >= FAILURES:
        claim.lost = f"the lease of cluster {claim.kube.cluster} could not be renewed: {error.message}"
        _traced("lost", claim)


def _traced(what: str, claim: HeldLease) -> None:
    trace.event(
        trace.STATE,
        f"lease_{what}",
        cluster=claim.kube.cluster,
        name=claim.obj["metadata"]["name"],
        uid=claim.obj["metadata"].get("uid"),
        why=claim.lost,
    )


def _micro(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
