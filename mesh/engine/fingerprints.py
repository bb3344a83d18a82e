"""Which clusters have hidden values, the keys of their fingerprints, and which keys are not stored yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mesh.errors import KubeError
from mesh.model import Found, Key, Live, Sensitive, Step
from mesh.model.diff import leaves
from mesh.world.snapshot import Snapshot

Snapshots = Mapping[str, Snapshot]


def keys_for(steps: Iterable[Step], snapshots: Snapshots) -> dict[str, bytes]:
    """Return the key of each cluster in which a step changes a hidden value."""
    return {name: key_of(snapshots[name]) for name in _changed(steps) if name in snapshots}


def key_of(snapshot: Snapshot) -> bytes:
    """Return the key of a cluster, b"" if this identity has none."""
    return snapshot.world.keys.of(snapshot.cluster, snapshot.list)


def unstored(steps: Iterable[Step], found: Mapping[Key, Found], snapshots: Snapshots) -> dict[str, bytes]:
    """Return the keys that a run stores: of clusters that have hidden values and hold no key."""
    hiding = {*_changed(steps), *_holding(found)} & snapshots.keys()
    keys = {name: key_of(snapshots[name]) for name in hiding if not _is_stored(snapshots[name])}
    return {name: key for name, key in keys.items() if key}


def _is_stored(snapshot: Snapshot) -> bool:
    try:
        return bool(snapshot.world.keys.stored(snapshot.cluster, snapshot.list))
    except KubeError:
        return True  # unknown: what cannot be read is not written either


def _changed(steps: Iterable[Step]) -> set[str]:
    return {
        step.key.cluster
        for step in steps
        if any(_hides(side) for field in step.fields for side in (field.before, field.after))
    }


def _holding(found: Mapping[Key, Found]) -> Iterator[str]:
    for key, live in found.items():
        if isinstance(live, Live) and _hides(live.attrs):
            yield key.cluster


def _hides(value: Any) -> bool:
    return any(isinstance(leaf, Sensitive) for _, leaf in leaves(value))
