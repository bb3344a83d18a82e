"""Count the events of a run into its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from mesh.cli.views.progress import Event, StepPhase, left_at
from mesh.cli.views.result import Failure, RunSummary
from mesh.model import Action
from mesh.state.history import End


def tally(
    verb: Literal["apply", "destroy"], events: Iterable[Event], *, end: End = "complete", resume: str = ""
) -> RunSummary:
    """Return the result of a run; the last event of each step counts.

    A step that began and did not end is not counted: the run was stopped first.
    """
    last = {event.key: event for event in events}
    done = Counter(event.action for event in last.values() if event.phase is StepPhase.DONE)
    failed = (event for event in last.values() if event.phase is StepPhase.FAILED)
    return RunSummary(
        verb=verb,
        added=done[Action.CREATE] + done[Action.REPLACE],
        changed=done[Action.UPDATE],
        destroyed=done[Action.DELETE] + done[Action.REPLACE],
        imported=done[Action.NOOP],
        failures=tuple(Failure(event.key, event.text, event.hint) for event in failed),
        skipped=_pairs(last.values(), StepPhase.SKIPPED),
        deferred=_pairs(last.values(), StepPhase.DEFERRED),
        interrupted=tuple(
            (event.key, f"{left_at(event.action)}: {event.text}")
            for event in last.values()
            if event.phase is StepPhase.INTERRUPTED
        ),
        end=end,
        resume=resume,
    )


def _pairs(events: Iterable[Event], phase: StepPhase) -> tuple[tuple[str, str], ...]:
    return tuple((event.key, event.text) for event in events if event.phase is phase)
