"""The base of the kinds that are one Kubernetes object, written by server-side apply.

The attrs are the object's labels, annotations and spec, at the paths that they have in the object, so that
managedFields and the diff use the same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from mesh.errors import KubeError
from mesh.model import Action, Attrs, Found, Key, Live, Place, Resource, Touch, Unread
from mesh.model.diff import digest
from mesh.model.merge import merge
from mesh.model.refs import unknowns_in
from mesh.model.spec import Mesh
from mesh.sdk.capabilities import Permitted, Scripted, Shown, Traced
from mesh.sdk.contract import AT_APPLY, Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.kubectl import kubectl_apply
from mesh.sdk.managed_fields import ADDRESS_ANNOTATION, is_going, marks, owner_of, touches, writers
from mesh.sdk.rights import READ, Right, applied, rights
from mesh.sdk.script import Commands
from mesh.world import Object, World
from mesh.world.guarded import guarded
from mesh.world.kube.errors import Conflict, Forbidden, Missing
from mesh.world.resources import ResourceType
from mesh.world.snapshot import Snapshot

HANDS = ("kubectl", "mesh/")
"""Field managers that are a person with kubectl, or mesh: what they changed is drift."""

SECTIONS = ("spec",)
META = ("labels", "annotations")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole desired object; `body` may hold refs."""

    mesh: str
    body: Mapping[str, Any]


