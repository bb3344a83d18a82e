"""Helm processes that may outlive us: who is at work on a release, told by the kernel.

Before helm is started on a release, the lock file of that release is locked (flock) and the locked
descriptor is handed to the child. The lock then lives as long as helm or a child of its own does,
whatever becomes of us, and not a moment longer: kill -9, a full disk and a reboot included. What
is written in the file is for people. See docs/decisions/0003-helm-children.md.
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

from mesh.world.helm.errors import HelmBusy


@dataclass(frozen=True, slots=True)
class Child:
    """A helm process at work; `pid` is 0 if we were killed before it could be written down."""

    pid: int = 0
    started: str = ""
    command: str = ""

    def __str__(self) -> str:
        who = f"pid {self.pid}" if self.pid else "pid unknown"
        return f"{self.command or 'helm'} ({who}{f', since {self.started}' if self.started else ''})"


def lock_path(run_dir: Path, cluster: str, namespace: str, release: str) -> Path:
    """The lock file of one release of one cluster."""
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
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path)
    finally:
        os.close(fd)
    return None


@contextmanager
def locked(path: Path, what: str) -> Iterator[int]:
    """Hold the lock file of a release; yield the descriptor for the child. Raise HelmBusy.

    Our own descriptor is closed at the end; the kernel frees the lock with the last one.
    """
    private_folder(path.parent)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(fd):
            raise HelmBusy(
                f"{what}: another helm is still at work on it: {_read(path)}", hint="wait for it to end"
            )
        os.ftruncate(fd, 0)
        yield fd
    finally:
        os.close(fd)


def _taken(fd: int) -> bool:
    """Take the lock; try for a moment, because `alive` holds it for an instant when it looks."""
    for _ in range(10):
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def sweep(run_dir: Path) -> None:
    """Remove the values files of helms that are gone and whose parent was killed before it could."""
    for values in run_dir.glob("helm-*.values.json"):
        lock = values.with_name(values.name.replace(".values.json", ".lock"))
        with suppress(HelmBusy), locked(lock, ""):
            values.unlink(missing_ok=True)


def note(fd: int, pid: int, command: str) -> None:
    """Write down who holds the lock, for people and for `alive`."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    os.pwrite(fd, json.dumps({"pid": pid, "started": started, "command": command}).encode() + b"\n", 0)


def private_folder(path: Path) -> Path:
    """Make a folder that only we may look into."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _read(path: Path) -> Child:
    try:
        said = json.loads(path.read_text("utf-8"))
        return Child(int(said["pid"]), str(said["started"]), str(said["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Child()


class Children:
    """The helm processes of this run, so that another thread can tell them to stop."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pids: set[int] = set()
        self._stopped = False

    @contextmanager
    def running(self, pid: int) -> Iterator[None]:
        """Know of a process while it runs; one that starts after `stop` is stopped at once."""
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
        """The processes at work now."""
        with self._lock:
            return tuple(sorted(self._pids))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, ...]:
        """Tell every process to end: at SIGTERM helm marks its release as failed. Return whom."""
        with self._lock:
            self._stopped = True
            told = tuple(sorted(self._pids))
        for pid in told:
            signal_group(pid, number)
        return told


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a process group of ours; do nothing if it has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
