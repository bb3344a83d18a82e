"""The nouns of the engine: what is wanted, what is there, and what must happen.

Everything here is frozen and compares by value, so a stage is a function from these to these.
`Attrs` is plain data as JSON has it (dicts with string keys, lists, strings, numbers, booleans,
None), plus `Unknown` in place of a value that an earlier step will produce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

Attrs = Mapping[str, Any]
Path = tuple[str, ...]
S = TypeVar("S")

NO_CLUSTER = "-"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The address of a resource, the same in plan, lockfile, messages and on the command line."""

    kind: str
    cluster: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.cluster}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read `kind/cluster/name`; raise ValueError on any other shape."""
        parts = text.split("/")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{text!r} is not an address: kind/cluster/name expected")
        return cls(*parts)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The place in an input file that a resource comes from; line and col count from 1."""

    file: str = ""
    line: int = 0
    col: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}" if self.file else "-"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a resource lives inside its cluster; all that is needed to find or delete it.

    `namespace` is "" for what has none. `name` is the name of the object or the release.
    `variant` tells apart what one kind keeps under one name (the layout of a certificate, …).
    """

    namespace: str
    name: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Resource(Generic[S]):
    """Something wanted. `spec` may hold `Ref`s; `needs` are the direct dependencies without them.

    `adopt` says that what somebody else made is taken over as it is.
    """

    key: Key
    place: Place
    spec: S
    needs: frozenset[Key] = frozenset()
    origin: Origin = Origin()
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Touch:
    """Who last wrote one field of a live object, as its managedFields say; `time` is RFC 3339."""

    path: Path
    manager: str
    time: str


@dataclass(frozen=True, slots=True)
class Live:
    """Something found. `attrs` has the shape of `Provider.wanted`; secrets never enter it.

    `outputs` are what other resources may refer to. `token` is the uid and a digest of the attrs
    as the kind sees them: it moves when, and only when, the thing itself was changed.
    `status` is what readiness is judged by; it takes no part in the diff. `place` is set where the
    resource was looked for by another mark than its place.
    """

    attrs: Attrs
    token: str
    uid: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    touches: tuple[Touch, ...] = ()
    owner: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Could not be read: unreachable, forbidden, timed out. Neither there nor absent."""

    why: str


@dataclass(frozen=True, slots=True)
class Veiled(Unread):
    """The Secret that says what it is may not be read; what is recorded of it, and what can be seen.

    `seen` is what the last apply left there, as far as its kind can tell; `strange` are attrs that
    visibly are not as that apply left them.
    """

    seen: Live
    strange: Attrs = field(default_factory=dict)


Found = Live | Unread | None


class Sensitive:
    """A value that is compared and sent, and never shown, recorded or digested."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def reveal(self) -> Any:
        """Return the value itself, for the one who sends it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sensitive) and self._value == other._value

    def __hash__(self) -> int:
        return hash(Sensitive)

    def __repr__(self) -> str:
        return "(sensitive value)"


