"""What became of one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mesh.errors import LockedError, MeshError, RefusedError, StalePlanError
from mesh.model import Action, Live, Step
from mesh.world.disk.files import disk_error

BEFORE_A_WRITE = (LockedError, RefusedError, StalePlanError)
"""Errors that are raised instead of a write, never after one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step: the live object afterwards (None: gone), remarks, or the error.

    `stopped` is why it was left before it was ready, when the run was asked to stop. `begun` is false if
    that was before the step looked at the cluster.
    """

    live: Live | None = None
    remarks: tuple[str, ...] = ()
    error: MeshError | None = None
    stopped: str = ""
    begun: bool = True

    @property
    def good(self) -> bool:
        """Whether what needs this step may begin."""
        return self.error is None and not self.stopped

    @property
    def untouched(self) -> bool:
        """Whether the step ended before it wrote anything."""
        return not self.begun or isinstance(self.error, BEFORE_A_WRITE)


def guarded(work: Callable[[], Outcome]) -> Outcome:
    """Carry something out; what it raises becomes its outcome."""
    # A defect of mesh must not end the walk: the results of the other steps would then go unrecorded.
    try:
        return work()
    except MeshError as error:
        return Outcome(error=error)
    except OSError as error:
        return Outcome(error=disk_error(error))
    except Exception as error:  # noqa: BLE001  # see above
        return Outcome(error=MeshError(f"internal error (please report): {type(error).__name__}: {error}"))


def done(step: Step, outcome: Outcome) -> Action:
    """Return what a step did in the end: a deletion that left the object, and says why, only forgot it."""
    is_left = step.action is Action.DELETE and bool(outcome.remarks)
    return Action.FORGET if is_left else step.action
