"""From what a run tells to what the person at the terminal sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mesh.apply import Outcome, Watch
from mesh.engine import Result
from mesh.model import Action, Key, Step
from mesh.render.progress import Event, Observer, Phase
from mesh.render.result import Failure
from mesh.render.result import Result as Shown


@dataclass(slots=True)
class Waits:
    """What workers say they wait for, by address; written by them, read by the caller's thread."""

    said: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def say(self, about: str, why: str) -> None:
        """Note it; a dict takes one assignment at a time."""
        self.said[about] = why


@dataclass(slots=True)
class Teller:
    """Turns the steps of a run into events for an observer."""

    observer: Observer
    waits: Waits
    monotonic: Callable[[], float]
    began: dict[Key, float] = field(default_factory=dict)

    def watch(self) -> Watch:
        """The callbacks that a run wants."""
        return Watch(self.started, self.finished, self.skipped, self.tick)

    def started(self, step: Step) -> None:
        """A step began."""
        self.began[step.key] = self.monotonic()
        self._event(step, Phase.STARTED)

    def finished(self, step: Step, outcome: Outcome) -> None:
        """A step ended, well or not."""
        self.waits.said.pop(str(step.key), None)
        if outcome.error:
            self._event(step, Phase.FAILED, outcome.error.message)
        elif outcome.stopped:
            self._event(step, Phase.FAILED, f"stopped while waiting: {outcome.stopped}")
        else:
            self._event(step, Phase.DONE, "; ".join(outcome.remarks))

    def skipped(self, step: Step, because: Key) -> None:
        """A step was not begun."""
        self._event(step, Phase.SKIPPED, f"needs {because}")

    def tick(self) -> None:
        """Time passes: show what is waited for, once per change."""
        for about, why in list(self.waits.said.items()):
            key = next((key for key in self.began if str(key) == about), None)
            if key and self.waits.shown.get(about) != why:
                self.waits.shown[about] = why
                event = Event(key.cluster, about, Action.READ, Phase.WAITING, why, self._elapsed(key))
                self.observer.event(event)
        self.observer.tick(self.monotonic())

    def _event(self, step: Step, phase: Phase, text: str = "") -> None:
        self.observer.event(
            Event(step.key.cluster, str(step.key), step.action, phase, text, self._elapsed(step.key))
        )

    def _elapsed(self, key: Key) -> float:
        return self.monotonic() - self.began.get(key, self.monotonic())


def shown(result: Result, *, destroy: bool, stopped: bool, resume: str) -> Shown:
    """Count what a run did, for its last words."""
    steps = {step.key: step for step in result.planned.plan.steps}
    done = [
        steps[key].action
        for key, outcome in result.outcomes.items()
        if not outcome.error and not outcome.stopped
    ]
    replaced = done.count(Action.REPLACE)
    return Shown(
        verb="destroy" if destroy else "apply",
        added=done.count(Action.CREATE) + replaced,
        changed=done.count(Action.UPDATE),
        destroyed=done.count(Action.DELETE) + replaced,
        failures=tuple(_failures(result)),
        skipped=tuple((str(key), f"needs {need}") for key, need in sorted(result.because.items())),
        deferred=tuple((str(each.key), each.why) for each in result.planned.plan.deferred),
        stopped=stopped,
        resume=resume,
    )


def _failures(result: Result) -> list[Failure]:
    found = []
    for key in result.failed:
        error = result.outcomes[key].error
        assert error is not None
        found.append(Failure(str(key), error.message, error.hint))
    return found
