"""Background processes that outlive the command that starts them; they are found by command line.

There are no pid files. The process table is the truth: a process belongs to the lab if its arguments
equal, word for word, those recorded before its start. The arguments contain the lab's folder, so no
other process can match, a reused pid is never mistaken, and a process is found even if the command
that started it was killed right after.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mesh.errors import LabError

#: Seconds a process gets to end by itself before it is killed.
GRACE = 5.0

#: Number of consecutive looks without a process before it counts as not running.
LOOKS = 5


@dataclass(frozen=True, slots=True, order=True)
class Running:
    """A live process: its pid, its arguments joined by spaces, its resident memory in bytes."""

    pid: int
    command: str
    rss: int


def table() -> tuple[Running, ...]:
    """Return every live process that this user can inspect, by pid; without zombies."""
    return _from_proc() if Path("/proc/self/cmdline").exists() else _from_ps()


def matching(argv: tuple[str, ...], processes: Iterable[Running]) -> tuple[Running, ...]:
    """Return the processes that run exactly `argv`.

    The program name is not compared: macOS shows another one for a framework Python.
    """
    tail = " " + " ".join(argv[1:])
    return tuple(process for process in processes if process.command.endswith(tail))


def spawn(argv: tuple[str, ...], *, cwd: Path, env: dict[str, str], log: Path) -> None:
    """Start `argv` in a new session with its output appended to `log`; does not wait for it.

    An intermediate shell starts it and exits, so that init becomes its parent: it outlives this process
    and leaves no zombie. The script is constant and gets every word as a parameter, so that nothing is
    interpolated into it.
    """
    with log.open("ab") as output:
        subprocess.run(
            ["/bin/sh", "-c", '"$@" & exit 0', "sh", *argv],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            check=True,
            timeout=30,
        )


def stop(commands: Iterable[tuple[str, ...]], *, grace: float = GRACE) -> None:
    """Stop every process that runs one of `commands`: SIGTERM, wait `grace` seconds, SIGKILL.

    Raise `LabError` if a process survives that.
    """
    wanted = tuple(commands)
    began = time.monotonic()
    asked: set[int] = set()
    while left := _running_now_or_soon(wanted):
        waited = time.monotonic() - began
        if waited > grace + GRACE:
            raise LabError(
                f"processes {sorted(left)} do not exit", hint="try again; a debugger may hold them"
            )
        late = waited > grace
        for pid in sorted(left if late else left - asked):
            _signal(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked |= left
        time.sleep(0.05)


def _running_now_or_soon(commands: tuple[tuple[str, ...], ...]) -> frozenset[int]:
    """Return the running processes; () only if several looks at the process table agree.

    One look can miss a process that a killed command was just starting: the shell may be replaced by
    its child between listing and reading, and a fork has no arguments of its own yet.
    """
    for _ in range(LOOKS if commands else 0):
        if found := running(commands):
            return found
        time.sleep(0.05)
    return frozenset()


def settle(commands: tuple[tuple[str, ...], ...], *, seconds: float = 1.0) -> None:
    """Wait up to a second for new processes to fail at startup; returns early if one has exited."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(running(commands)) == len(commands):
        time.sleep(0.1)


def running(commands: Iterable[tuple[str, ...]]) -> frozenset[int]:
    """Return the pids of all processes that run one of `commands`, from the current process table."""
    processes = table()
    return frozenset(process.pid for argv in commands for process in matching(argv, processes))


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _from_proc() -> tuple[Running, ...]:
    page = os.sysconf("SC_PAGE_SIZE")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may exit between listing and reading, or belong to another user.
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().rstrip(b"\0")
            if words:
                rss = int((folder / "statm").read_text().split()[1]) * page
                command = words.replace(b"\0", b" ").decode(errors="replace")
                found.append(Running(pid=int(folder.name), command=command, rss=rss))
    return tuple(sorted(found))


def _from_ps() -> tuple[Running, ...]:
    answer = subprocess.run(
        ["/bin/ps", "-axww", "-o", "pid=,rss=,command="],
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
        timeout=30,
    )
    rows = (line.split(maxsplit=2) for line in answer.stdout.splitlines())
    return tuple(sorted(Running(int(row[0]), row[2], int(row[1]) * 1024) for row in rows if len(row) == 3))
