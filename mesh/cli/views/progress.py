"""Progress of an apply or destroy: lines for logs, JSON for programs.

`mesh.cli.views.live` shows the same events on a terminal. An observer is used by one thread, and
writes to a given stream with a given clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol

from mesh import __version__
from mesh.cli.views.escape import terminal
from mesh.cli.views.result import RunSummary, result_json
from mesh.cli.views.tables import pad
from mesh.errors import InputError, MeshError, Problem
from mesh.model import Action
from mesh.model.printable import json_text

HEARTBEAT = 10.0
"""Seconds after which an unfinished step is reported again."""

STREAM_VERSION = "1.0"


class StepPhase(Enum):
    """The phase of a step."""

    STARTED = "started"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of one step; `text` is what it waits for, a remark, or the error.

    `key` is the step's address, `elapsed` the seconds since it began, and `hint` the next move after
    a failure.
    """

    cluster: str
    key: str
    action: Action
    phase: StepPhase
    text: str = ""
    elapsed: float = 0.0
    hint: str = ""


class Stream(Protocol):
    """What progress is written to."""

    def write(self, text: str, /) -> int:
        """Write text."""

    def flush(self) -> None:
        """Write what is buffered."""


class Times(Protocol):
    """The clock of an observer."""

    def now(self) -> datetime:
        """Return the time of day to print."""

    def monotonic(self) -> float:
        """Return seconds from a monotonic clock."""


class Observer(Protocol):
    """Receives the events of a run."""

    def event(self, event: Event) -> None:
        """Handle an event."""

    def note(self, text: str) -> None:
        """Print a line about the whole run, such as a warning."""

    def tick(self, now: float) -> None:
        """Handle the passing of time (monotonic seconds); called several times a second."""

    def close(self) -> None:
        """Finish the output."""


_DOING = {
    Action.NOOP: "importing",
    Action.CREATE: "creating",
    Action.UPDATE: "updating",
    Action.REPLACE: "replacing",
    Action.DELETE: "destroying",
    Action.READ: "waiting",
    Action.FORGET: "forgetting",
}
_DONE = {
    Action.NOOP: "imported",
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "destroyed",
    Action.READ: "ready",
    Action.FORGET: "forgotten",
}


def doing(action: Action) -> str:
    """Return the word for an action in progress."""
    return _DOING[action]


def left_at(action: Action) -> str:
    """Return what became of a step that was carried out and then not waited for."""
    return "interrupted" if action is Action.READ else f"{_DONE[action]}, but not ready yet"


def words(event: Event) -> str:
    """Return the result of a step: `created (1.4s)`, `failed (3.0s): no such host`."""
    text = f": {terminal(event.text)}" if event.text else ""
    took = f" ({event.elapsed:.1f}s)"
    match event.phase:
        case StepPhase.STARTED:
            return doing(event.action) + text
        case StepPhase.WAITING:
            return "waiting" + text
        case StepPhase.DONE:
            return _DONE[event.action] + took + text
        case StepPhase.FAILED:
            return "failed" + took + text
        case StepPhase.SKIPPED:
            return "skipped" + text
        case StepPhase.DEFERRED:
            return "deferred" + text
        case StepPhase.INTERRUPTED:
            return f"{left_at(event.action)}{took}{text}"


class Pending:
    """The running steps, when each began, and when each was last reported."""

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}
        self._since: dict[str, float] = {}
        self._spoken: dict[str, float] = {}

    def note(self, event: Event, now: float) -> None:
        """Update the running steps from an event."""
        if event.phase in {StepPhase.STARTED, StepPhase.WAITING}:
            self._events[event.key] = event
            self._since.setdefault(event.key, now - event.elapsed)
            self._spoken.setdefault(event.key, now)
        else:
            for each in (self._events, self._since, self._spoken):
                each.pop(event.key, None)

    def due(self, now: float) -> Iterator[tuple[Event, float]]:
        """Yield the steps that are due for another report, with their age in seconds."""
        for key, event in self._events.items():
            if now - self._spoken[key] >= HEARTBEAT:
                self._spoken[key] = now
                yield event, now - self._since[key]

    def all(self, now: float) -> Iterator[tuple[Event, float]]:
        """Yield every running step with its age in seconds, by cluster."""
        for event in sorted(self._events.values(), key=lambda event: event.cluster):
            yield event, now - self._since[event.key]


