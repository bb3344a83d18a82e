"""Live progress on a terminal: finished steps scroll above, one lane per busy cluster below.

The only importer of rich, and only when a run begins, because the import takes 0.1 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh.cli.views.escape import terminal
from mesh.cli.views.progress import Event, Pending, StepPhase, Stream, Times, doing, words

if TYPE_CHECKING:
    from rich.text import Text

REDRAW = 0.1
"""Minimum number of seconds between two redraws."""

_STYLES = {
    StepPhase.DONE: "green",
    StepPhase.FAILED: "bold red",
    StepPhase.INTERRUPTED: "yellow",
}


class LiveProgress:
    """Shows running steps, redrawn in place; `close` removes the lanes.

    Draws on the caller's thread only, in `event` and `tick`.
    """

    def __init__(self, stream: Stream, times: Times, *, colour: bool, width: int) -> None:
        from rich.console import Console
        from rich.live import Live

        self._times, self._pending, self._drawn = times, Pending(), float("-inf")
        console = Console(
            file=stream,  # type: ignore[arg-type]  # rich writes and flushes only
            force_terminal=True,
            color_system="standard" if colour else None,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={
                "TERM": "xterm"
            },  # `mesh.cli.terminal` detects the terminal; keep rich from doing it a second time
        )
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()

    def event(self, event: Event) -> None:
        """Print a finished step above the lanes, and redraw the lanes."""
        now = self._times.monotonic()
        self._pending.note(event, now)
        if event.phase in _STYLES:
            self._live.console.print(_finished(event, f"{self._times.now():%H:%M:%S}"), soft_wrap=True)
        self._draw(now)

    def note(self, text: str) -> None:
        """Print a line above the lanes."""
        self._live.console.print(terminal(text), soft_wrap=True)

    def tick(self, now: float) -> None:
        """Redraw the running steps with their elapsed time."""
        if now - self._drawn >= REDRAW:
            self._draw(now)

    def close(self) -> None:
        """Remove the lanes and show the cursor again."""
        self._live.stop()

    def _draw(self, now: float) -> None:
        self._drawn = now
        self._live.update(_lanes(self._pending, now), refresh=True)


def _finished(event: Event, time: str) -> Text:
    from rich.text import Text

    text = Text(f"{time} ")
    text.append(terminal(event.cluster), "bold")
    text.append(f"  {event.action.value.strip() or ' '} {terminal(event.key)}  ")
    text.append(words(event), _STYLES[event.phase])
    return text


def _lanes(pending: Pending, now: float) -> Text:
    """Return a heading for each busy cluster, with a line for each of its running steps."""
    from rich.text import Text

    text, cluster = Text(no_wrap=True, overflow="ellipsis"), None
    for event, age in pending.all(now):
        if event.cluster != cluster:
            cluster = event.cluster
            text.append(f"{terminal(cluster)}\n", "bold")
        sign = event.action.value.strip() or " "
        text.append(f"  {sign} {terminal(event.key)}  {doing(event.action)} {age:.0f}s")
        text.append(f"  {terminal(event.text)}\n" if event.text else "\n", "dim")
    return text
