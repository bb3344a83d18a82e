"""Desired resources, live objects, and the values that pass between them.

`Attrs` is plain data as JSON has it (dicts with string keys, lists, strings, numbers, booleans,
None), plus `Unknown` in place of a value that an earlier step produces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Self, TypeVar

from mesh.errors import StateError

Attrs = Mapping[str, Any]

Path = tuple[str, ...]

S = TypeVar("S")

NO_CLUSTER = "-"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The address of a resource; the same in plans, the lockfile, messages and on the command line."""

    kind: str
    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.cluster}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Parse `kind/cluster/name`; raise ValueError for any other form."""
        parts = text.split("/")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{text!r} is not a valid address: write kind/cluster/name")
        return cls(*parts)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The position in an input file that a resource comes from; line and col count from 1."""

    file: str = ""
    line: int = 0
    col: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}" if self.file else "-"


class Locator:
    """How a kind finds a resource where namespace and name do not say enough.

    Each kind that needs one has a frozen subclass of its own. The lockfile holds its text, `recorded`; a
    place that was read from a lockfile has a `RecordedLocator`, which the kind turns into its own with `of`.
    Two locators are equal if their texts are: where a place came from makes no difference.
    """

    __slots__ = ()

    def recorded(self) -> str:
        """Return the text that the lockfile holds; "" for a resource that is found by its name."""
        return ""

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the locator whose text this is; raise ValueError if it is not the text of one."""
        if text:
            raise ValueError(text)
        return cls()

    @classmethod
    def of(cls, place: Place) -> Self:
        """Return the locator of a place as one of this class, wherever the place came from."""
        if isinstance(place.locator, cls):
            return place.locator
        text = place.locator.recorded()
        try:
            return cls.read(text)
        except ValueError:
            where = f"{place.namespace}/{place.name}".removeprefix("/")
            raise StateError(
                f"the state locates {where} by {text!r}, which this version of mesh cannot read",
                hint="use the version that wrote it, or run `mesh state rebuild`",
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Locator) and self.recorded() == other.recorded()

    def __lt__(self, other: Locator) -> bool:
        return self.recorded() < other.recorded()

    def __hash__(self) -> int:
        return hash(self.recorded())


@dataclass(frozen=True, slots=True, eq=False)
class RecordedLocator(Locator):
    """A locator as the lockfile holds it: text that only its kind can read."""

    text: str

    def recorded(self) -> str:
        """Return the text."""
        return self.text


BY_NAME = Locator()
"""The locator of a resource that its namespace and name are enough to find."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a resource is inside its cluster: enough to find or delete it.

    `namespace` is "" for a resource that has none. `name` is the name of the object or the release.
    """

    namespace: str
    name: str
    locator: Locator = BY_NAME

    def recorded(self) -> list[str]:
        """Return the place as the lockfile and the journal hold it."""
        return [self.namespace, self.name, self.locator.recorded()]

    @classmethod
    def read(cls, namespace: str, name: str, text: str = "") -> Place:
        """Return the place of which the lockfile or the journal holds these parts."""
        return cls(namespace, name, RecordedLocator(text) if text else BY_NAME)


@dataclass(frozen=True, slots=True)
class Resource(Generic[S]):
    """A desired resource. `spec` may contain `Ref`s; `needs` are the other direct dependencies.

    `adopt` allows mesh to take over an object that another owner created.
    """

    key: Key
    place: Place
    spec: S
    needs: frozenset[Key] = frozenset()
    origin: Origin = Origin()
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Touch:
    """The last writer of one field of a live object, from its managedFields; `time` is RFC 3339."""

    path: Path
    manager: str
    time: str


@dataclass(frozen=True, slots=True)
class Live:
    """A live object. `attrs` has the structure of `Provider.wanted`, and never contains secrets.

    `outputs` are values that other resources may refer to. `token` is the uid and a digest of the
    attrs: it changes if and only if the object changes. `status` decides readiness and is not part of
    the diff. `place` is set if the object was found by another mark than its place. `going` means that the
    object is being deleted: what is written to it disappears with it. `remarks` say what of it could not be
    compared, which is a warning of the plan.
    """

    attrs: Attrs
    token: str
    uid: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    touches: tuple[Touch, ...] = ()
    owner: str = ""
    place: Place | None = None
    going: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """The resource could not be read: unreachable, forbidden, timed out. It may exist or not."""

    why: str


@dataclass(frozen=True, slots=True)
class UnreadSecret(Unread):
    """The object's Secret may not be read; this is what the state and visible fields tell about it.

    `seen` is the object as the last apply left it, as far as its kind can tell; `strange` are attrs
    that visibly differ from that apply.
    """

    seen: Live
    strange: Attrs = field(default_factory=dict)


Found = Live | Unread | None


class Sensitive:
    """A secret value: it is compared and sent, and never shown, recorded or digested."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def reveal(self) -> Any:
        """Return the value itself, for the code that sends it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sensitive) and self._value == other._value

    def __hash__(self) -> int:
        return hash(Sensitive)

    def __repr__(self) -> str:
        return "(sensitive value)"


SENSITIVE = Sensitive(None)
"""Replaces any sensitive value after the comparison."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the step of `after` will produce."""

    after: Key

    def __str__(self) -> str:
        return f"(known after {self.after})"


@dataclass(frozen=True, slots=True)
class NoValue(Unknown):
    """Stands for a value that the resource `after` does not have now: it is missing, or has no such output.

    A plan says `Unknown`, since a step may yet produce the value; readiness is judged by what exists.
    """


@dataclass(frozen=True, slots=True)
class Recorded:
    """A value of which only the digest is known."""

    def __str__(self) -> str:
        return "(as of the last apply)"


class Verdict(Enum):
    """Whether an object that is in sync also works."""

    YES = "ready"
    NOT_YET = "not ready"
    NEVER = "will not become ready"


@dataclass(frozen=True, slots=True)
class Ready:
    """A verdict and its reason ("" if ready)."""

    verdict: Verdict
    why: str = ""

    def __bool__(self) -> bool:
        return self.verdict is Verdict.YES


READY = Ready(Verdict.YES)


def not_yet(why: str) -> Ready:
    """Return the verdict that waiting may help."""
    return Ready(Verdict.NOT_YET, why)


def never(why: str) -> Ready:
    """Return the verdict that waiting cannot help."""
    return Ready(Verdict.NEVER, why)
