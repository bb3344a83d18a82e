"""The base of the kinds that are one Secret: found in one LIST a namespace, written by server-side apply.

Attrs hold digests, never values. The locator of the place holds the mesh's name, the salt of the digests.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from mesh.model import Action, Found, Key, Live, Locator, Place, Touch, Unread
from mesh.sdk.capabilities import Permitted, Scripted, Shown, Traced
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.kube_object import dry_run, find, place_of, written_in
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, MESH_LABEL
from mesh.sdk.rights import Right, applied
from mesh.sdk.unreadable import VisibleState, unreadable
from mesh.world import Object, World
from mesh.world.helm.releases import NOT_SUPERSEDED
from mesh.world.kube.errors import Forbidden
from mesh.world.resources import SECRET
from mesh.world.snapshot import Snapshot

S = TypeVar("S")


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
    """Return the place of a Secret of a mesh."""
    return Place(namespace, name, SecretLocator(mesh))


def mesh_of(place: Place) -> str:
    """Return the name of the mesh that a Secret's place holds."""
    return SecretLocator.of(place).mesh


class KubeSecretProvider(Provider[S], Traced, Permitted, Shown[S], Scripted[S]):
    """A resource that is one Secret with the label of its mesh.

    A kind says how to read it (`live`), what is known of it without the right to read it (`visible`), and
    what to send (`sent`).
    """

    @abstractmethod
    def live(self, key: Key, place: Place, obj: Object, snapshot: Snapshot) -> Live:
        """Return what was read of a Secret; its values as digests."""

    @abstractmethod
    def visible(self, key: Key, last: Last, snapshot: Snapshot) -> VisibleState:
        """Return what is known of a Secret that this identity may not read, by its state and its effects."""

    @abstractmethod
    def sent(self, spec: S, key: Key, live: Live | None, world: World) -> Object:
        """Return the Secret as it is written, with the uid of `live` if there is one."""

    @property
    def manager(self) -> str:
        """The field manager of every write of this kind."""
        return f"mesh/{self.kind}"

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Find each Secret in the one LIST of Secrets of its namespace."""

        def hidden(key: Key, error: Forbidden) -> Unread:
            return unreadable(key, error, snapshot, lambda last: self.visible(key, last, snapshot))

        found: dict[Key, Found] = {}
        for namespace in sorted({each.namespace for each in places.values()}):
            here = {key: each for key, each in places.items() if each.namespace == namespace}

            def read(namespace: str = namespace) -> list[Object]:
                return snapshot.list(SECRET, namespace=namespace, labels=NOT_SUPERSEDED)

            found |= find(here, read, lambda key, obj: self.live(key, places[key], obj, snapshot), hidden)
        return found

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return every Secret with the mesh's label and an address of this kind."""
        found: dict[Key, Place] = {}
        for obj in snapshot.list(SECRET, labels=f"{MESH_LABEL}={mesh}", metadata_only=True):
            address = str(obj["metadata"].get("annotations", {}).get(ADDRESS_ANNOTATION, ""))
            if address.startswith(f"{self.kind}/"):
                here = place_of(obj)
                found[Key.parse(address)] = place(mesh, here.namespace, here.name)
        return found

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights to apply or delete the Secret."""
        del key
        return applied(SECRET, action, place.namespace)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Return what the Secret's managedFields say."""
        del live
        return written_in(SECRET, key, place, world)

    def preview(self, spec: S, key: Key, live: Live | None, world: World) -> Preview:
        """Dry-run the write; report the fields that it takes from another field manager."""
        body = self.sent(spec, key, live, world)
        return dry_run(
            lambda force: world.kube(key.cluster).apply(body, manager=self.manager, force=force, dry_run=True)
        )

    def create(self, spec: S, key: Key, world: World) -> None:
        """Apply it; a value that another field manager holds is a conflict."""
        world.kube(key.cluster).apply(self.sent(spec, key, None, world), manager=self.manager)

    def update(self, spec: S, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply it by force to the Secret that was read: the plan named every field that this takes."""
        del last
        body = self.sent(spec, key, live, world)
        world.kube(key.cluster).apply(body, manager=self.manager, force=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the Secret that was read if mesh created it; report it if not."""
        if live.owner != mesh_of(place) and not (last.created and last.uid == live.uid):
            return (f"Secret {place.namespace}/{place.name} was not created by mesh and stays",)
        world.kube(key.cluster).delete(SECRET, place.namespace, place.name, uid=live.uid)
        return ()
