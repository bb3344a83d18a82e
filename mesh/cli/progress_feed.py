"""Turn the steps of a run into progress events for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from mesh.cli.views.progress import Event, Observer, StepPhase
from mesh.engine.outcome import Outcome, done
from mesh.engine.run_options import Hooks
from mesh.model import Action, Deferral, Key, Step
from mesh.world import trace


@dataclass(slots=True)
class Waits:
    """What each worker waits for, by address; written by workers, read by the caller's thread."""

    texts: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def say(self, about: str, why: str) -> None:
        """Store what a worker waits for; assignment to a dict is atomic, so no lock is needed."""
        self.texts[about] = why

    def news(self) -> Iterable[tuple[str, str]]:
        """Return the texts that were not shown yet."""
        for about, why in list(self.texts.items()):
            if self.shown.get(about) != why:
                self.shown[about] = why
                yield about, why


@dataclass(slots=True)
class ProgressFeed:
    """Turns the steps of a run into events, for an observer and for the final summary."""

    observer: Observer
    waits: Waits
    monotonic: Callable[[], float]
    began: dict[str, tuple[Step, float]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    notices: Callable[[], Iterable[str]] = list

    def hooks(self, tick: Callable[[], None]) -> Hooks:
        """Return the hooks of a run; `tick` is called beside the feed's own."""

        def both() -> None:
            tick()
            self.tick()

        return Hooks(self.started, self.finished, self.skipped, both)

    def started(self, step: Step) -> None:
        """Report that a step began."""
        self.began[str(step.key)] = (step, self.monotonic())
        self._emit(step, StepPhase.STARTED)

    def finished(self, step: Step, outcome: Outcome) -> None:
        """Report that a step succeeded or failed."""
        self.waits.texts.pop(str(step.key), None)
        if outcome.error:
            self._emit(step, StepPhase.FAILED, outcome.error.message, outcome.error.hint)
        elif outcome.stopped and not outcome.begun:
            self._emit(step, StepPhase.SKIPPED, outcome.stopped)
        elif outcome.stopped:
            self._emit(replace(step, action=done(step, outcome)), StepPhase.INTERRUPTED, outcome.stopped)
        else:
            ended = replace(step, action=done(step, outcome))
            self._emit(ended, StepPhase.DONE, "; ".join(outcome.remarks))

    def skipped(self, step: Step, because: Key) -> None:
        """Report that a step was not started."""
        self._emit(step, StepPhase.SKIPPED, f"needs {because}")

    def deferred(self, deferrals: Iterable[Deferral]) -> None:
        """Report the steps that the plan deferred."""
        for each in deferrals:
            self._emit(Step(Action.NOOP, each.key), StepPhase.DEFERRED, each.why)

    def warned(self, text: str) -> None:
        """Report at once what concerns the whole run, not a step of it."""
        self.observer.note(f"Warning: {text}")

    def tick(self) -> None:
        """Report what each step waits for, once per change; called several times a second."""
        for about, why in self.waits.news():
            if about in self.began:
                self._emit(self.began[about][0], StepPhase.WAITING, why)
        for text in self.notices():
            self.observer.note(text)
        self.observer.tick(self.monotonic())

    def _emit(self, step: Step, phase: StepPhase, text: str = "", hint: str = "") -> None:
        key = str(step.key)
        began = self.began.get(key, (step, self.monotonic()))[1]
        event = Event(step.key.cluster, key, step.action, phase, text, self.monotonic() - began, hint)
        self.events.append(event)
        if phase is not StepPhase.WAITING:  # traced where it is said
            trace.event(
                trace.PLAN,
                "step",
                cluster=step.key.cluster,
                address=key,
                action=step.action.name.lower(),
                phase=phase.value,
                ms=event.elapsed * 1000,
                why=text,
            )
        self.observer.event(event)
