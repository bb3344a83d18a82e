"""What the kinds whose resource is one Secret have in common: found in one LIST, known again by our marks.

Their locator holds the mesh's name: it is the salt of the digests that stand for values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from mesh.model import Found, Key, Live, Locator, Place, Unread
from mesh.sdk.contract import Last
from mesh.sdk.kube_object import find, place_of
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, MESH_LABEL
from mesh.sdk.unreadable import VisibleState, unreadable
from mesh.world import Object, Snapshot, World
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.kube.errors import Forbidden
from mesh.world.resources import SECRET


@dataclass(frozen=True, slots=True, eq=False)
class SecretLocator(Locator):
    """Says which mesh a Secret belongs to: its name is the salt of the digests of the values."""

    mesh: str

    def recorded(self) -> str:
        """Return the name of the mesh."""
        return self.mesh

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the locator whose text this is."""
        return cls(text)


def place(mesh: str, namespace: str, name: str) -> Place:
    """Where a Secret of a mesh is."""
    return Place(namespace, name, SecretLocator(mesh))


def observe(
    places: Mapping[Key, Place],
    snapshot: Snapshot,
    live: Callable[[Key, Place, Object], Found],
    glimpse: Callable[[Key, Last], VisibleState],
) -> Mapping[Key, Found]:
    """Find each in the one LIST of Secrets of its namespace; `glimpse` is for who may not read them."""

    def hidden(key: Key, error: Forbidden) -> Unread:
        return unreadable(key, error, snapshot, lambda last: glimpse(key, last))

    found: dict[Key, Found] = {}
    for namespace in sorted({each.namespace for each in places.values()}):
        here = {key: each for key, each in places.items() if each.namespace == namespace}

        def read(namespace: str = namespace) -> list[Object]:
            return snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED)

        found |= find(here, read, lambda key, obj: live(key, places[key], obj), hidden)
    return found


def owned(kind: str, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
    """Every Secret with our label whose address is of this kind."""
    found: dict[Key, Place] = {}
    for obj in snapshot.list(SECRET, labels=f"{MESH_LABEL}={mesh}", metadata_only=True):
        address = str(obj["metadata"].get("annotations", {}).get(ADDRESS_ANNOTATION, ""))
        if address.startswith(f"{kind}/"):
            here = place_of(obj)
            found[Key.parse(address)] = place(mesh, here.namespace, here.name)
    return found


def delete(key: Key, where: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
    """Delete the very Secret that was seen if we made it; say so if we did not."""
    if live.owner != SecretLocator.of(where).mesh and not (last.created and last.uid == live.uid):
        return (f"Secret {where.namespace}/{where.name} was not made by mesh and stays",)
    world.kube(key.cluster).delete(SECRET, where.namespace, where.name, uid=live.uid)
    return ()
