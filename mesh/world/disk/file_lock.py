"""Mutual exclusion between runs on one machine: a lock that the kernel frees when its holder dies.

A file that merely exists, with a pid in it, would outlive a killed run, and its pid may be reused. A
flock belongs to the open file description: the kernel frees it when the last descriptor closes, however
the process ends. The body of the file only names the holder, for a message; it decides nothing, so it
may be empty, old or torn.

The lock has a file of its own, never renamed or deleted: a lock on `mesh.lock` itself would stay with
the old inode when the file is replaced, and two runs could each hold one.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from mesh.errors import LockedError, StateError
from mesh.model.bounded_text import SMALL, loads
from mesh.world import trace
from mesh.world.disk.files import naming
from mesh.world.shapes import fitted

HOLDER = {"who!": str, "host!": str, "pid!": int, "doing!": str, "since!": str}

LOOKS, SECONDS_BETWEEN = 20, 0.05
"""How often to look for the name of a holder, which writes it just after it has the lock."""


class FileLock:
    """An exclusive lock on `path`; a context manager that releases it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = -1

    def acquire(self, doing: str, *, since: datetime) -> FileLock:
        """Take the lock and name the holder in the file; raise LockedError, naming the other holder."""
        self._take()
        holder = {
            "doing": doing,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": since.isoformat(timespec="seconds"),
            "who": user(),
        }
        try:
            with naming(self.path):
                os.ftruncate(self._handle, 0)
                os.pwrite(self._handle, json.dumps(holder, sort_keys=True).encode() + b"\n", 0)
        except StateError:
            self.release()
            raise
        trace.event(trace.STATE, "file_lock_acquired", path=self.path, doing=doing)
        return self

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        if self._handle >= 0:
            # Emptied while the lock is still held: afterwards it could erase the next holder's name.
            with suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            trace.event(trace.STATE, "file_lock_released", path=self.path)
        self._handle = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _take(self) -> None:
        if self._handle >= 0:
            raise StateError(f"this process already holds the lock {self.path}")
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{self.path} cannot be opened: {error.strerror or error}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between open and flock the file may have been replaced, as by a restored folder: the lock
            # would then be on an inode that no other run opens.
            if os.fstat(handle).st_ino != self.path.stat().st_ino:
                raise StateError(f"{self.path} was replaced at the same time", hint="run the command again")
        except BlockingIOError:
            os.close(handle)
            raise LockedError(
                f"{self.path} is locked by {self._holder()}",
                hint="wait for it to end, or stop it: the lock ends with its process",
            ) from None
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def _holder(self) -> str:
        """Return the holder as the body names it; it is written a moment after the lock is taken."""
        for _ in range(LOOKS):
            try:
                body = fitted(loads(self.path.read_bytes(), SMALL), HOLDER)
                return "{who} on {host}, process {pid}: {doing}, since {since}".format(**body)
            except (OSError, ValueError):
                time.sleep(SECONDS_BETWEEN)
        return "another process"


def user() -> str:
    """Return the name of the user of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