class ManifestProvider(Provider[Manifest], Traced, Permitted, Shown[Manifest], Scripted[Manifest]):
    """A resource that is one object of the API resource `resource`."""

    resource: ClassVar[ResourceType]

    def wanted(self, spec: Manifest, live: Found, last: Last | None) -> Attrs:
        """Return the labels, annotations and spec of the file over those that other owners set."""
        ours = attrs_of(spec.body)
        # Only the paths that mesh alone has set can be removed again: a path that had a value before mesh set
        # it stays when mesh no longer wants it, because its first owner still does.
        return merge(ours, live.attrs, last.ours if last else ()) if isinstance(live, Live) else ours

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the whole collection once, and find each resource in it."""
        return find(places, lambda: snapshot.list(self.resource), self._live)

    def _live(self, _key: Key, obj: Object) -> Live:
        attrs = attrs_of(obj)
        return Live(
            attrs=attrs,
            uid=obj["metadata"]["uid"],
            token=token(obj, attrs),
            outputs=self.outputs(obj),
            status=obj.get("status", {}) | {"generation": obj["metadata"].get("generation", 0)},
            touches=touches(obj, manager="mesh/"),
            owner=owner_of(obj),
            going=is_going(obj),
        )

    def outputs(self, obj: Object) -> Mapping[str, Any]:
        """Return the values that other resources can refer to."""
        del obj
        return {}

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return every object with the mesh's label and an address of this kind."""
        found: dict[Key, Place] = {}
        for obj in snapshot.list(self.resource):
            address = obj["metadata"].get("annotations", {}).get(ADDRESS_ANNOTATION, "")
            if owner_of(obj) == mesh and address.startswith(f"{self.kind}/"):
                found[Key.parse(address)] = place_of(obj)
        return found

    def preview(self, spec: Manifest, key: Key, live: Live | None, world: World) -> Preview:
        """Dry-run the write; report the fields that it takes from another field manager."""
        if next(unknowns_in(spec.body), None):
            return Preview(notes=(f"{AT_APPLY}, when its values are known",))
        body = stamped(spec, key, live)
        return dry_run(
            lambda force: world.kube(key.cluster).apply(body, manager=self.manager, force=force, dry_run=True)
        )

    def commands(self, resource: Resource[Manifest], mesh: Mesh) -> Commands:
        """Apply the object without labels of mesh: mesh does not manage what the script creates."""
        return Commands(kubectl_apply(mesh.cluster(resource.key.cluster), resource.spec.body))

    def documents(self, spec: Manifest, key: Key, world: World | None) -> Iterable[Document]:
        """Return the object."""
        del world
        return (Document(stamped(spec, key, None)),)

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights to apply or delete the object."""
        del key
        return applied(self.resource, action, place.namespace)

    def reads(self, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights to read the whole collection, which `observe` does in one LIST."""
        del key, place
        return rights(self.resource, READ)

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Return what the object's managedFields say."""
        return written_in(self.resource, key, live.place or place, world)

    @property
    def manager(self) -> str:
        """The field manager of every write of this kind."""
        return f"mesh/{self.kind}"

    def create(self, spec: Manifest, key: Key, world: World) -> None:
        """Apply it; a conflict is an error, since it did not exist at the plan."""
        world.kube(key.cluster).apply(stamped(spec, key, None), manager=self.manager)

    def update(self, spec: Manifest, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Apply it by force: the plan named every field that this takes."""
        del last
        world.kube(key.cluster).apply(stamped(spec, key, live), manager=self.manager, force=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete the very object that was read."""
        del last
        # The uid is the precondition: an object of this name that another owner created since the read stays.
        world.kube(key.cluster).delete(self.resource, place.namespace, place.name, uid=live.uid)
        return ()


def nothing_known(_key: Key, error: Forbidden) -> Unread:
    """Return that nothing is known of an object that this identity may not read."""
    return Unread(error.message)


def find(
    places: Mapping[Key, Place],
    read: Callable[[], list[Object]],
    live: Callable[[Key, Object], Found],
    hidden: Callable[[Key, Forbidden], Unread] = nothing_known,
) -> dict[Key, Found]:
    """Look each place up in a collection; every key is `Unread` if it cannot be read.

    `hidden` returns what is known of an object that this identity may not read.
    """
    try:
        objects = {place_of(obj): obj for obj in read()}
    except Forbidden as error:
        return {key: hidden(key, error) for key in places}
    except KubeError as error:
        return dict.fromkeys(places, Unread(error.message))
    found: dict[Key, Found] = {}
    for key, place in places.items():
        obj = objects.get(Place(place.namespace, place.name))
        what = f"cluster {key.cluster}: {key.kind} {place.namespace}/{place.name}"
        found[key] = guarded(what, partial(live, key, obj)) if obj else None
    return found


def written_in(resource: ResourceType, key: Key, place: Place, world: World) -> tuple[Touch, ...]:
    """Read the managedFields of one object; () if it was deleted meanwhile."""
    obj = world.kube(key.cluster).get(resource, place.namespace, place.name)
    return writers(obj) if obj else ()


def place_of(obj: Object) -> Place:
    """Return the place of an object."""
    return Place(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def attrs_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an object that a person writes: labels, annotations, spec; no marks."""
    meta = obj.get("metadata", {})
    attrs: dict[str, Any] = {}
    kept = {name: _unmarked(meta[name]) for name in META if meta.get(name)}
    if kept := {name: value for name, value in kept.items() if value}:
        attrs["metadata"] = kept
    return attrs | {name: obj[name] for name in SECTIONS if name in obj}


def _unmarked(values: Mapping[str, Any]) -> dict[str, Any]:
    ours = {*marks(""), ADDRESS_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration"}
    return {key: value for key, value in values.items() if key not in ours}


def token(obj: Object, attrs: Attrs) -> str:
    """Return uid and digest of the attrs: a text that changes if and only if the object does."""
    return f"{obj['metadata']['uid']}:{digest(attrs)}"


def stamped(spec: Manifest, key: Key, live: Live | None) -> Object:
    """Return the object with mesh's marks, and with the uid of the live object if there is one."""
    body = dict(spec.body)
    meta = dict(body["metadata"])
    meta["labels"] = {**meta.get("labels", {}), **marks(spec.mesh)}
    meta["annotations"] = {**meta.get("annotations", {}), ADDRESS_ANNOTATION: str(key)}
    if live:
        # With the uid, the API server answers 409 if the object was deleted and created again since the
        # read; without it, a forced apply would take over the new object.
        meta["uid"] = live.uid
    body["metadata"] = meta
    return body


def dry_run(apply: Callable[[bool], object]) -> Preview:
    """Dry-run a write; return the fields that it takes by force, and those that another manager holds."""
    try:
        # Not forced: a conflict lists each field with its manager, a forced dry run lists neither.
        apply(False)
    except Conflict as conflict:
        taken = tuple(f"takes {path} from {manager}" for manager, path, _ in conflict.causes)
        held = [
            f"{path} is held by {manager}"
            for manager, path, _ in conflict.causes
            if not manager.startswith(HANDS)
        ]
        return Preview(notes=taken, held=tuple(held))
    except Forbidden as error:
        return Preview(notes=(f"not checked by the API server: {error.message}",))
    except Missing:
        return Preview(notes=(f"{AT_APPLY}, when its namespace and type exist",))
    return Preview()
