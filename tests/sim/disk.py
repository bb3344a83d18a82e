"""The functions of `os` that change files, held to the seed: each may fail, or be the last of its process.

The files are real ones in a file system in memory. What a killed process has not done is not done; what it
holds open, the kernel closes: here, `left_open` does.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from tests.sim.scheduler import Killed, Process, current

NAMES = ("open", "write", "pwrite", "fsync", "fdatasync", "ftruncate", "replace", "link", "unlink", "mkdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC

Call = Callable[..., Any]


class Striker(Protocol):
    """Decides what becomes of one operation on a file."""

    def file_fault(self, process: Process, name: str, path: str) -> str:
        """Return "", "before", "after" (killed then), "half" (a write, killed), "full" or "broken"."""


class Raw(io.FileIO):
    """A file whose writes go through `os.write`, so that they can fail; the disk closes it."""

    def __init__(self, disk: Disk, handle: int) -> None:
        self._disk, self._owner = disk, disk.open[handle]
        super().__init__(handle, "wb", closefd=False)

    def write(self, data: Any, /) -> int:
        # Collected as garbage after its process was killed, a stream writes what it holds: to nowhere.
        if self._disk.open.get(self.fileno()) is not self._owner:
            return len(data)
        return os.write(self.fileno(), data)


class Disk:
    """Which process has which file open, and what may strike it."""

    def __init__(self, root: str, striker: Striker) -> None:
        self.root = root
        self.striker = striker
        self.open: dict[int, tuple[Process, str]] = {}
        self.real: dict[str, Call] = {name: getattr(os, name) for name in (*NAMES, "close", "fdopen")}

    def left_open(self, process: Process) -> None:
        """Close what a process that has ended holds."""
        for handle in [each for each, (owner, _) in self.open.items() if owner is process]:
            self.open.pop(handle)
            self.real["close"](handle)

    def call(self, name: str, *args: Any, **named: Any) -> Any:
        """Carry one operation out, or what the seed makes of it."""
        path = self._path(args)
        here = current()
        if not path or here.turn is None or (name == "open" and not args[1] & WRITING):
            return self.real[name](*args, **named)
        process = self.open[args[0]][0] if isinstance(args[0], int) else here.turn.process
        if process.dead:
            raise Killed
        fault = self.striker.file_fault(process, name, path)
        if fault in ("full", "broken"):
            number = errno.ENOSPC if fault == "full" else errno.EIO
            raise OSError(number, os.strerror(number), path)
        if fault == "before" or (fault == "half" and name != "write"):
            process.kill()
            raise Killed
        if fault == "half":
            self.real["write"](args[0], bytes(args[1])[: len(args[1]) // 2])
            process.kill()
            raise Killed
        answer = self.real[name](*args, **named)
        if name == "open":
            self.open[answer] = (process, path)
        if fault == "after":
            process.kill()
            raise Killed
        return answer

    def opened(self, path: Any, flags: int, *rest: Any, **named: Any) -> Any:
        """`os.open`; a file that is only read is remembered too, for it may be locked."""
        handle = self.call("open", path, flags, *rest, **named)
        here = current()
        if handle not in self.open and here.turn is not None and self._path((path,)):
            self.open[handle] = (here.turn.process, str(path))
        return handle

    def closed(self, handle: int) -> None:
        """`os.close`."""
        if handle in self.open and self.open[handle][0].dead:
            raise Killed
        self.open.pop(handle, None)
        self.real["close"](handle)

    def stream(self, handle: int, mode: str = "r", *rest: Any, **named: Any) -> Any:
        """`os.fdopen`."""
        if mode == "wb" and handle in self.open:
            return Buffered(self, handle)
        self.open.pop(handle, None)  # the stream closes it
        return self.real["fdopen"](handle, mode, *rest, **named)

    def _path(self, args: tuple[Any, ...]) -> str:
        first = args[0]
        if isinstance(first, int):
            return self.open[first][1] if first in self.open else ""
        path = os.fspath(first)
        return path if isinstance(path, str) and path.startswith(self.root) else ""

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put these functions in the place of those of `os`."""

        def stand_in(name: str) -> Call:
            return lambda *args, **named: self.call(name, *args, **named)

        try:
            for name in NAMES:
                setattr(os, name, stand_in(name))
            os.open, os.close, os.fdopen = self.opened, self.closed, self.stream  # type: ignore[assignment]
            yield
        finally:
            for name, function in self.real.items():
                setattr(os, name, function)


class Buffered(io.BufferedWriter):
    """A stream over `Raw`."""

    def __init__(self, disk: Disk, handle: int) -> None:
        self._disk, self._handle, self._owner = disk, handle, disk.open[handle]
        super().__init__(Raw(disk, handle))

    def close(self) -> None:
        """Close it; the file stays open in a process that was killed."""
        super().close()
        if self._disk.open.get(self._handle) is self._owner and not self._owner[0].dead:
            self._disk.open.pop(self._handle)
            self._disk.real["close"](self._handle)
