"""A progress line for a waiting user."""

from __future__ import annotations

import sys
import time
from typing import Protocol, TextIO

#: Seconds between two lines where the output is not a terminal.
QUIET = 15.0


class Progress(Protocol):
    """Shows progress: callers call `tick` often while they wait, and `done` once."""

    def tick(self, what: str) -> None:
        """Show what the command waits for."""

    def done(self, what: str) -> None:
        """Show the result."""


class Silent:
    """Progress without output."""

    def tick(self, what: str) -> None:
        """Do nothing."""

    def done(self, what: str) -> None:
        """Do nothing."""


class Line:
    """Progress on a stream: one updated line on a terminal, occasional plain lines elsewhere."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self.spoken = self.started
        self.terminal = self.stream.isatty()

    def tick(self, what: str) -> None:
        """Show the elapsed time and `what`, the latest status."""
        now = time.monotonic()
        if self.terminal:
            self._write(f"\r\x1b[K{self._text(what)[:100]}")
        elif now - self.spoken >= QUIET:
            self._write(self._text(what) + "\n")
            self.spoken = now

    def done(self, what: str) -> None:
        """End the line with `what`."""
        self._write(("\r\x1b[K" if self.terminal else "") + self._text(what) + "\n")

    def _text(self, what: str) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        return f"{self.title} {minutes}:{seconds:02d} {what}".rstrip()

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
