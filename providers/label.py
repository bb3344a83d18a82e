"""Kind `label`: labels on a namespace that mesh does not own (`topology.istio.io/network`).

It never creates or deletes the namespace. Applying a label to a missing namespace would create one, so
each write carries the uid of the namespace that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from mesh.errors import KubeError
from mesh.model import READY, Action, Attrs, Found, Key, Live, Locator, Place, Ready, Resource, Touch, not_yet
from mesh.model.spec import Mesh
from mesh.sdk.capabilities import Permitted, Scripted, Shown, Traced
from mesh.sdk.contract import AT_APPLY, Last, Preview, Provider
from mesh.sdk.document import Document
from mesh.sdk.kube_object import dry_run, find, token, written_in
from mesh.sdk.kubectl import kubectl
from mesh.sdk.managed_fields import is_going, touches
from mesh.sdk.rights import Right, rights
from mesh.sdk.script import Commands
from mesh.world import Object, World
from mesh.world.resources import NAMESPACE
from mesh.world.snapshot import Snapshot

MANAGER = "mesh/label"


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """Labels that a namespace must carry."""

    mesh: str
    namespace: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class LabelLocator(Locator):
    """Says which label of a namespace the resource is."""

    label: str

    def recorded(self) -> str:
        """Return the label's key."""
        return self.label

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the locator whose text this is."""
        return cls(text)


class LabelProvider(Provider[LabelSpec], Traced, Permitted, Shown[LabelSpec], Scripted[LabelSpec]):
    """One set of labels on one namespace."""

    kind = "label"
    waits = False

    def wanted(self, spec: LabelSpec, live: Found, last: Last | None) -> Attrs:
        """Return the labels of the file only."""
        del live, last
        return {"metadata": {"labels": dict(spec.labels)}}

    def ready(self, spec: LabelSpec, live: Live) -> Ready:
        """Whether every label has the value that the mesh file gives it."""
        labels = live.attrs["metadata"]["labels"]
        wrong = [
            f"{name} is {labels.get(name, 'missing')}, not {value}"
            for name, value in sorted(spec.labels.items())
            if labels.get(name) != value
        ]
        return not_yet("; ".join(wrong)) if wrong else READY

    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the namespaces; without the label or the namespace, the resource is missing."""

        def live(key: Key, obj: Object) -> Found:
            labels = obj["metadata"].get("labels", {})
            name = LabelLocator.of(places[key]).label
            if name not in labels:
                return None
            attrs = {"metadata": {"labels": {name: labels[name]}}}
            return Live(
                attrs,
                token(obj, attrs),
                uid=obj["metadata"]["uid"],
                touches=touches(obj, manager=MANAGER),
                owner=_owner(obj, name),
                going=is_going(obj),
            )

        return find(places, lambda: snapshot.list(NAMESPACE), live)

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return every label that mesh set on a namespace, as managedFields say: it has no other mark."""
        del mesh
        return {
            Key(self.kind, snapshot.cluster, obj["metadata"]["name"]): Place(
                "", obj["metadata"]["name"], LabelLocator(label)
            )
            for obj in snapshot.list(NAMESPACE)
            for label in obj["metadata"].get("labels", {})
            if _owner(obj, label) == f"field manager {MANAGER}"
        }

    def commands(self, resource: Resource[LabelSpec], mesh: Mesh) -> Commands:
        """Set the labels."""
        labels = [f"{key}={value}" for key, value in resource.spec.labels.items()]
        cluster, namespace = mesh.cluster(resource.key.cluster), resource.spec.namespace
        return Commands(kubectl(cluster, "label", "--overwrite", "namespace", namespace, *labels) + "\n")

    def documents(self, spec: LabelSpec, key: Key, world: World | None) -> Iterable[Document]:
        """Return the namespace with these labels."""
        del key, world
        meta = {"name": spec.namespace, "labels": dict(spec.labels)}
        return (Document({"apiVersion": "v1", "kind": "Namespace", "metadata": meta}),)

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the right to patch namespaces: a label is set and removed on a namespace that exists."""
        del action, key, place
        return rights(NAMESPACE, ("patch",))

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Return who set the label, not who wrote the rest of the namespace."""
        del live
        path = ("metadata", "labels", LabelLocator.of(place).label)
        return tuple(each for each in written_in(NAMESPACE, key, place, world) if each.path == path)

    def preview(self, spec: LabelSpec, key: Key, live: Live | None, world: World) -> Preview:
        """Dry-run it if the namespace exists."""
        del live
        kube = world.kube(key.cluster)
        found = kube.get(NAMESPACE, "", spec.namespace)
        if found is None:
            return Preview(notes=(f"{AT_APPLY}, when its namespace exists",))
        body = _body(spec.namespace, spec.labels, found["metadata"]["uid"])
        return dry_run(lambda force: kube.apply(body, manager=MANAGER, force=force, dry_run=True))

    def create(self, spec: LabelSpec, key: Key, world: World) -> None:
        """Set the labels on the namespace that exists now."""
        self._apply(spec, key, world)

    def _apply(self, spec: LabelSpec, key: Key, world: World) -> None:
        kube = world.kube(key.cluster)
        found = kube.get(NAMESPACE, "", spec.namespace)
        if found is None:
            raise KubeError(
                f"{key}: namespace {spec.namespace} does not exist",
                hint="a label never creates a namespace; run `mesh plan` again",
            )
        kube.apply(_body(spec.namespace, spec.labels, found["metadata"]["uid"]), manager=MANAGER, force=True)

    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Release the labels: a label that another field manager set too stays."""
        del last
        kube = world.kube(key.cluster)
        left = kube.apply(_body(place.name, {}, live.uid), manager=MANAGER)
        label = LabelLocator.of(place).label
        if label in left["metadata"].get("labels", {}):
            return (f"label {label} stays on namespace {place.name}: another field manager set it too",)
        return ()


def _body(namespace: str, labels: Mapping[str, str], uid: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "uid": uid, "labels": dict(labels)},
    }


def _owner(obj: Object, label: str) -> str:
    """Return the field manager that set the label as its owner."""
    for entry in obj["metadata"].get("managedFields", []):
        if f"f:{label}" in entry.get("fieldsV1", {}).get("f:metadata", {}).get("f:labels", {}):
            return f"field manager {entry['manager']}"
    return ""
