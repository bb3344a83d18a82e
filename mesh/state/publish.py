"""Where a run is recorded: the lockfile, the clusters' slices of it, the end of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mesh.errors import KubeError, MeshError, StalePlanError
from mesh.istio.addresses import namespace_key
from mesh.model import Key
from mesh.state import slices
from mesh.state.history import PastRun
from mesh.state.journal import Journal
from mesh.state.lockfile import State
from mesh.state.store import Store
from mesh.walk import fan
from mesh.world import World

WRITERS = 16
"""Clusters whose slices are written at a time."""

SECONDS = 5.0
"""How long one slice may take: a run that is stopped must end soon."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes the state of a run to the lockfile and to the clusters that answered."""

    store: Store
    world: World
    answered: frozenset[str]

    def refuse_stale(self, planned: State) -> None:
        """Raise StalePlanError if a cluster's slice is not what the plan was made upon any more."""
        names = sorted(self.answered & planned.clusters.keys())
        held = fan(lambda name: _read(planned, name, self.world), names, WRITERS)
        for name, found in held.items():
            if found and (found.lineage != planned.lineage or _is_beside(found, planned)):
                raise StalePlanError(
                    f"somebody applied this mesh since the plan was made: cluster {name} is at serial "
                    f"{found.serial}, the plan was made at serial {planned.serial}",
                    hint="plan again",
                )

    def close(self, state: State, journal: Journal, past: PastRun | None = None) -> tuple[str, ...]:
        """Write the final lock, the slices and their history, then close the journal; say what went wrong."""
        used = {key.cluster for key in state.entries}
        final = replace(state, clusters={name: who for name, who in state.clusters.items() if name in used})
        said = fan(
            lambda name: self.share(state, name, past), sorted(self.answered & state.clusters.keys()), WRITERS
        )
        if final != state:
            self.store.write(final)
        journal.end()
        return tuple(text for text in said.values() if text)

    def share(self, state: State, cluster: str, past: PastRun | None = None) -> str:
        """Write one cluster's slice. One that cannot be written is stale, not lost: say so."""
        try:
            slices.write(state, cluster, self.world.kube(cluster).within(SECONDS), past)
        except KubeError as error:
            return f"cluster {cluster} has no copy of this state, or an old one: {error.message}"
        return ""


def is_settled(store: Store, state: State, recorded: State, held: Mapping[str, State | None]) -> bool:
    """Whether a run without steps has nothing to record either, here or in the clusters."""
    return state == recorded and not store.interrupted and not slices.behind(state, held)


def home(state: State, key: Key) -> bool:
    """Whether a resource is the namespace in which its cluster keeps its slice."""
    identity = state.clusters.get(key.cluster)
    return identity is not None and key == namespace_key(key.cluster, identity.namespace)


def _read(state: State, cluster: str, world: World) -> State | None:
    try:
        return slices.read_now(state, cluster, world.kube(cluster).within(SECONDS))
    except MeshError:
        return None  # its steps will fail by themselves, or find it mended


def _is_beside(found: State, planned: State) -> bool:
    return found.serial > planned.serial or (found.serial == planned.serial and found.run != planned.run)
