"""SIGINT, SIGTERM and SIGHUP: the first stops the run after its running steps, the second stops them too.

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

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGHUP is a closed terminal or a lost connection; `nohup` ignores it, and so does mesh then."""

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

    with _handled_by(handle):
        yield


@contextmanager
def asking() -> Iterator[None]:
    """Let a signal end a prompt at once: no request is in flight while the user is asked."""
    with _handled_by(signal.default_int_handler):
        yield


ending = asking
"""For short commands that write: a signal ends them by KeyboardInterrupt, so that leases are given back."""


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    caught = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, handler) for each in caught}
    try:
        yield
    finally:
        for each, former in before.items():
            signal.signal(each, former)


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
