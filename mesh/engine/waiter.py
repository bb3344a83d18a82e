"""Wait for a cluster: poll until something holds, the time is up, or the run is asked to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mesh.engine.outcome import Outcome
from mesh.errors import MeshError
from mesh.model import Live
from mesh.world import World

POLL_SECONDS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
"""Pauses between two reads of something that is not ready; the last repeats."""

GOING_SECONDS = (*POLL_SECONDS, *[2.0] * 18)
"""Pauses before a deletion, while other objects disappear by themselves: 40 s in all."""

Judge = Callable[[Live | None], tuple[bool, str]]
"""Whether a live object is as it should be, and if not, why."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """Waits on a worker's thread, and reports what for."""

    world: World
    timeout: float
    stopping: Callable[[], bool]

    def until(self, about: str, read: Callable[[], Live | None], judge: Judge) -> Outcome:
        """Read until the judge is content; raise MeshError when the time is up."""
        # The judge is asked before the stop, so that a step that has just become ready counts as done; and
        # the stop before the deadline, so that a stopped run is never reported as too slow.
        clock = self.world.clock
        deadline = clock.monotonic() + self.timeout
        reads = 0
        while True:
            live = read()
            good, why = judge(live)
            if good:
                return Outcome(live)
            if self.stopping():
                return Outcome(live, stopped=why)
            if clock.monotonic() >= deadline:
                raise MeshError(
                    f"not ready after {self.timeout:.0f}s: {why}",
                    hint="the next apply goes on waiting; --timeout sets how long",
                )
            self.world.say(about, why)
            clock.sleep(POLL_SECONDS[min(reads, len(POLL_SECONDS) - 1)])
            reads += 1

    def until_gone(self, about: str, going: Callable[[], str]) -> None:
        """Give what disappears by itself a bounded time; it may be stuck, and the rest is still deleted."""
        for seconds in GOING_SECONDS:
            why = going()
            if not why or self.stopping():
                return
            self.world.say(about, why)
            self.world.clock.sleep(seconds)

    def pause(self, about: str, seconds: float) -> None:
        """Sleep; return early when the run is asked to stop."""
        self.world.say(about, f"pausing {seconds:.0f}s between clusters")
        self.world.clock.sleep(seconds)
