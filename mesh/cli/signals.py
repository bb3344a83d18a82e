"""SIGINT and SIGTERM: the first stops the run after its running steps, the second stops them too.

Both keep the record of finished steps.
"""

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
"""Seconds after the first signal, and the signal that a running helm then gets.

After SIGTERM, helm marks its release as failed; a release that SIGKILL leaves pending is recovered by
the next run. Most installs finish within two seconds, and CI runners kill after ten.
"""


@contextmanager
def stopping(stop: Stop, say: Callable[[str], None], hurry: Callable[[], object]) -> Iterator[None]:
    """Set `stop` at the first signal; call `hurry` at the second one.

    The handler sets an event and raises nothing: an exception inside a wait would lose the result of
    a request that is in flight.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop():
            hurry()
            return
        stop.ask()
        say("interrupted: no more steps are started; running steps are finished and recorded")

    before = {each: signal.signal(each, handle) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def asking() -> Iterator[None]:
    """Let a signal end a prompt at once: no request is in flight while the user is asked."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@dataclass(slots=True)
class Grace:
    """Gives running helm processes a moment to finish after a stop request, then ends them."""

    stop: Callable[[], bool]
    children: Children
    monotonic: Callable[[], float]
    asked: float | None = None
    sent: int = 0

    def tick(self) -> None:
        """End helm processes that have used up their time; called several times a second."""
        if not self.stop():
            return
        now = self.monotonic()
        self.asked = now if self.asked is None else self.asked
        if self.sent < len(PATIENCE) and now - self.asked >= PATIENCE[self.sent][0]:
            self.children.stop(PATIENCE[self.sent][1])
            self.sent += 1