SENSITIVE = Sensitive(None)
"""Stands for any sensitive value once it was compared."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands for a value that the step of `after` will produce."""

    after: Key

    def __str__(self) -> str:
        return f"(known after {self.after})"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stands for a value of which only the digest is at hand."""

    def __str__(self) -> str:
        return "(as of the last apply)"


class Action(Enum):
    """What a step does; the value is the sign that the plan prints."""

    NOOP = " "
    CREATE = "+"
    UPDATE = "~"
    REPLACE = "-/+"
    DELETE = "-"
    READ = "<="
    FORGET = " ."


class Reason(Enum):
    """Why a step is there. For people; never branched on."""

    NEW = "new"
    CONFIG = "configuration changed"
    DRIFT = "changed outside mesh"
    REMOVED = "no longer in the configuration"
    DESTROY = "the mesh is taken down"
    FOLLOWS = "a value it takes from another resource changes"
    EXPIRING = "expiring"
    UNHEALTHY = "not ready"
    ADOPT = "adopted"
    REPLACE = "must be replaced"
    MOVES = "its root of trust changes"
    RECOVER = "left half done by an interrupted run"


class Verdict(Enum):
    """Whether something that is as wanted also works."""

    YES = "ready"
    NOT_YET = "not ready"
    NEVER = "will not become ready"


@dataclass(frozen=True, slots=True)
class Ready:
    """A verdict and the words for it ("" when ready)."""

    verdict: Verdict
    why: str = ""

    def __bool__(self) -> bool:
        return self.verdict is Verdict.YES


READY = Ready(Verdict.YES)


def not_yet(why: str) -> Ready:
    """Say that waiting may help."""
    return Ready(Verdict.NOT_YET, why)


def never(why: str) -> Ready:
    """Say that waiting cannot help."""
    return Ready(Verdict.NEVER, why)


class Absent:
    """The `before` of a field that is added and the `after` of one that is removed."""

    _only: Absent | None = None

    def __new__(cls) -> Absent:
        """Return the only one there is."""
        cls._only = cls._only or super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Field:
    """One value that differs: `before` is live, `after` is wanted; either may be ABSENT."""

    path: Path
    before: Any
    after: Any
    touch: Touch | None = None

    @property
    def dotted(self) -> str:
        """The path as people write it: `a.b[c]`; a part that is no plain word goes in quotes."""
        return ".".join(part if "." not in part else f'"{part}"' for part in self.path)


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """What a release's new rendering does to one object; `object` reads `Kind namespace/name`."""

    object: str
    action: Action
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `needs` is the only order the executor knows.

    `expects` is the token of what the step will touch, "" if nothing may be there; it is compared
    again just before the step runs. `notes` are remarks for the reader (what is taken by force,
    what traffic feels); `manifests` is what a chart's rendering changes. `why` completes the
    reason ("wait for …", "expires in 20 days"). `pause` is how many seconds to wait before it,
    `gate` the clusters whose checks must pass first.
    """

    action: Action
    key: Key
    reason: Reason = Reason.NEW
    fields: tuple[Field, ...] = ()
    needs: frozenset[Key] = frozenset()
    expects: str = ""
    notes: tuple[str, ...] = ()
    manifests: tuple[ManifestChange, ...] = ()
    why: str = ""
    pause: float = 0.0
    gate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deferral:
    """Something that cannot be planned now, and why."""

    key: Key
    why: str


@dataclass(frozen=True, slots=True)
class Left:
    """Something of another owner that the user leaves as it is; `where` reads `namespace/name`."""

    key: Key
    owner: str
    where: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered steps from what is there to what is wanted, and what they were decided upon.

    `steps` are in an order that respects `needs`. `deferred` is what could not be planned: the
    plan is complete only if it is empty. `digest` covers the steps and what is left, not the time.
    `confirm` are the clusters whose names a person types before anything is changed.
    `skipped_checks` are the ids of the pre-flight checks that the user left out. `left` is what stays
    with other owners: it is neither counted nor recorded. `recorded` is what was judged as of the last apply.
    """

    mesh: str
    steps: tuple[Step, ...]
    serial: int
    lineage: str
    clusters: Mapping[str, str]
    deferred: tuple[Deferral, ...] = ()
    unchanged: int = 0
    warnings: tuple[str, ...] = ()
    digest: str = ""
    confirm: tuple[str, ...] = ()
    skipped_checks: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    recorded: tuple[Key, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader is warned of: the warnings, and that checks are left out."""
        if not self.skipped_checks:
            return self.warnings
        left_out = ", ".join(self.skipped_checks)
        return (*self.warnings, f"apply is told to go on without the pre-flight checks {left_out}")

    @property
    def empty(self) -> bool:
        """Whether everything is as wanted, ready, and was read."""
        return not self.steps and not self.deferred
