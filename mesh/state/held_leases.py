"""The leases that a run holds: renewed while it works, given back when it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from mesh.errors import KubeError
from mesh.model import NO_CLUSTER
from mesh.state.lease_holder import NAMESPACE, holder_of, unlock_command
from mesh.state.retries import BUDGET, repeated
from mesh.walk import fan
from mesh.world import Clock, Kube, Object, trace
from mesh.world.kube.errors import Conflict, Missing
from mesh.world.resources import LEASE

MANAGER = "mesh/lease"
BEAT_SECONDS = 10.0
FAILURES = 3
"""Renewals in a row that may fail; after that no step begins in that cluster."""
HURRY_SECONDS = 3.0
"""The deadline of one renewal: the thread that renews also records results."""
BRIEF_SECONDS = 1.0
"""After so long no further attempt to give a lease back begins in a run that was asked to stop."""

Say = Callable[[str], None]


def unsaid(_text: str) -> None:
    """Drop a warning: for callers that read `HeldLeases.warnings`."""


def never() -> bool:
    """For runs that are never asked to stop."""
    return False


@dataclass(slots=True)
class HeldLease:
    """A lease of this run: the object as last written, when it was last renewed, and why it is lost.

    `kube` has one attempt of a few seconds for each request, `server` is the same API server with patience.
    """

    kube: Kube
    server: Kube
    obj: Object
    beaten: float
    failures: int = 0
    lost: str = ""


@dataclass(slots=True)
class HeldLeases:
    """The leases of one run. Only `lost` may be called by another thread than the caller's.

    `denied` are the clusters that could not be locked, `doubtful` those of them in which a lease of this
    run may exist all the same.
    """

    clock: Clock | None = None
    claims: dict[str, HeldLease] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, Object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    say: Say = unsaid
    stopping: Callable[[], bool] = never

    def warn(self, text: str) -> None:
        """Say at once what a person must know before the first write, or after the last one."""
        self.warnings.append(text)
        self.say(text)

    def lost(self, cluster: str) -> str:
        """Return why no step may begin in a cluster any more; "" if it may."""
        # Checked before each step. A step under way is not stopped: it has compared the live object with
        # the plan just before, and a change cut short is worse than one that is finished and recorded.
        if cluster == NO_CLUSTER:
            # What belongs to no cluster, such as the root key, is shared by all: another run could hold just
            # the cluster that this one could not lock, and make a second root.
            return next(iter(self.denied.values()), "")
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
        """Delete every lease, and warn of one that cannot be deleted: others wait for it."""
        # In parallel: a server that hangs must not use up the seconds that a stopped run has.
        claims = self.claims
        for why in fan(lambda name: self._give_back(claims[name]), sorted(claims)).values():
            if why:
                self.warn(why)
        claims.clear()

    def _give_back(self, claim: HeldLease) -> str:
        why = give_back(claim.server, claim.obj, self._clock(), brief=self.stopping())
        if not why:
            traced("released", claim)
        return why

    def _clock(self) -> Clock:
        assert self.clock is not None, "leases are only held with a clock"
        return self.clock


def give_back(kube: Kube, lease: Object, clock: Clock, *, brief: bool = False) -> str:
    """Delete a lease by its uid; return the warning if that fails."""
    # By uid: if it was unlocked and created by another run meanwhile, that run keeps it. So the request may
    # also be repeated after an answer that was lost. Each attempt has connections of its own: a client that
    # has never been answered remembers a failure, and would not try again.
    name, uid = lease["metadata"]["name"], lease["metadata"]["uid"]

    def attempt() -> None:
        with suppress(Conflict):
            kube.within(HURRY_SECONDS).delete(LEASE, NAMESPACE, name, uid=uid)

    try:
        repeated(attempt, clock, budget=BRIEF_SECONDS if brief else BUDGET)
    except KubeError as error:
        command = unlock_command(kube, lease["spec"]["holderIdentity"])
        return (
            f"the lease of cluster {kube.cluster} could not be given back, so runs from other folders are "
            f"refused until you run `{command}`: {error.message}"
        )
    return ""


def _renew(claim: HeldLease, now: datetime) -> None:
    obj = {**claim.obj, "spec": {**claim.obj["spec"], "renewTime": micro(now)}}
    try:
        # PUT with the resourceVersion last seen: it cannot overwrite a lease that another run created.
        claim.obj = claim.kube.replace(obj, manager=MANAGER)
        claim.failures = 0
        traced("renewed", claim)
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
        traced("lost", claim)
    else:
        # The same uid: the write that was answered with an error had worked, or a program added a field.
        claim.obj = found


def _failed(claim: HeldLease, error: KubeError) -> None:
    claim.failures += 1
    if claim.failures >= FAILURES:
        claim.lost = f"the lease of cluster {claim.kube.cluster} could not be renewed: {error.message}"
        traced("lost", claim)


def traced(what: str, claim: HeldLease) -> None:
    """Trace what became of a lease."""
    trace.event(
        trace.STATE,
        f"lease_{what}",
        cluster=claim.kube.cluster,
        name=claim.obj["metadata"]["name"],
        uid=claim.obj["metadata"].get("uid"),
        why=claim.lost,
    )


def micro(time: datetime) -> str:
    """Return a time as Kubernetes writes a MicroTime."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
