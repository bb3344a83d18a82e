"""Two people, one mesh: a Lease in each cluster says who is writing it now.

A Lease `mesh-<mesh>` in kube-system, which every cluster has and no mesh makes or deletes. Made
before the first write and deleted after the last, its uid is what tells one holding from the next:
nobody ever writes a Lease that somebody else made, so there is no takeover. A lease that a killed
run of this very folder left is deleted and made anew at once: we hold the lock of the folder, so
its holder is dead (docs/reference/state-files.md).
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
"""Renewals in a row that may fail; then nothing more is begun in that cluster."""
HURRY_SECONDS = 3.0
"""The deadline of one renewal: the thread that beats also records results."""
TRIES = 3


@dataclass(slots=True)
class HeldLease:
    """A lease of ours: the object as last written, when it was last renewed, and why it is lost."""

    kube: Kube
    obj: Object
    beaten: float
    failures: int = 0
    lost: str = ""


@dataclass(slots=True)
class HeldLeases:
    """The leases of one run. All but `lost` are called by the caller's thread only."""

    clock: Clock | None = None
    claims: dict[str, HeldLease] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def lost(self, cluster: str) -> str:
        """Say why nothing may be begun in a cluster any more; "" if it may."""
        claim = self.claims.get(cluster)
        return claim.lost if claim else self.denied.get(cluster, "")

    def beat(self) -> None:
        """Renew the lease that waited longest, if its time has come: one request a call at most."""
        alive = [claim for claim in self.claims.values() if not claim.lost]
        if not alive or self.clock is None:
            return
        now = self.clock.monotonic()
        claim = min(alive, key=lambda each: each.beaten)
        if now - claim.beaten >= BEAT_SECONDS:
            claim.beaten = now
            _renew(claim, self.clock.now())

    def release(self) -> None:
        """Give every lease back; one that cannot be deleted is taken back by the next run."""
        for claim in self.claims.values():
            with suppress(KubeError):
                claim.kube.delete(
                    LEASE, NAMESPACE, claim.obj["metadata"]["name"], uid=claim.obj["metadata"]["uid"]
                )
                _traced("released", claim)
        self.claims.clear()


@dataclass(frozen=True, slots=True)
class Leases:
    """How this run takes leases: under which name, for whom, by which clock."""

    mesh: str
    holder: Holder
    clock: Clock
    kubes: Mapping[str, Kube]

    @contextmanager
    def hold(self, run: str, clusters: Mapping[str, str]) -> Iterator[HeldLeases]:
        """Hold the leases of all clusters (name: uid) or of none; raise LockedError naming the other.

        In the order of uids, which is the same for everybody, so that no two wait for each other.
        A cluster in which we may not make leases goes without; one that does not answer is lost.
        """
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
            why = "we may not make leases there" if may_not else error.message
            held.warnings.append(
                f"cluster {cluster} is not locked against other people's runs: {why} ({NAMESPACE})"
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
    """Make the lease, over a dead one of ours if need be; raise LockedError if it is somebody else's."""
    for _ in range(TRIES):
        try:
            return kube.create(lease, manager=MANAGER)
        except (AlreadyExists, Unreachable) as error:
            if isinstance(error, Unreachable) and not error.sent:
                raise
        found = kube.get(LEASE, NAMESPACE, lease["metadata"]["name"])
        if found is None:
            continue
        if found["spec"].get("holderIdentity") == lease["spec"]["holderIdentity"]:
            return found  # made by us, and the answer was lost
        holder = holder_of(found)
        if holder is None or not holder.is_at(us):
            raise locked(kube, found)
        with suppress(Conflict):
            kube.delete(LEASE, NAMESPACE, found["metadata"]["name"], uid=found["metadata"]["uid"])
    raise LockedError(f"cluster {kube.cluster} is being locked by others", hint="run the command again")


def _renew(claim: HeldLease, now: datetime) -> None:
    obj = {**claim.obj, "spec": {**claim.obj["spec"], "renewTime": _micro(now)}}
    try:
        claim.obj = claim.kube.replace(obj, manager=MANAGER)
        claim.failures = 0
        _traced("renewed", claim)
    except (Conflict, Missing):
        _look_again(claim)
    except KubeError as error:
        _failed(claim, error)


def _look_again(claim: HeldLease) -> None:
    """Somebody wrote the lease, or took it away."""
    meta = claim.obj["metadata"]
    try:
        found = claim.kube.get(LEASE, NAMESPACE, meta["name"])
    except KubeError as error:
        _failed(claim, error)
        return
    if found is None or found["metadata"]["uid"] != meta["uid"]:
        whose = f"it is held by {holder_of(found) or 'somebody else'} now" if found else "somebody deleted it"
        claim.lost = f"the lease of cluster {claim.kube.cluster} was taken from this run: {whose}"
        _traced("lost", claim)
    else:
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
