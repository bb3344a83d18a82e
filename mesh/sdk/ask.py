"""One function for each question about a kind that only some kinds answer.

Each returns what the kind says if it has the capability, and the answer of all other kinds if not. No other
module tests which capabilities a kind has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mesh.model import READY, Action, Attrs, Key, Live, Path, Place, Ready, Reason, Resource, Step, Touch
from mesh.model.spec import Mesh
from mesh.sdk.capabilities import (
    Adoptable,
    Busy,
    Confirmed,
    Disruptive,
    Kept,
    Leavable,
    Listable,
    Masked,
    NamedAfterCluster,
    Permitted,
    Renewable,
    Resumable,
    Returnable,
    Scripted,
    Shown,
    Tolerant,
    Traced,
    Verified,
)
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.document import Document, nothing
from mesh.sdk.listing import SpecError
from mesh.sdk.rights import Right
from mesh.sdk.script import Commands, Stage
from mesh.sdk.shell import comment
from mesh.world import World

Kind = Provider[Any]


def is_adoptable(kind: Kind) -> bool:
    """Return whether the mesh file can adopt an existing resource of this kind."""
    return isinstance(kind, Adoptable)


def is_listable(kind: Kind) -> bool:
    """Return whether the mesh file can list resources of this kind."""
    return isinstance(kind, Listable)


def listed(kind: Kind, mesh: str, key: Key, values: Mapping[str, Any]) -> tuple[Place, Any]:
    """Return place and spec of a resource that the mesh file lists; raise SpecError for a mistake."""
    if not isinstance(kind, Listable):
        raise SpecError(f"resources of kind {key.kind} cannot be listed", at=("kind",))
    return kind.listed(mesh, key, values)


def stays(kind: Kind) -> str:
    """Return why an adopted resource is left when it is no longer wanted."""
    return kind.stays if isinstance(kind, Adoptable) else Adoptable.stays


def without(kind: Kind, live: Live, last: Last) -> Attrs:
    """Return the attrs that remain when the resource is given back."""
    return kind.without(live, last) if isinstance(kind, Returnable) else live.attrs


def give_back(kind: Kind, key: Key, live: Live, last: Last, world: World) -> None:
    """Take out of an adopted resource the values that mesh set."""
    if not isinstance(kind, Returnable):
        raise TypeError(f"kind {kind.kind} cannot give a resource back")
    kind.give_back(key, live, last, world)


def preview_back(kind: Kind, key: Key, live: Live, last: Last, world: World) -> Preview:
    """Return what giving the resource back would do."""
    return kind.preview_back(key, live, last, world) if isinstance(kind, Returnable) else Preview()


def works(kind: Kind, live: Live) -> Ready:
    """Return whether a resource that was given back works."""
    return kind.works(live) if isinstance(kind, Returnable) else READY


def refuse_left(kind: Kind, spec: Any, live: Live) -> str:
    """Return why the resource cannot be left to its owner; "" if it can."""
    return kind.refuse_left(spec, live) if isinstance(kind, Leavable) else kind.refuse(spec, live, None)


def due(kind: Kind, spec: Any, live: Live, now: datetime) -> str:
    """Return why the resource needs an update although no field differs; "" if it does not."""
    return kind.due(spec, live, now) if isinstance(kind, Renewable) else ""


def renewed(kind: Kind) -> Reason:
    """Return the reason of a step that is due although no field differs."""
    return kind.renewed if isinstance(kind, Renewable) else Renewable.renewed


def is_lasting(kind: Kind) -> bool:
    """Return whether a step without a differing field leaves the outputs as they are."""
    return isinstance(kind, Renewable) and kind.lasting


def unfinished(kind: Kind, spec: Any, live: Live) -> str:
    """Return why an interrupted step is repeated although no field differs; "" if it need not be."""
    return kind.unfinished(spec, live) if isinstance(kind, Resumable) else ""


def confirmed(kind: Kind) -> frozenset[Path]:
    """Return the fields that a person confirms by typing the name of the cluster."""
    return kind.asks if isinstance(kind, Confirmed) else frozenset()


def reissues(kind: Kind, spec: Any, live: Live) -> str:
    """Return how adopting the resource changes identities; "" if it does not."""
    return kind.reissues(spec, live) if isinstance(kind, Confirmed) else ""


def disrupts(kind: Kind, key: Key) -> bool:
    """Return whether an update, replacement or deletion of the resource can cut traffic."""
    return isinstance(kind, Disruptive) and kind.disrupts(key)


def awaited(kind: Kind, key: Key) -> str:
    """Return what a missing resource waits for if another program makes it; "" if mesh creates it."""
    return kind.awaited(key) if isinstance(kind, Verified) else ""


def lingers(kind: Kind, key: Key, live: Live) -> str:
    """Return what a deletion waits for while the resource still exists."""
    return kind.lingers(key, live) if isinstance(kind, Verified) else "it is still being deleted"


def keeps(kind: Kind, place: Place, world: World) -> str:
    """Return why a resource that is no longer wanted stays; "" if it is deleted."""
    return kind.keeps(place, world) if isinstance(kind, Kept) else ""


def ignored(kind: Kind, spec: Any, live: Live) -> tuple[str, ...]:
    """Return what differs and the mesh file ignores, in words."""
    return tuple(kind.ignored(spec, live)) if isinstance(kind, Tolerant) else ()


def busy(kind: Kind, key: Key, place: Place, world: World) -> str:
    """Return which child process still works on the resource; "" if none does."""
    return kind.busy(key, place, world) if isinstance(kind, Busy) else ""


def going(kind: Kind, key: Key, place: Place, world: World) -> str:
    """Return which objects must disappear before the resource can be deleted; "" if none must."""
    return kind.going(key, place, world) if isinstance(kind, Busy) else ""


def seen(kind: Kind, spec: Any, live: Live) -> Attrs:
    """Return the live attrs as `wanted` is compared with them."""
    return kind.seen(spec, live) if isinstance(kind, Masked) else live.attrs


def hidden(kind: Kind, attrs: Attrs, sensitive: tuple[str, ...]) -> Attrs:
    """Return the attrs of a resource that has no spec, with the sensitive values masked."""
    return kind.hidden(attrs, sensitive) if isinstance(kind, Masked) else attrs


def written(kind: Kind, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
    """Read who wrote which field of the resource."""
    return kind.written(key, place, live, world) if isinstance(kind, Traced) else ()


def renamed(kind: Kind | None, key: Key, old: str, new: str) -> Key:
    """Return the address of a resource after cluster `old` got the name `new`; None is an unknown kind."""
    name = kind.renamed(key.name, old, new) if isinstance(kind, NamedAfterCluster) else key.name
    return Key(key.kind, new if key.cluster == old else key.cluster, name)


def rights(kind: Kind, action: Action, key: Key, place: Place) -> frozenset[Right] | None:
    """Return the rights that an action on the resource needs; None if the kind does not say."""
    return frozenset(kind.rights(action, key, place)) if isinstance(kind, Permitted) else None


def rights_of(kind: Kind, step: Step, place: Place) -> frozenset[Right] | None:
    """Return the rights that a planned step needs; None if the kind does not say."""
    return frozenset(kind.rights_of(step, place)) if isinstance(kind, Permitted) else None


def reads(kind: Kind, key: Key, place: Place) -> frozenset[Right]:
    """Return the rights that reading the resource needs beyond those on the mesh's namespaces."""
    return frozenset(kind.reads(key, place)) if isinstance(kind, Permitted) else frozenset()


def documents(kind: Kind | None, spec: Any, key: Key, world: World | None) -> tuple[Document, ...]:
    """Return what mesh sends for the resource, or that its kind does not say; None is an unknown kind."""
    if isinstance(kind, Shown):
        return tuple(kind.documents(spec, key, world))
    return (nothing(f"kind {key.kind} has no manifest to show"),)


def commands(kind: Kind | None, resource: Resource[Any], mesh: Mesh) -> Commands:
    """Return the commands that create the resource, or a comment that its kind has none."""
    if isinstance(kind, Scripted):
        return kind.commands(resource, mesh)
    return Commands(comment(f"kind {resource.key.kind} has no commands: create this resource yourself"))


def stage(kind: Kind | None) -> Stage:
    """Return where the commands of a kind are in the script."""
    return kind.stage if isinstance(kind, Scripted) else Stage.OBJECTS
