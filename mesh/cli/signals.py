"""SIGINT and SIGTERM: the first asks the run to stop, the second hurries; neither loses knowledge."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from mesh.walk import Stop
from mesh.world.helm.children import Children

SIGNALS = (signal.SIGINT, signal.SIGTERM)

PATIENCE = ((2.0, signal.SIGTERM), (4.5, signal.SIGKILL))
"""Seconds after the first signal, and what a helm that is still at work is then told.

At SIGTERM it marks its release as failed; what SIGKILL leaves pending, the next run sets free.
Most installs end by themselves in two seconds. CI runners kill after ten.
"""


@contextmanager
def stopping(stop: Stop, say: Callable[[str], None], hurry: Callable[[], None]) -> Iterator[None]:
    """Turn signals into `stop`; call `hurry` at the second one.

    A handler that only sets an event: an exception thrown into a wait would lose a result that is
    on its way.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop():
            hurry()
            return
        stop.ask()
        say("interrupted: nothing more is started; what is in flight is finished and recorded")

    before = {each: signal.signal(each, handle) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def asking() -> Iterator[None]:
    """Let a signal end a question at once: nothing is in flight while somebody is asked."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@dataclass(slots=True)
class Grace:
    """Lets helms at work end by themselves for a moment after a run was asked to stop, then ends them."""

    stop: Callable[[], bool]
    children: Children
    monotonic: Callable[[], float]
    asked: float | None = None
    told: int = 0

    def tick(self) -> None:
        """Look at the time; called several times a second."""
        if not self.stop():
            return
        now = self.monotonic()
        self.asked = now if self.asked is None else self.asked
        if self.told < len(PATIENCE) and now - self.asked >= PATIENCE[self.told][0]:
            self.children.stop(PATIENCE[self.told][1])
            self.told += 1
