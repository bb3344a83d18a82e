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

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from mesh.errors import KubeError, LockedError
from mesh.sdk.managed_fields import marks
from mesh.state.held_leases import (
    HURRY_SECONDS,
    MANAGER,
    HeldLease,
    HeldLeases,
    Say,
    give_back,
    micro,
    never,
    traced,
    unsaid,
)
from mesh.state.lease_holder import (
    HOLDER,
    NAMESPACE,
    SILENT_SECONDS,
    Holder,
    holder_of,
    locked,
    name_of,
    unlock_command,
)
from mesh.state.retries import WAITS, is_passing, repeated
from mesh.world import Clock, Kube, Object
from mesh.world.kube.errors import AlreadyExists, Conflict, Forbidden, Unreachable, WebhookDenied
from mesh.world.resources import LEASE


@dataclass(frozen=True, slots=True)
class Leases:
    """What a run takes leases with: the mesh, the holder to name, the clock, the clusters.

    `say` gets the warnings when they arise, and `stopping` tells whether the run was asked to stop. `stale`
    are the clusters in which a dead run of this folder left its lease.
    """

    mesh: str
    holder: Holder
    clock: Clock
    kubes: Mapping[str, Kube]
    say: Say = unsaid
    stopping: Callable[[], bool] = never
    stale: frozenset[str] = frozenset()

    @contextmanager
    def hold(self, run: str, clusters: Mapping[str, str]) -> Iterator[HeldLeases]:
        """Hold the leases of all clusters (name: uid) or of none; raise LockedError, naming the holder.

        A cluster in which this identity is not allowed to create leases is not locked, with a warning. In one
        that cannot be locked for another reason no step begins; KubeError if there is no other cluster.
        """
        # Every run takes them in the order of uids, which does not depend on names in a file. Of two runs
        # that start together one gets the first lease and then meets no other; in different orders each
        # could hold one and refuse the other, and neither would run.
        held = HeldLeases(self.clock, say=self.say, stopping=self.stopping)
        try:
            for name in sorted(clusters, key=lambda each: clusters[each]):
                self._claim(held, name, run)
            if clusters and clusters.keys() <= held.denied.keys():
                raise KubeError("; ".join(held.denied.values()), hint="nothing was changed; run it again")
            for why in held.denied.values():
                held.warn(why)
            yield held
        finally:
            self._look_for_doubtful(held, run)
            held.release()

    def clear(self) -> None:
        """Delete what dead runs of this folder left: for a run that has nothing to do and takes no lease."""
        for cluster in sorted(self.stale):
            kube = self.kubes[cluster]
            try:
                found = repeated(lambda: _read(kube, name_of(self.mesh)), self.clock)  # noqa: B023  # called here
                holder = holder_of(found) if found else None
                left = found if holder and holder.is_at(self.holder) else None
                why = give_back(kube, left, self.clock) if left else ""
            except KubeError as error:
                why = f"the lease that a killed run left in cluster {cluster} stays: {error.message}"
            if why:
                self.say(why)

    def _claim(self, held: HeldLeases, cluster: str, run: str) -> None:
        kube = self.kubes[cluster]
        lease = self._lease(run)
        try:
            obj = self._take(kube, lease)
        except KubeError as error:
            if _is_denied(error):
                held.warn(
                    f"cluster {cluster} is not locked against runs of other people: this identity may not "
                    f"create leases there ({NAMESPACE})"
                )
                return
            if not _is_unsent(error):
                held.doubtful[cluster] = lease
            held.denied[cluster] = (
                f"cluster {cluster} could not be locked, so nothing is changed in it: {error.message}"
            )
        else:
            claim = HeldLease(kube.within(HURRY_SECONDS), kube, obj, self.clock.monotonic())
            held.claims[cluster] = claim
            traced("acquired", claim)

    def _take(self, kube: Kube, lease: Object) -> Object:
        """Create the lease, in place of a dead one of this folder; raise LockedError if another run holds it.

        Raises KubeError if it is unknown which run holds it.
        """
        unsure: KubeError | None = None
        for pause in (*WAITS, 0.0):
            failed: KubeError | None = None
            try:
                return kube.create(lease, manager=MANAGER)
            except AlreadyExists:
                pass
            except KubeError as error:
                # Any answer that does not prove that nothing was done: a lost one, or a 5xx of a proxy.
                if not is_passing(error) or _is_unsent(error):
                    raise
                unsure = failed = error
            # Only a read tells which run the lease belongs to.
            try:
                found = self._found(kube, lease["metadata"]["name"])
            except KubeError as error:
                # A creation may have worked: of the two errors, only its own says so.
                raise unsure or error from None
            if found is not None:
                if found["spec"].get("holderIdentity") == lease["spec"]["holderIdentity"]:
                    return found  # created by this run: its id is random, no other run can have written it
                self._remove_dead(kube, found)
            elif failed is not None and not pause:
                raise failed
            else:
                self.clock.sleep(pause)
        raise LockedError(f"other runs are locking cluster {kube.cluster}", hint="run the command again")

    def _found(self, kube: Kube, name: str) -> Object | None:
        return repeated(lambda: _read(kube.within(HURRY_SECONDS), name), self.clock)

    def _remove_dead(self, kube: Kube, found: Object) -> None:
        """Delete a lease that a dead run of this folder left; raise LockedError for any other."""
        holder = holder_of(found)
        if holder is None or not holder.is_at(self.holder):
            raise locked(kube, found)
        # The uid makes the deletion safe: should another run replace the dead lease first, the server
        # answers Conflict, and the caller finds that run's lease.
        with suppress(Conflict):
            kube.delete(LEASE, NAMESPACE, found["metadata"]["name"], uid=found["metadata"]["uid"])

    def _look_for_doubtful(self, held: HeldLeases, run: str) -> None:
        """Count a lease whose creation was answered by an error among those to give back, if it exists."""
        for cluster, lease in held.doubtful.items():
            kube = self.kubes[cluster]
            try:
                found = _read(kube.within(HURRY_SECONDS), lease["metadata"]["name"])
            except KubeError as error:
                held.warn(
                    f"cluster {cluster} may hold a lease of this run, which cannot be read: if runs from "
                    f"other folders are refused, run `{unlock_command(kube, run)}`: {error.message}"
                )
                continue
            if found and found["spec"].get("holderIdentity") == run:
                held.claims[cluster] = HeldLease(kube, kube, found, self.clock.monotonic())

    def _lease(self, run: str) -> Object:
        now = micro(self.clock.now())
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


def _read(kube: Kube, name: str) -> Object | None:
    return kube.get(LEASE, NAMESPACE, name)


def _is_unsent(error: KubeError) -> bool:
    """Whether the request never reached the server."""
    return isinstance(error, Unreachable) and not error.sent


def _is_denied(error: KubeError) -> bool:
    """Whether the answer says that this identity is not allowed to, and not that something is broken."""
    return isinstance(error, Forbidden) or (
        isinstance(error, WebhookDenied) and "failed calling" not in error.message
    )
