"""The events of a run are counted into its result."""

from __future__ import annotations

from mesh.cli.views.progress import Event, StepPhase
from mesh.cli.views.result import Failure
from mesh.cli.views.tally import tally
from mesh.model import Action


def event(key: str, action: Action, phase: StepPhase, text: str = "") -> Event:
    return Event(phase=phase, action=action, cluster="c", key=key, text=text)


def test_the_last_event_of_each_step_counts() -> None:
    found = tally(
        "apply",
        [
            event("a", Action.CREATE, StepPhase.STARTED),
            event("a", Action.CREATE, StepPhase.DONE),
            event("b", Action.REPLACE, StepPhase.DONE),
            event("c", Action.UPDATE, StepPhase.DONE),
            event("d", Action.NOOP, StepPhase.DONE),
        ],
    )
    assert (found.added, found.changed, found.destroyed, found.imported) == (2, 1, 1, 1)
    assert found.complete


def test_failures_skips_and_deferrals_keep_their_reasons() -> None:
    found = tally(
        "apply",
        [
            event("a", Action.CREATE, StepPhase.FAILED, "timed out"),
            event("b", Action.CREATE, StepPhase.SKIPPED, "needs a"),
            event("c", Action.CREATE, StepPhase.DEFERRED, "unreachable"),
        ],
        end="incomplete",
        resume="mesh apply",
    )
    assert found.failures == (Failure("a", "timed out", ""),)
    assert (found.skipped, found.deferred) == ((("b", "needs a"),), (("c", "unreachable"),))
    assert (found.added, found.resume) == (0, "mesh apply")


def test_a_step_that_did_not_end_is_not_counted() -> None:
    found = tally("apply", [event("a", Action.CREATE, StepPhase.STARTED)], end="interrupted")
    assert (found.added, found.failures, found.complete) == (0, (), False)
