"""Objects that carry the mark of this mesh and are neither in the file nor in the state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from mesh.model import NO_CLUSTER, Key, Place, Unread
from mesh.sdk import ask
from mesh.sdk.contract import Provider, Registry
from mesh.world import World
from mesh.world.guarded import guarded
from mesh.world.snapshot import Snapshot


def strays(
    mesh: str, kinds: Registry, snapshots: Mapping[str, Snapshot], known: Mapping[Key, Place], world: World
) -> tuple[str, ...]:
    """Return a warning for each; only what was read anyway is looked through.

    `known` are the places of what is wanted or recorded. What its kind always keeps is none.
    """
    return tuple(
        f"{key} ({where}) carries the mark of this mesh and is neither in the mesh file nor in the state: "
        "it stays; see check Q20"
        for name, snapshot in sorted(snapshots.items())
        if name != NO_CLUSTER
        for kind in kinds.values()
        for key, where in _unknown(mesh, kind, snapshot.read_before(), known, world)
    )


def _unknown(
    mesh: str, kind: Provider[Any], snapshot: Snapshot, known: Mapping[Key, Place], world: World
) -> Iterator[tuple[Key, str]]:
    what = f"cluster {snapshot.cluster}: what carries the mark of the mesh"
    owned = guarded(what, partial(kind.owned, mesh, snapshot))
    if isinstance(owned, Unread):
        return
    # By place as well: the address on an object is that of its last write, before a renaming.
    places = {
        (key.kind, place.namespace, place.name)
        for key, place in known.items()
        if key.cluster == snapshot.cluster
    }
    for key, place in sorted(owned.items()):
        here = (key.kind, place.namespace, place.name)
        if key not in known and here not in places and not ask.keeps(kind, place, world):
            yield key, f"{place.namespace}/{place.name}".removeprefix("/")
