"""The real clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

Wait = Callable[[float], bool]
"""Waits at most so many seconds and returns early on a stop, as `threading.Event.wait` does."""


class SystemClock:
    """The time of this machine; `sleep` ends early when `wait` does."""

    def __init__(self, wait: Wait | None = None) -> None:
        self._wait = wait or threading.Event().wait

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; return early when the run should stop."""
        self._wait(max(0.0, seconds))
