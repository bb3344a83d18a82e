"""Records a run: in the lockfile, in the slices of the clusters, at the end of the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mesh.errors import KubeError, MeshError, StalePlanError
from mesh.istio.addresses import namespace_key
from mesh.model import Key
from mesh.sdk.managed_fields import marks
from mesh.state import slices
from mesh.state.history import PastRun
from mesh.state.journal import Journal
from mesh.state.lockfile import State
from mesh.state.retries import repeated
from mesh.state.store import Store
from mesh.walk import fan
from mesh.world import World, fingerprint_keys
from mesh.world.kube.errors import AlreadyExists
from mesh.world.resources import SECRET

SECONDS = 5.0
"""Deadline of one slice: a run that is stopped must end soon."""
BRIEF = 2.0
"""A server that hangs takes longer than this, and is not asked again."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes the state of a run to the lockfile and to the clusters that answered."""

    store: Store
    world: World
    answered: frozenset[str]
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """The keys of fingerprints that this run stores, by cluster: of those that hold none yet."""

    def refuse_stale(self, planned: State, known: Collection[str]) -> None:
        """Raise StalePlanError if a cluster's slice is no longer the one that the plan was made from.

        Raises KubeError if the slice of one of the `known` clusters, which the plan has read, cannot be
        read again.
        """
        # Called with all leases held: the slices were read before, for the plan, and another run may have
        # come and gone in between. From here on no other run can write, so one look is enough.
        names = sorted(self.answered & planned.clusters.keys())
        held = fan(lambda name: _read(planned, name, self.world), names)
        for name, found in held.items():
            if isinstance(found, MeshError) and name in known:
                raise KubeError(
                    f"it is unknown whether another run applied this mesh after the plan was made: the "
                    f"state in cluster {name} cannot be read again: {found.message}",
                    hint="nothing was changed; run the same command again",
                )
            if isinstance(found, MeshError):
                continue  # the plan knows nothing of it either, and each step reads its own object again
            if found and found.mesh == planned.mesh and _is_beside(found, planned):
                raise StalePlanError(
                    f"another run applied this mesh after the plan was made: cluster {name} is at serial "
                    f"{found.serial}, the plan was made at serial {planned.serial}",
                    hint="plan again",
                )

    def close(self, state: State, journal: Journal, past: PastRun | None = None) -> tuple[str, ...]:
        """Write the final state, the slices and their history, then close the journal; return what failed."""
        # The lockfile already has every result (`Run.after`), so the slices are copies of what is on disk.
        # The journal closes last: a crash before that only makes the next run observe again.
        used = {key.cluster for key in state.entries}
        # A cluster without a uid was never read: what it holds is still to be found.
        kept = {name: who for name, who in state.clusters.items() if name in used or not who.uid}
        said = fan(lambda name: self.share(state, name, past), sorted(self.answered & state.clusters.keys()))
        written = {**state.written, **{name: state.serial for name, text in said.items() if not text}}
        final = replace(
            state,
            clusters=kept,
            written={name: serial for name, serial in written.items() if name in used},
        )
        if final != state:
            self.store.write(final)
        journal.end()
        return tuple(text for text in said.values() if text)

    def share(self, state: State, cluster: str, past: PastRun | None = None) -> str:
        """Write one cluster's slice; return a warning if that failed: the old one is stale, not lost."""
        kube = self.world.kube(cluster)
        try:
            repeated(
                lambda: slices.write(state, cluster, kube.within(SECONDS), past),
                self.world.clock,
                budget=BRIEF,
            )
            self._share_key(state, cluster)
        except KubeError as error:
            return f"cluster {cluster} has no copy of this state, or an old one: {error.message}"
        return ""

    def _share_key(self, state: State, cluster: str) -> None:
        """Store the key of fingerprints in a cluster of the mesh; remove it with the last resource."""
        kube, keys = self.world.kube(cluster).within(SECONDS), self.world.keys
        if all(key.cluster != cluster for key in state.entries):
            kube.delete(SECRET, state.clusters[cluster].namespace, fingerprint_keys.name_of(state.mesh))
        elif key := self.keys.get(cluster):
            # Created, never replaced: the fingerprints of another run would be under the other key.
            with suppress(AlreadyExists):
                kube.create(keys.secret(cluster, key, marks(state.mesh)), manager=slices.MANAGER)


def is_settled(store: Store, state: State, recorded: State, held: Mapping[str, State | None]) -> bool:
    """Whether a run without steps has nothing to record, neither here nor in the clusters."""
    return state == recorded and not store.interrupted and not slices.behind(state, held)


def home(state: State, key: Key) -> bool:
    """Whether a resource is the namespace in which its cluster keeps its slice."""
    identity = state.clusters.get(key.cluster)
    return identity is not None and key == namespace_key(key.cluster, identity.namespace)


def _read(state: State, cluster: str, world: World) -> State | MeshError | None:
    kube = world.kube(cluster)
    try:
        return repeated(lambda: slices.read_now(state, cluster, kube.within(SECONDS)), world.clock)
    except MeshError as error:
        return error


def _is_beside(found: State, planned: State) -> bool:
    """Whether a slice is from a run that the plan does not know: newer, a fork, or of another lineage."""
    if found.lineage != planned.lineage:
        return True
    return found.serial > planned.serial or (found.serial == planned.serial and found.run != planned.run)
