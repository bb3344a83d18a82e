"""A file lock (flock) that allows one lab command at a time per folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mesh.errors import LabError


@contextmanager
def locked(path: Path, *, deadline: float, waiting: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Hold the lock file `path`; yields its descriptor, which a child process may inherit to keep it.

    Waits up to `deadline` seconds and calls `waiting` regularly. The kernel releases the lock when the
    last holder exits, so a killed command leaves no lock behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _take(path, time.monotonic() + deadline, waiting)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(path: Path, until: float, waiting: Callable[[], None]) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _try_lock(descriptor) and _is_current(descriptor, path):
            return descriptor
        os.close(descriptor)
        if time.monotonic() > until:
            raise LabError(
                f"another command is using {path.parent}", hint="wait for it to finish, then try again"
            )
        waiting()
        time.sleep(0.2)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(descriptor: int, path: Path) -> bool:
    """Return whether the locked file is still the file at `path`: `down` deletes it while others wait."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
