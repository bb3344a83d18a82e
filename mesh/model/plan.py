"""What must happen, and what it was decided upon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mesh.model.resources import Key, Path, Touch


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
        """The path as people write it: `a.b[c]`; a part with a dot in it is quoted.

        The state keeps paths in another form, `mesh.model.diff.dotted`, which separates every part by a dot.
        """
        parts = (f'"{part}"' if "." in part and not part.startswith("[") else part for part in self.path)
        return "".join(part if part.startswith("[") or not n else f".{part}" for n, part in enumerate(parts))


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
