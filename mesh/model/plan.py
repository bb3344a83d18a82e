"""The plan: steps, and the facts that they were decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mesh.model.resources import Key, Path, Touch


class Action(Enum):
    """What a step does; the value is the symbol that the plan prints."""

    NOOP = " "
    CREATE = "+"
    UPDATE = "~"
    REPLACE = "-/+"
    DELETE = "-"
    READ = "<="
    FORGET = " ."


class Reason(Enum):
    """Why a step is in the plan. For people only; no code depends on it."""

    NEW = "new"
    CONFIG = "configuration changed"
    DRIFT = "changed outside mesh"
    REMOVED = "no longer in the configuration"
    DESTROY = "the mesh is destroyed"
    FOLLOWS = "a value it takes from another resource changes"
    EXPIRING = "expiring"
    UNHEALTHY = "not ready"
    ADOPT = "adopted"
    REPLACE = "must be replaced"
    MOVES = "its root of trust changes"
    RECOVER = "left incomplete by an interrupted run"


class Absent:
    """The `before` of a field that is added and the `after` of one that is removed."""

    _only: Absent | None = None

    def __new__(cls) -> Absent:
        """Return the only instance."""
        cls._only = cls._only or super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Field:
    """One value that differs: `before` is live, `after` is desired; either may be ABSENT."""

    path: Path
    before: Any
    after: Any
    touch: Touch | None = None

    @property
    def dotted(self) -> str:
        """The path as people write it: `a.b[c]`; a part with a dot in it is quoted.

        The state keeps paths in another form, `mesh.model.diff.dotted`, which separates every part by a dot.
        """
        parts = (f'"{part}"' if "." in part and not part.startswith("[") else part for part in self.path)
        return "".join(part if part.startswith("[") or not n else f".{part}" for n, part in enumerate(parts))


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """The change of one object in a release's new rendering; `object` reads `Kind namespace/name`."""

    object: str
    action: Action
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer approves of a step beside its fields: digests, which tell nothing of a secret.

    `objects` are the objects that the step sends or helm renders, `hidden` the values that a plan does not
    show (by a key that is not in the plan), `charts` the bytes of the charts. `uid` and `token` are of the
    live object: its identity, and the values of the fields that mesh sets. `reads` are the same of the
    resources that the step takes values from.
    """

    objects: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    charts: Mapping[str, str] = field(default_factory=dict)
    uid: str = ""
    token: str = ""
    reads: Mapping[str, str] = field(default_factory=dict)


UNREVIEWED = Review()


@dataclass(frozen=True, slots=True)
class Step:
    """One action on one resource. `needs` is the only order that the executor uses.

    `expects` is the token of the live object, "" if it must not exist; it is compared again right
    before the step runs. `notes` are remarks for the reader (fields taken over by force, effects on
    traffic); `manifests` are the changes in a chart's rendering. `why` completes the reason ("wait
    for …", "expires in 20 days"). `pause` is the number of seconds to wait before the step, and
    `gate` the clusters with checks that must pass first. `usual` are paths of fields that the guide gives.
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
    review: Review = UNREVIEWED
    usual: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Deferral:
    """A resource that cannot be planned now, and why."""

    key: Key
    why: str


@dataclass(frozen=True, slots=True)
class Left:
    """An object that the user leaves to its owner; `where` reads `namespace/name`."""

    key: Key
    owner: str
    where: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for beside the mesh file: a saved plan is made again with the same.

    `versions` are the intermediate versions of Istio at which the plan stops. `targets` and `excludes` are
    patterns; `allow_deletes` is a number or `all`, "" if not given.
    """

    take: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    allow_downgrade: bool = False
    versions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allow_deletes: str = ""
    ignore_enrolled: bool = False
    new_objects: tuple[str, ...] = ()


NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered steps from the live state to the desired state, and the facts they were decided on.

    `steps` are in an order that respects `needs`. `deferred` could not be planned: the plan is
    complete only if it is empty. `digest` covers the steps and what is left, not the time. `confirm`
    are the clusters that a person must confirm by name. `skipped_checks` are the ids of the pre-flight
    checks that the user skips. `left` are objects that stay with other owners: they are neither
    counted nor recorded. `recorded` are addresses that were compared with the last apply. `unread` says
    which clusters could not be read, and why. `destroying` plans the removal of the whole mesh. `config`
    is a digest of the desired state, `tools` the versions of the programs, `key` names the key of the
    fingerprints, `entries` counts the recorded resources. `fleet` has, for each cluster, its context and
    server and the names that follow from it, by their roles: what is the same but for these is shown once.
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
    unread: Mapping[str, str] = field(default_factory=dict)
    destroying: bool = False
    config: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    asked: Asked = NOTHING_ASKED
    entries: int = 0
    fleet: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        """Whether only a part of the mesh was planned, as asked."""
        return bool(self.asked.targets or self.asked.excludes)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The warnings, and a remark about skipped checks."""
        if not self.skipped_checks:
            return self.warnings
        left_out = ", ".join(self.skipped_checks)
        return (*self.warnings, f"apply skips the pre-flight checks {left_out}")

    @property
    def empty(self) -> bool:
        """Whether everything was read, is in sync and is ready."""
        return not self.steps and self.complete

    @property
    def complete(self) -> bool:
        """Whether everything was read: nothing is deferred, and nothing is unknown of any cluster."""
        return not self.deferred and not self.unread

    @property
    def blind(self) -> bool:
        """Whether no cluster at all could be read."""
        return bool(self.clusters) and self.clusters.keys() <= self.unread.keys()