class PlainProgress:
    """Prints one line per event, with the time of day and no colours; `clusters` sets the column width."""

    def __init__(self, stream: Stream, times: Times, *, clusters: Iterable[str] = ()) -> None:
        self._stream, self._times = stream, times
        self._width = max(map(len, clusters), default=0)
        self._pending = Pending()

    def event(self, event: Event) -> None:
        """Write the event; waiting is kept for the next tick, and what was not begun for the final result."""
        self._pending.note(event, self._times.monotonic())
        if event.phase not in {StepPhase.WAITING, StepPhase.DEFERRED, StepPhase.SKIPPED}:
            self._write(event, words(event))

    def note(self, text: str) -> None:
        """Write a line of its own."""
        self._stream.write(f"{terminal(text)}\n")
        self._stream.flush()

    def tick(self, now: float) -> None:
        """Report unfinished steps, so that silence is not mistaken for a hang."""
        for event, age in self._pending.due(now):
            why = f": {terminal(event.text)}" if event.text else ""
            doing_ = "waiting" if event.phase is StepPhase.WAITING else doing(event.action)
            self._write(event, f"still {doing_} {age:.0f}s{why}")

    def close(self) -> None:
        """Do nothing: every line is already written."""

    def _write(self, event: Event, text: str) -> None:
        cluster = pad(terminal(event.cluster), self._width)
        sign = event.action.value.strip() or " "
        line = f"{self._times.now():%H:%M:%S} {cluster}  {sign} {terminal(event.key)}  {text}\n"
        self._stream.write(line)
        self._stream.flush()


_TYPES = {
    StepPhase.STARTED: "apply_start",
    StepPhase.WAITING: "apply_progress",
    StepPhase.DONE: "apply_complete",
    StepPhase.FAILED: "apply_errored",
    StepPhase.SKIPPED: "apply_skipped",
    StepPhase.DEFERRED: "apply_deferred",
    StepPhase.INTERRUPTED: "apply_interrupted",
}


class JsonProgress:
    """Prints one JSON object per line, similar to Terraform's machine-readable output.

    The first line has the type `version`, and the last line, written by `result`, `change_summary`.
    A reader should show the `@message` of a type that it does not know.
    """

    def __init__(self, stream: Stream, times: Times) -> None:
        self._stream, self._times = stream, times
        self._pending = Pending()
        self._write("info", "version", f"mesh {__version__}", {"mesh": __version__, "ui": STREAM_VERSION})

    def event(self, event: Event) -> None:
        """Write the event."""
        self._pending.note(event, self._times.monotonic())
        self._hook(event, event.elapsed, words(event))

    def note(self, text: str) -> None:
        """Write a diagnostic."""
        detail = {"severity": "warning", "summary": terminal(text).removeprefix("Warning: ")}
        self._write("warn", "diagnostic", terminal(text), {"diagnostic": detail})

    def refused(self, error: MeshError) -> None:
        """Write why a run ends without a result: one diagnostic for each mistake in a file, or one."""
        for each in error.problems if isinstance(error, InputError) else (error,):
            text, hint = (str(each), "") if isinstance(each, Problem) else (each.message, each.hint)
            detail = {"severity": "error", "summary": text, "detail": hint}
            shown = "\n".join(terminal(line) for line in text.split("\n"))
            self._write("error", "diagnostic", f"Error: {shown}", {"diagnostic": detail})

    def tick(self, now: float) -> None:
        """Report unfinished steps."""
        for event, age in self._pending.due(now):
            self._hook(event, age, f"still waiting {age:.0f}s", kind="apply_progress")

    def result(self, result: RunSummary) -> None:
        """Write the result of the run."""
        self._write(
            "info" if result.complete else "error", "change_summary", result.head(), result_json(result)
        )

    def close(self) -> None:
        """Do nothing: every line is already written."""

    def _hook(self, event: Event, elapsed: float, text: str, *, kind: str = "") -> None:
        hook = {
            "resource": {"addr": event.key, "cluster": event.cluster},
            "action": event.action.name.lower(),
            "elapsed_seconds": round(elapsed, 3),
            "text": event.text,
        }
        level = "error" if event.phase is StepPhase.FAILED else "info"
        self._write(level, kind or _TYPES[event.phase], f"{terminal(event.key)}: {text}", {"hook": hook})

    def _write(self, level: str, kind: str, message: str, more: dict[str, Any]) -> None:
        stamp = self._times.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"@level": level, "@message": message, "@module": "mesh", "@timestamp": stamp, "type": kind}
        self._stream.write(json_text({**line, **more}) + "\n")
        self._stream.flush()
