"""Objects that carry the mesh's mark and are in no state: an earlier destroy kept and forgot them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from mesh.model import NO_CLUSTER, Unread
from mesh.sdk.contract import Last, Provider
from mesh.state.lockfile import Entry, State
from mesh.world.guarded import guarded
from mesh.world.snapshot import Snapshot


def with_orphans(state: State, kinds: Iterable[Provider[Any]], snapshots: Mapping[str, Snapshot]) -> State:
    """Return the state with an entry for every object of these kinds that carries the mesh's mark."""
    for kind in kinds:
        for name, snapshot in sorted(snapshots.items()):
            if name == NO_CLUSTER:
                continue
            what = f"cluster {name}: what carries the mesh's mark"
            owned = guarded(what, partial(kind.owned, state.mesh, snapshot))
            if isinstance(owned, Unread):
                continue  # an object that cannot be read is not removed either
            for key, place in owned.items():
                if key not in state.entries:
                    state = state.with_entry(key, Entry(Last(place)))
    return state
