"""Objects that carry the mesh's mark and are in no state: an earlier destroy kept and forgot them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model import NO_CLUSTER
from mesh.sdk.contract import Last, Provider
from mesh.state.lockfile import Entry, State
from mesh.world.snapshot import Snapshot


def with_orphans(state: State, kinds: Iterable[Provider[Any]], snapshots: Mapping[str, Snapshot]) -> State:
    """Return the state with an entry for every object of these kinds that carries the mesh's mark."""
    for kind in kinds:
        for name, snapshot in sorted(snapshots.items()):
            try:
                owned = kind.owned(state.mesh, snapshot) if name != NO_CLUSTER else {}
            except KubeError:
                continue  # an object that cannot be read is not removed either
            for key, place in owned.items():
                if key not in state.entries:
                    state = state.with_entry(key, Entry(Last(place)))
    return state
