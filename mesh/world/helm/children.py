"""Helm processes that may outlive mesh: whether one is still at work on a release.

A helm that outlives a killed run still writes to the cluster, so the next run must tell a living helm
from a dead one. A pid cannot: it may be reused, and it is unknown if mesh died between fork and write.
So mesh locks a file of the release (flock) before it starts helm, and passes the locked descriptor on.
A flock belongs to the open file description that parent and child share: it ends when the last of them,
or a child of helm, has closed it. That holds after kill -9, on a full disk and after a reboot. The text
in the file is for messages only. See docs/decisions/0003-helm-children.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from mesh.model.bounded_text import SMALL, loads
from mesh.world.disk.files import naming, private_folder
from mesh.world.helm.errors import HelmBusy
from mesh.world.shapes import fitted


@dataclass(frozen=True, slots=True)
class Child:
    """A helm process at work; `pid` is 0 if mesh was killed before it could record it."""

    pid: int = 0
    started: str = ""
    command: str = ""

    def __str__(self) -> str:
        who = f"pid {self.pid}" if self.pid else "pid unknown"
        return f"{self.command or 'helm'} ({who}{f', since {self.started}' if self.started else ''})"


def lock_path(run_dir: Path, cluster: str, namespace: str, release: str) -> Path:
    """Return the lock file of one release of one cluster."""
    names = (quote(name, safe="") for name in (cluster, namespace, release))
    return run_dir / f"helm-{'+'.join(names)}.lock"


def alive(run_dir: Path, cluster: str, namespace: str, release: str) -> Child | None:
    """Return the helm process that is still at work on a release, or None."""
    path = lock_path(run_dir, cluster, namespace, release)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # Shared: two runs that look at the same time do not take each other for a helm.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path)
    finally:
        os.close(fd)
    return None


@contextmanager
def locked(path: Path, what: str) -> Iterator[int]:
    """Hold the lock file of a release; yield the descriptor for the child. Raise HelmBusy.

    This process closes its descriptor at the end; the kernel frees the lock with the last one.
    """
    private_folder(path.parent)
    with naming(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(fd):
            raise HelmBusy(
                f"{what}: another helm process is still at work on it: {_read(path)}",
                hint="wait for it to end",
            )
        os.ftruncate(fd, 0)
        yield fd
    finally:
        os.close(fd)


def _taken(fd: int) -> bool:
    """Take the lock; try for a moment, because `alive` holds it for an instant when it checks."""
    for _ in range(10):
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def sweep(run_dir: Path) -> None:
    """Remove the values files that killed runs left, unless their helm is still at work."""
    for values in run_dir.glob("helm-*.values.json"):
        lock = values.with_name(values.name.replace(".values.json", ".lock"))
        with suppress(HelmBusy), locked(lock, ""):
            values.unlink(missing_ok=True)


def note(fd: int, pid: int, command: str) -> None:
    """Record the holder of the lock in its file, for messages."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    os.pwrite(fd, json.dumps({"pid": pid, "started": started, "command": command}).encode() + b"\n", 0)


def _read(path: Path) -> Child:
    try:
        said = fitted(loads(path.read_bytes(), SMALL), {"pid!": int, "started!": str, "command!": str})
        return Child(said["pid"], said["started"], said["command"])
    except (OSError, ValueError):
        return Child()


class Children:
    """The helm processes of this run, so that another thread can stop them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pids: set[int] = set()
        self._stopped = False

    @contextmanager
    def running(self, pid: int) -> Iterator[None]:
        """Register a process while it runs; one that starts after `stop` is stopped at once."""
        # Both under one lock: either `stop` sees the pid and signals it, or this thread sees the stop. A
        # process that starts at the moment of Ctrl-C cannot slip through between the two.
        with self._lock:
            self._pids.add(pid)
            stopped = self._stopped
        try:
            if stopped:
                signal_group(pid, signal.SIGTERM)
            yield
        finally:
            with self._lock:
                self._pids.discard(pid)

    def pids(self) -> tuple[int, ...]:
        """Return the processes at work now."""
        with self._lock:
            return tuple(sorted(self._pids))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, ...]:
        """Signal every process to end, and return them; at SIGTERM helm marks its release as failed."""
        with self._lock:
            self._stopped = True
            pids = tuple(sorted(self._pids))
        for pid in pids:
            signal_group(pid, number)
        return pids


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group of a helm; do nothing if it has ended."""
    # Each helm leads a group (`start_new_session`): Ctrl-C on the terminal does not reach it, so mesh
    # decides when it stops, and its plugins and hooks stop with it. A pid is only signalled between start
    # and wait, while the kernel cannot give it to another process.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
