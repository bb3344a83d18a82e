"""What a run came to, and the error that it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.engine.outcome import Outcome
from mesh.engine.session import Planned
from mesh.errors import PartialError, RefusedError, StalePlanError
from mesh.model import Key, Plan
from mesh.state.history import End


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did: each step's outcome, what was skipped because of what, what was never begun.

    `warnings` are what went wrong without harm: a lease or a copy of the state that could not be written.
    """

    planned: Planned
    outcomes: Mapping[Key, Outcome] = field(default_factory=dict)
    because: Mapping[Key, Key] = field(default_factory=dict)
    unstarted: frozenset[Key] = frozenset()
    warnings: tuple[str, ...] = ()
    end: End = "complete"

    @property
    def failed(self) -> tuple[Key, ...]:
        """The steps that ended in an error."""
        return tuple(sorted(key for key, outcome in self.outcomes.items() if outcome.error))


def end_of(plan: Plan, outcomes: Mapping[Key, Outcome], *, stopped: bool) -> End:
    """Return how a run ended. One that was asked to stop is interrupted, even if all its steps were done."""
    # Its last checks were not made then, so it cannot be called complete.
    if stopped or any(each.stopped for each in outcomes.values()):
        return "interrupted"
    if not plan.complete or any(each.error for each in outcomes.values()):
        return "incomplete"
    return "complete"


def check(result: RunResult) -> None:
    """Raise PartialError if something failed or was not read.

    If all failures are refusals, or all are steps that are no longer as planned, raise the first of them.
    """
    failed, deferred, unread = result.failed, result.planned.plan.deferred, result.planned.plan.unread
    complete = result.planned.plan.complete
    if not failed and complete:
        return
    errors = [result.outcomes[key].error for key in failed]
    first = errors[0] if errors else None
    for sort in (RefusedError, StalePlanError):
        if first and all(isinstance(error, sort) for error in errors) and complete:
            raise sort(str(first), hint=first.hint)
    parts = [f"{len(failed)} failed"] if failed else []
    parts += [f"{len(deferred)} deferred"] if deferred else []
    parts += [f"not read: {', '.join(f'cluster {name}' for name in sorted(unread))}"] if unread else []
    raise PartialError(", ".join(parts), hint="fix what is listed above, then run the same command again")
