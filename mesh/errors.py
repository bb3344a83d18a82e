"""The errors that mesh reports, and the exit code of each.

::

    MeshError                 1  the command failed; `hint` is the next move
    ├── UsageError           64  the command line is not valid
    ├── InputError            1  the mesh file has problems (all of them, with their positions)
    ├── StalePlanError        3  the reviewed plan is out of date
    ├── LockedError           4  another run holds the lock
    ├── RefusedError          5  a check or a safety rule refuses the run
    ├── PartialError          6  some clusters failed or were deferred
    ├── InterruptedRunError   7  stopped on request; finished steps are recorded
    ├── StateError            1  the lockfile or journal cannot be read or written
    ├── KubeError             1  a request to an API server failed (subclasses: `mesh.world.kube.errors`)
    ├── HelmError             1  a helm command failed
    └── LabError              1  the local lab failed

Each has a message and a `hint`: the next move, in one sentence. Messages start in lower case, end
without a full stop, and use names as the user wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class MeshError(Exception):
    """A failure that the user can act on; the base class of all errors that mesh reports."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MeshError):
    """The command line is not valid."""

    exit_code = 64


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in an input file: its position, what is wrong, and how to fix it.

    `file` is the path as the user gave it; `line` and `col` count from 1 (0: the whole file);
    `path` is the dotted path of the value, "" for the document.
    """

    file: str
    line: int
    col: int
    path: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.col}" if self.line else self.file
        parts = [place, self.path, self.what, self.hint]
        return ": ".join(part for part in parts if part)


class InputError(MeshError):
    """The input files have problems; reports all of them at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class StalePlanError(MeshError):
    """The reviewed plan differs from the plan that would run now."""

    exit_code = 3


class LockedError(MeshError):
    """Another run holds the lock."""

    exit_code = 4


class RefusedError(MeshError):
    """A check or a safety rule refuses the run; nothing was written."""

    exit_code = 5


class PartialError(MeshError):
    """Some clusters failed or were deferred; the others are in sync."""

    exit_code = 6


class InterruptedRunError(MeshError):
    """The run was stopped on request; finished steps are recorded and the next apply resumes."""

    exit_code = 7


class StateError(MeshError):
    """The lockfile or the journal cannot be read or written."""


class KubeError(MeshError):
    """An API server could not be reached, or rejected a request."""


class HelmError(MeshError):
    """Helm could not be started, or a helm command failed."""


class LabError(MeshError):
    """The local lab cannot do what the command asks for."""
