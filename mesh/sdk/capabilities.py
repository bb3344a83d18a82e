"""What only some kinds can do: one base class each, named by a kind beside `Provider`.

Nothing outside `mesh.sdk.ask` tests for these classes: it has one function for each question, with the
answer for the kinds that do not have the capability.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from mesh.model import Action, Attrs, Found, Key, Live, Path, Place, Ready, Reason, Resource, Step, Touch
from mesh.model.spec import Mesh
from mesh.sdk.contract import Last, Preview, Provider
from mesh.sdk.document import Document, nothing
from mesh.sdk.rights import Right
from mesh.sdk.script import Commands, Stage
from mesh.sdk.shell import comment
from mesh.world import World

S = TypeVar("S")


class Permitted(ABC):
    """It says which RBAC rights its reads and writes need.

    `mesh rbac` and check P04 report the rights of other kinds as unknown.
    """

    @abstractmethod
    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights that this action needs in the resource's cluster."""

    def rights_of(self, step: Step, place: Place) -> Iterable[Right]:
        """Return the rights that a planned step needs, where the step tells more than its action does."""
        return self.rights(step.action, step.key, place)

    def reads(self, key: Key, place: Place) -> Iterable[Right]:
        """Return the rights that `observe` needs in the cluster, beyond those on the mesh's namespaces."""
        del key, place
        return ()


class Adoptable:
    """The mesh file can adopt an existing one (`adopt`); the rest of the mesh depends on what it holds."""

    stays: ClassVar[str] = "it existed before mesh and stays"
    """Why an adopted one is left when it is no longer wanted."""


class Returnable(Adoptable, ABC):
    """An adopted one can be given back: mesh takes its own values out and leaves the rest."""

    @abstractmethod
    def without(self, live: Live, last: Last) -> Attrs:
        """Return the attrs that remain without the values that mesh set."""

    @abstractmethod
    def give_back(self, key: Key, live: Live, last: Last, world: World) -> None:
        """Take out the values that mesh set."""

    @abstractmethod
    def preview_back(self, key: Key, live: Live, last: Last, world: World) -> Preview:
        """Return what giving it back would do; write nothing."""

    @abstractmethod
    def works(self, live: Live) -> Ready:
        """Return whether the one that was given back works, with no spec to compare it to."""


class Listable(ABC, Generic[S]):
    """The mesh file can list resources of this kind (`spec.resources`)."""

    @abstractmethod
    def listed(self, mesh: str, key: Key, values: Mapping[str, Any]) -> tuple[Place, S]:
        """Return place and spec of a listed resource; raise `mesh.sdk.listing.SpecError` for a mistake."""


class Tolerant(ABC, Generic[S]):
    """The mesh file can let others change parts of it (`spec.ignore`)."""

    @abstractmethod
    def ignored(self, spec: S, live: Live) -> Iterable[str]:
        """Return what differs and is ignored, in words for the plan."""


class Shown(ABC, Generic[S]):
    """`mesh show --manifests` prints what it sends."""

    @abstractmethod
    def documents(self, spec: S, key: Key, world: World | None) -> Iterable[Document]:
        """Return what mesh sends for a bound spec.

        `world` is given for a resource that the user selects by name: its kind may then read long sources.
        """


class Scripted(ABC, Generic[S]):
    """`mesh render --commands` prints the commands that create it by hand."""

    stage: ClassVar[Stage] = Stage.OBJECTS
    """Where its commands are in the script."""

    @abstractmethod
    def commands(self, resource: Resource[S], mesh: Mesh) -> Commands:
        """Return the commands that create it, for bash; they succeed if it already exists."""


class Leavable(ABC, Generic[S]):
    """One of another owner can be left to it (`--leave`) under other rules than `refuse` has."""

    @abstractmethod
    def refuse_left(self, spec: S, live: Live) -> str:
        """Return why it cannot be left to its owner; "" if the mesh works beside it."""


class Renewable(ABC, Generic[S]):
    """It can need an update although no field differs: a certificate near its end, a revoked token."""

    renewed: ClassVar[Reason] = Reason.EXPIRING
    """The reason of such a step."""
    lasting: ClassVar[bool] = False
    """Whether such a step leaves the outputs as they are."""

    @abstractmethod
    def due(self, spec: S, live: Live, now: datetime) -> str:
        """Return why it needs an update; "" if it does not."""


