"""The contract of a resource kind: what it wants, what is there, how to close the gap.

A kind is one module of `mesh.providers` with one subclass of `Provider`. The pure methods decide;
the effects act through the `World` they are given (`world.kube(key.cluster)`), and each may be
repeated: a crash may run any of them twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from mesh.model import READY, Attrs, Found, Key, Live, ManifestChange, Path, Place, Ready, Reason, Touch
from mesh.world import Snapshot, World

S = TypeVar("S")

OPEN = "open"
"""The status of an entry whose step was begun and not finished: only the cluster knows its fate."""


@dataclass(frozen=True, slots=True)
class Last:
    """What the lockfile remembers of a resource: enough to tell our fields from theirs.

    `fields` maps each dotted path we set to a short digest of the value; `created` says whether
    the object was made by us or found. `theirs` are the paths of `fields` that had a value before we
    first set them: they stay when we let go.
    """

    place: Place
    fields: Mapping[str, str] = field(default_factory=dict)
    created: bool = True
    uid: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    status: str = "ok"
    theirs: frozenset[str] = frozenset()

    @property
    def ours(self) -> frozenset[str]:
        """The paths that are there by us alone."""
        return frozenset(self.fields) - self.theirs


@dataclass(frozen=True, slots=True)
class Preview:
    """What a write would do, told by those who would do it.

    `notes` go under the step. `held` are fields that others hold: the plan refuses unless the user
    takes the object over. `refusals` make it refuse (exit code 5) whatever the user takes. `unknown` is
    why nobody can tell now whether it may be done: the step is deferred.
    """

    notes: tuple[str, ...] = ()
    manifests: tuple[ManifestChange, ...] = ()
    held: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    unknown: str = ""


class Provider(ABC, Generic[S]):
    """A resource kind."""

    kind: ClassVar[str]
    immutable: ClassVar[frozenset[Path]] = frozenset()
    """Fields whose change takes a replacement."""
    moves: ClassVar[frozenset[Path]] = frozenset()
    """Fields whose change may change an output."""
    waits: ClassVar[bool] = True
    """Whether readiness is more than existence, so that an apply waits for it."""
    disruptive: ClassVar[bool] = False
    """Whether an update, replacement or deletion may cut traffic."""

    asks: ClassVar[frozenset[Path]] = frozenset()
    """Fields whose change a person confirms by typing the name of the cluster."""
    gives_back: ClassVar[bool] = False
    """Whether what was taken over can be given back, and need not be deleted or forgotten."""
    stays: ClassVar[str] = "it was there before mesh and stays"
    """Why what was taken over is left, when there is nothing to give back."""
    renewed: ClassVar[Reason] = Reason.EXPIRING
    """The reason of a step that is due although nothing differs."""
    lasting: ClassVar[bool] = False
    """Whether the outputs stay what they are in such a step."""

    def disrupts(self, key: Key) -> bool:  # noqa: ARG002  # most kinds cut traffic always or never
        """Whether an update, replacement or deletion of this very resource may cut traffic."""
        return self.disruptive

    def awaited(self, key: Key) -> str:  # noqa: ARG002  # most kinds make what they want
        """Say what an absent one waits for, where others make it and we only verify it; "" if we make it."""
        return ""

    def seen(self, spec: S, live: Live) -> Attrs:  # noqa: ARG002  # most kinds see the same whatever is wanted
        """Return what is there as `wanted` is compared with it: the spec may know more of it as secret."""
        return live.attrs

    def hidden(self, attrs: Attrs, sensitive: tuple[str, ...]) -> Attrs:  # noqa: ARG002  # for kinds with values
        """Return attrs with what the file calls sensitive masked, for what no spec speaks of any more."""
        return attrs

    def without(self, live: Live, last: Last) -> Attrs:  # noqa: ARG002  # for kinds that give back
        """Return what would be left if everything that we put into it were taken out."""
        return live.attrs

    def give_back(self, key: Key, live: Live, last: Last, world: World) -> None:
        """Take out what we put into it, and leave the rest as it is."""
        raise NotImplementedError(f"{self.kind} gives nothing back")

    def preview_back(self, key: Key, live: Live, last: Last, world: World) -> Preview:  # noqa: ARG002
        """Ask what giving it back would do, before anything is written."""
        return Preview()

    def works(self, live: Live) -> Ready:  # noqa: ARG002  # what has no state of its own works
        """Judge, from what was read, whether what was given back works, whatever was once wanted of it."""
        return READY

    @abstractmethod
    def wanted(self, spec: S, live: Found, last: Last | None) -> Attrs:
        """Return the attrs that should be there; foreign parts of a shared object as they are.

        `spec` is bound: its refs are values or `Unknown`s.
        """

    def due(self, spec: S, live: Live, now: datetime) -> str:  # noqa: ARG002  # a kind without a clock ignores all three
        """Say why the resource must be made anew though nothing differs; "" if it need not."""
        return ""

    def unfinished(self, spec: S, live: Live) -> str:  # noqa: ARG002  # most kinds make all of it or nothing
        """Say why what a cut-short step left must be made again though nothing differs; "" if it need not."""
        return ""

    def refuse(self, spec: S, live: Found, last: Last | None) -> str:  # noqa: ARG002  # most kinds refuse nothing
        """Say why this may not be done at all (a safety rule of the kind); "" if it may."""
        return ""

    def reissues(self, spec: S, live: Live) -> str:  # noqa: ARG002  # most kinds give no identities
        """Say how the identities that it gives change when it is taken over; "" if they do not."""
        return ""

    def refuse_left(self, spec: S, live: Live) -> str:
        """Say why what others made may not be left as it is; "" if the rest works beside it."""
        return self.refuse(spec, live, None)

    def ready(self, spec: S, live: Live) -> Ready:  # noqa: ARG002  # what has no state of its own is ready
        """Judge, from what was read, whether it works."""
        return READY

    @abstractmethod
    def observe(self, places: Mapping[Key, Place], snapshot: Snapshot) -> Mapping[Key, Found]:
        """Read the given resources of one cluster, in bulk; never raise for one of them."""

    def owned(self, mesh: str, snapshot: Snapshot) -> Mapping[Key, Place]:  # noqa: ARG002
        """Find what carries this mesh's mark, recorded or not."""
        return {}

    def preview(self, spec: S, key: Key, live: Live | None, world: World) -> Preview:  # noqa: ARG002
        """Ask those who would carry the write out (a dry run, a rendering); write nothing."""
        return Preview()

    def keeps(self, place: Place, world: World) -> str:  # noqa: ARG002
        """Say why it stays although nobody wants it any more, and where; "" if it is to be deleted."""
        return ""

    def lingers(self, key: Key, live: Live) -> str:  # noqa: ARG002  # most things go by our own word
        """Say what a deletion waits for while the thing is still there."""
        return "it is still being deleted"

    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:  # noqa: ARG002
        """Read who wrote which field, ourselves too; paths are those of the object, or of the attrs."""
        return ()

    def busy(self, key: Key, place: Place, world: World) -> str:  # noqa: ARG002
        """Say who of ours is still at work on it (a child that outlived its parent); "" if nobody."""
        return ""

    def going(self, key: Key, place: Place, world: World) -> str:  # noqa: ARG002
        """Say what must have gone by itself before this is deleted, and has not yet; "" for nothing."""
        return ""

    @abstractmethod
    def create(self, spec: S, key: Key, world: World) -> None:
        """Make it; succeed if an equal one is there already."""

    def update(self, spec: S, key: Key, live: Live, last: Last | None, world: World) -> None:
        """Bring it to the spec; `live` is what was read just before, `last` what is recorded."""
        del live, last
        self.create(spec, key, world)

    @abstractmethod
    def delete(self, key: Key, place: Place, live: Live, last: Last, world: World) -> tuple[str, ...]:
        """Remove what is ours; return remarks on what was left and why. Succeed if it is gone."""


Registry = Mapping[str, "Provider[Any]"]


def registry(providers: Iterable[Provider[Any]]) -> Registry:
    """Index providers by kind."""
    return {provider.kind: provider for provider in providers}
