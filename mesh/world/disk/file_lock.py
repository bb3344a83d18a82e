"""Mutual exclusion between runs on one machine: a lock the kernel gives back when its holder dies.

The lock is on a file of its own, never renamed and never deleted, so that the files it guards can
be replaced atomically. Its body tells who holds it; only the flock itself decides.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType

from mesh.errors import LockedError, StateError
from mesh.world import trace

LOOKS, SECONDS_BETWEEN = 20, 0.05
"""How often the name of a holder is looked for that has just taken the lock."""


class FileLock:
    """A lock on `path`, exclusive or shared; use it as a context manager to release it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = -1
        self._has_body = False

    def acquire(self, doing: str, *, since: datetime) -> FileLock:
        """Take the lock for oneself and say so in the file; raise LockedError naming the holder."""
        self._take(fcntl.LOCK_EX)
        holder = {
            "doing": doing,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": since.isoformat(timespec="seconds"),
            "who": user(),
        }
        os.ftruncate(self._handle, 0)
        self._has_body = True
        os.pwrite(self._handle, json.dumps(holder, sort_keys=True).encode() + b"\n", 0)
        trace.event(trace.STATE, "file_lock_acquired", path=self.path, doing=doing)
        return self

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._handle >= 0:
            if self._has_body:
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            trace.event(trace.STATE, "file_lock_released", path=self.path)
        self._handle, self._has_body = -1, False

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _take(self, how: int) -> None:
        if self._handle >= 0:
            raise StateError(f"{self.path} is locked by this process already")
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{self.path} cannot be opened: {error.strerror or error}") from error
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
            if os.fstat(handle).st_ino != self.path.stat().st_ino:
                raise StateError(f"{self.path} was replaced meanwhile", hint="run the command again")
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
        """Read the body; a reader leaves none, and a writer writes it a moment after it has the lock."""
        for _ in range(LOOKS):
            try:
                body = json.loads(self.path.read_bytes())
                return "{who} on {host}, process {pid}: {doing}, since {since}".format(**body)
            except (OSError, ValueError, KeyError, TypeError):
                time.sleep(SECONDS_BETWEEN)
        return "another process"


def user() -> str:
    """Whoever runs this, by name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