class Resumable(ABC, Generic[S]):
    """An interrupted step can leave a part of it, which the attrs do not show."""

    @abstractmethod
    def unfinished(self, spec: S, live: Live) -> str:
        """Return why the interrupted step is repeated; "" if it need not be."""


class Confirmed(ABC, Generic[S]):
    """Some of its changes are confirmed by typing the name of the cluster."""

    asks: ClassVar[frozenset[Path]] = frozenset()
    """Fields that a person confirms a change of."""

    def reissues(self, spec: S, live: Live) -> str:
        """Return how adopting it changes the identities of workloads; "" if it does not."""
        del spec, live
        return ""


class Disruptive:
    """An update, replacement or deletion of it can cut traffic: clusters change one after another."""

    def disrupts(self, key: Key) -> bool:
        """Return whether a change of this resource can cut traffic."""
        del key
        return True


class Verified(Provider[S], Permitted, Shown[S], Scripted[S]):
    """Another program or a person makes it, and removes it; mesh only verifies it."""

    stage = Stage.LINKS

    @abstractmethod
    def awaited(self, key: Key) -> str:
        """Return what a missing one waits for."""

    def lingers(self, key: Key, live: Live) -> str:
        """Return why one that is no longer wanted still exists, and what removes it."""
        del key, live
        return "it is still being deleted"

    def wanted(self, spec: S, live: Found, last: Last | None) -> Attrs:
        """Return what was found: mesh changes nothing in it."""
        del spec, last
        return live.attrs if isinstance(live, Live) else {}

    def create(self, spec: S, key: Key, world: World) -> None:
        """Do nothing: another program or a person makes it."""

    def commands(self, resource: Resource[S], mesh: Mesh) -> Commands:
        """Return a comment: mesh creates nothing."""
        del resource, mesh
        return Commands(comment("only verified: mesh does not create it"))

    def documents(self, spec: S, key: Key, world: World | None) -> Iterable[Document]:
        """Return that mesh sends nothing."""
        del spec, key, world
        return (nothing("only verified, never written"),)

    def rights(self, action: Action, key: Key, place: Place) -> Iterable[Right]:
        """Return no rights: mesh writes nothing."""
        del action, key, place
        return ()


class Kept(ABC):
    """It stays when it is no longer wanted: a root key, CRDs."""

    @abstractmethod
    def keeps(self, place: Place, world: World) -> str:
        """Return why it stays, and where; "" if it is deleted."""


class Busy:
    """A step on it waits for something else to end first."""

    def busy(self, key: Key, place: Place, world: World) -> str:
        """Return which child process of an earlier run still works on it; "" if none does."""
        del key, place, world
        return ""

    def going(self, key: Key, place: Place, world: World) -> str:
        """Return which objects must disappear before it can be deleted; "" if none must."""
        del key, place, world
        return ""


class Masked(ABC, Generic[S]):
    """Its attrs hold values that the mesh file calls sensitive."""

    @abstractmethod
    def seen(self, spec: S, live: Live) -> Attrs:
        """Return the live attrs, with the values masked that the spec calls sensitive."""

    @abstractmethod
    def hidden(self, attrs: Attrs, sensitive: tuple[str, ...]) -> Attrs:
        """Return the attrs with these values masked; for a resource that has no spec any more."""


class Traced(ABC):
    """It can tell which field manager wrote which field (`mesh why`)."""

    @abstractmethod
    def written(self, key: Key, place: Place, live: Live, world: World) -> tuple[Touch, ...]:
        """Read who wrote which field, mesh included; paths are those of the object or of the attrs."""


class NamedAfterCluster:
    """The last part of its address is the name of a cluster: the target of a link, a registered cluster.

    `mesh state rename` gives such a resource its new address. Without this, the next plan would delete what
    is recorded under the old address and create the same object under the new one.
    """

    def renamed(self, name: str, old: str, new: str) -> str:
        """Return the last part of the address after cluster `old` got the name `new`."""
        return new if name == old else name
