"""Every error a user can meet, and the exit code it ends in.

::

    MeshError                 1  something went wrong; `hint` is the next move
    ├── UsageError           64  the command line asks for something that cannot be
    ├── InputError            1  the desired-state file has problems (all of them, with positions)
    ├── StalePlanError        3  the reviewed plan no longer holds
    ├── LockedError           4  another run holds the lock
    ├── RefusedError          5  a check or safety rule says no
    ├── PartialError          6  some clusters failed or were deferred
    ├── InterruptedRunError   7  stopped on request; what is done is recorded
    ├── StateError            1  the lockfile or journal cannot be read or written
    ├── KubeError             1  an API server said no (see `mesh.world.kube.client` for its branches)
    ├── HelmError             1  helm said no
    └── LabError              1  the local lab cannot do what was asked

Each carries its message, and a `hint`: the next move, in one sentence. Messages are lower case,
without a full stop, and use names as the user wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class MeshError(Exception):
    """Something went wrong that the user can act on."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MeshError):
    """The command line asks for something that cannot be."""

    exit_code = 64


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in an input file: where it is, what it is, what to do.

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
        parts = [f"{self.file}:{self.line}:{self.col}", self.path, self.what, self.hint]
        return ": ".join(part for part in parts if part)


class InputError(MeshError):
    """The input files have problems: all of them at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class StalePlanError(MeshError):
    """The plan that was reviewed is not the plan that would run now."""

    exit_code = 3


class LockedError(MeshError):
    """Another run holds the lock."""

    exit_code = 4


class RefusedError(MeshError):
    """A check or safety rule says no; nothing was written."""

    exit_code = 5


class PartialError(MeshError):
    """Some clusters failed or were deferred; the others converged."""

    exit_code = 6


class InterruptedRunError(MeshError):
    """The run was stopped on request; what was done is recorded and the next apply resumes."""

    exit_code = 7


class StateError(MeshError):
    """The lockfile or the journal cannot be read or written."""


class KubeError(MeshError):
    """An API server could not be asked, or said no."""


class HelmError(MeshError):
    """Helm could not be run, or said no."""


class LabError(MeshError):
    """The local lab cannot do what was asked."""
