"""The standard streams: open in every process, and what happens when one cannot be written.

A full disk or a reader that has ended must not stop a run between two steps, nor end it without a word: a
run goes on without the stream, and its command fails at the end.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from mesh.errors import MeshError

NAMES = ("stdin", "stdout", "stderr")


class Stream(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> int:
        """Write text."""

    def flush(self) -> None:
        """Write what is buffered."""

    def isatty(self) -> bool:
        """Return whether it is a terminal."""

    def fileno(self) -> int:
        """Return its descriptor."""


class OutputError(MeshError):
    """A standard stream cannot be written."""


class SteadyStream:
    """A stream that drops what cannot be written, and keeps the first error."""

    def __init__(self, name: str, stream: Stream) -> None:
        self.name = name
        self.lost: OSError | None = None
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write text, unless an earlier write failed."""
        if self.lost is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, unless an earlier write failed."""
        if self.lost is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._stream.fileno()

    def _lose(self, error: OSError) -> None:
        self.lost = error
        silence(self._stream)


class StandardStream(io.TextIOWrapper):
    """stdout or stderr, which knows that a write failed: the error itself does not name the stream."""

    failed: OSError | None = None

    def write(self, text: str, /) -> int:
        """Write text; keep the error."""
        try:
            return super().write(text)
        except OSError as error:
            self.failed = error
            raise

    def flush(self) -> None:
        """Write what is buffered; keep the error."""
        try:
            super().flush()
        except OSError as error:
            self.failed = error
            raise


def open_standard() -> None:
    """Give each standard stream that is closed the null device, and let stdout and stderr know their errors.

    The next file that is opened would get the number of a closed one, and a child process or a library would
    write to it.
    """
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number is this one
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    for name in NAMES[1:]:
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            encoding, lines = stream.encoding, stream.line_buffering
            made = StandardStream(
                stream.detach(), encoding=encoding, errors="backslashreplace", line_buffering=lines
            )
            setattr(sys, name, made)


def silence(stream: Stream) -> None:
    """Lead a stream to the null device: what is still in its buffer would fail again at the end."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def lost_stream() -> tuple[str, OSError] | None:
    """Return the standard stream that cannot be written, with its error, after an error of unknown origin."""
    for name in NAMES[1:]:
        stream = getattr(sys, name)
        failed: OSError | None = getattr(stream, "failed", None)
        try:
            stream.flush()
        except OSError as error:
            failed = failed or error
        if failed:
            silence(stream)
            stream.failed = None
            return name, failed
    return None


def output_error(name: str, error: OSError, *, hint: str) -> OutputError:
    """Return the error for a stream that cannot be written."""
    return OutputError(f"{name} could not be written: {error.strerror or error}", hint=hint)


@contextmanager
def watched(hint: str) -> Iterator[None]:
    """Turn an error of a standard stream into an OutputError with that hint."""
    try:
        yield
    except OSError as error:
        if found := lost_stream():
            raise output_error(*found, hint=hint) from error
        raise
