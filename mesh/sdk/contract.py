"""The contract of a resource kind: the desired state, the live object, and how to close the gap.

A kind is one module of `mesh.providers` with one subclass of `Provider`. `Provider` has the nine methods
that every kind answers; what only some kinds can do is in `mesh.sdk.capabilities`, one base class each.

`wanted`, `refuse` and `ready` are pure: they decide on values that were read before. `observe`, `owned` and
`preview` read. `create`, `update` and `delete` write through the `World` they get
(`world.kube(key.cluster)`), and each may run twice: a run that dies is resumed by the next one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from mesh.model import READY, Attrs, Found, Key, Live, ManifestChange, Path, Place, Ready
from mesh.world import World
from mesh.world.snapshot import Snapshot

S = TypeVar("S")

OPEN = "open"
"""The status of an entry whose step began and did not finish: only the cluster knows the result."""

REMOVED = "removed"
"""The status of an entry that a killed run removed: it exists only if its cluster was restored since."""

AT_APPLY = "checked by the API server at apply"
"""How the note of a preview begins that the API server cannot judge yet."""


@dataclass(frozen=True, slots=True)
class Last:
    """The state of one resource: what the last apply wrote.

    `fields` maps each dotted path that mesh set to a short digest of its value. `created` tells whether
    mesh created the object or adopted it.
    """

    place: Place
    fields: Mapping[str, str] = field(default_factory=dict)
    created: bool = True
    uid: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    status: str = "ok"
    theirs: frozenset[str] = frozenset()
    """The paths of `fields` that had a value before mesh first set them: they stay on release."""
    told: bool = False
    """Whether only a cluster's copy of the state says that it was adopted: no run from this folder saw it."""

    @property
    def ours(self) -> frozenset[str]:
        """The paths that only mesh has set."""
        return frozenset(self.fields) - self.theirs


@dataclass(frozen=True, slots=True)
class Preview:
    """What a write would do, according to the API server or helm.

    `notes` are printed under the step. `held` are fields that another field manager holds: the plan refuses
    them unless the user takes the object over. `beyond` is what the chart in a release's own record would add
    to the cluster: the plan refuses it unless the user allows it. `refusals` make the plan refuse (exit code
    5) in any case. `unknown` says why the answer is not known yet: the step is deferred. `sends` are the
    objects that the write makes, by name, with secrets as `Sensitive`; `charts` the digests of the charts
    that they are rendered from. A kind that leaves `sends` empty sends what `Shown` says. `usual` are the
    paths of fields that no person chose: the guide gives them, and a short plan counts them.
    """

    notes: tuple[str, ...] = ()
    manifests: tuple[ManifestChange, ...] = ()
    held: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    unknown: str = ""
    sends: Mapping[str, Any] = field(default_factory=dict)
    charts: Mapping[str, str] = field(default_factory=dict)
    usual: frozenset[Path] = frozenset()


class Provider(ABC, Generic[S]):
    """A resource kind; `S` is the type of its spec."""

    kind: ClassVar[str]
    immutable: ClassVar[frozenset[Path]] = frozenset()
    """Fields that cannot change in place: the resource is replaced."""
    moves: ClassVar[frozenset[Path]] = frozenset()
    """Fields whose change may change an output."""
    rendered: ClassVar[frozenset[Path]] = frozenset()
    """Fields with a desired value that the cluster records (the rendering of a release), not the mesh file:
    a difference was made outside mesh."""
    waits: ClassVar[bool] = True
    """Whether an apply waits until `ready` says so; False for a kind that is ready once it exists."""
    keeps_uid: ClassVar[bool] = True
    """Whether it has one uid for as long as it exists; a Helm release has another one in each revision."""

    @abstractmethod
    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read these resources of one cluster in bulk; report an error as `Unread`, never raise it."""

    @abstractmethod
    def wanted(self, spec: S, live: Found, last: Last | None) -> Attrs:
        """Return the desired attrs; parts of a shared object that mesh does not manage stay as they are.

        `spec` is bound: its refs are values or `Unknown`s.
        """

    def refuse(self, spec: S, live: Found, last: Last | None) -> str:
        """Return why a safety rule of the kind forbids this; "" if nothing does."""
        del spec, live, last
        return ""

    def ready(self, spec: S, live: Live) -> Ready:
        """Return whether it works, judged by what was read."""
        del spec, live
        return READY

    def preview(self, spec: S, key: Key, live: Live | None, world: World) -> Preview:
        """Ask the API server or helm what the write would do (a dry run, a rendering); write nothing."""
        del spec, key, live, world
        return Preview()

    @abstractmethod
    def create(self, spec: S, key: Key, world: World) -> None:
        """Create it; succeed if an equal one already exists."""

    def update(self, spec: S, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Bring it to the spec; `live` was read just before, `last` is its state."""
        del live, last
        self.create(spec, key, world)

    @abstractmethod
    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Delete what mesh created; return what was left and why. Succeed if it is already gone."""

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:
        """Return the resources that carry the label of this mesh, whether or not the state has them."""
        del mesh, snapshot
        return {}


Registry = Mapping[str, "Provider[Any]"]


def registry(providers: Iterable[Provider[Any]]) -> Registry:
    """Index providers by kind."""
    return {provider.kind: provider for provider in providers}
