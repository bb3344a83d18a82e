"""SIGINT and SIGTERM: the first asks the run to stop, the second hurries; neither loses knowledge."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from mesh.walk import Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
