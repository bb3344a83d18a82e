"""What a destroy leaves in the clusters that is not ours to remove, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model import NO_CLUSTER
from mesh.sdk.contract import Last, Provider
from mesh.state.lockfile import Entry, State
from mesh.world import Snapshot


def with_ours(state: State, kind: Provider[Any], snapshots: Mapping[str, Snapshot]) -> State:
    """Add what carries our mark and is not recorded any more: an earlier destroy kept and forgot it."""
    for name, snapshot in sorted(snapshots.items()):
        try:
            owned = kind.owned(state.mesh, snapshot) if name != NO_CLUSTER else {}
        except KubeError:
            continue  # what cannot be read is not removed either
        for key, place in owned.items():
            if key not in state.entries:
                state = state.with_entry(key, Entry(Last(place)))
    return state
