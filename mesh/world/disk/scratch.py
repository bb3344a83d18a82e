"""Private files for a library or program that reads only files: in memory, or in a folder of this run.

A killed process leaves its folder behind. Each folder has a lock that ends with its process, so the next
one tells a folder in use from one that was left.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "mesh-run-"
LOCK = ".lock"


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a private folder, which exists inside the context only."""
    sweep_scratch()
    folder, handle = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _locked_folder() -> tuple[Path, int]:
    """Create a folder, and hold its lock; return both."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with suppress(OSError):  # a file system without locks: nothing is swept there
            fcntl.flock(handle, fcntl.LOCK_EX)
        # A sweep by another process may have taken the folder for a left one before it was locked.
        if (folder / LOCK).exists():
            return folder, handle
        os.close(handle)


def scratch_until_exit() -> Path:
    """Return a private folder that is removed when this process ends."""
    held = scratch()
    folder = held.__enter__()
    atexit.register(held.__exit__, None, None, None)
    return folder


@contextmanager
def secret_path(data: bytes) -> Iterator[Path]:
    """Yield a path at which this process can read the bytes; on Linux they are never on a disk."""
    if memory := _in_memory(data):
        try:
            yield Path(f"/proc/self/fd/{memory}")
        finally:
            os.close(memory)
        return
    with scratch() as folder:
        path = folder / "data"
        path.touch(0o600)
        path.write_bytes(data)
        yield path


def _in_memory(data: bytes) -> int:
    """Return the descriptor of a file in memory; 0 if the system has none, or no /proc to name it."""
    try:
        handle = os.memfd_create("mesh", os.MFD_CLOEXEC)
    except (AttributeError, OSError):  # macOS has none
        return 0
    if not Path(f"/proc/self/fd/{handle}").exists():
        os.close(handle)
        return 0
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(data)
    return handle


def sweep_scratch() -> None:
    """Remove the folders that killed processes of this user left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            handle = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(handle)
