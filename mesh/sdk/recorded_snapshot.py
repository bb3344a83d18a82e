"""A cluster as it was read, beside what the state holds of its resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.model import Key
from mesh.sdk.contract import Last
from mesh.world.snapshot import Snapshot


@dataclass(slots=True)
class RecordedSnapshot(Snapshot):
    """What the engine gives a kind to observe: some kinds must answer for objects they may not read."""

    last: Mapping[Key, Last] = field(default_factory=dict)


def recorded(snapshot: Snapshot, key: Key) -> Last | None:
    """Return what the state holds of a resource; None if nothing, or if there is no state at hand."""
    return all_recorded(snapshot).get(key)


def all_recorded(snapshot: Snapshot) -> Mapping[Key, Last]:
    """Return what the state holds, by key."""
    return snapshot.last if isinstance(snapshot, RecordedSnapshot) else {}
