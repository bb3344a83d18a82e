"""Processes that outlive the command that starts them, found again by their command line.

There are no pid files. What runs is what the process table says: a process is ours when its arguments
are, word for word, those we recorded before starting it. They name the lab's own folder, so no stranger's
can be equal, a recycled pid is never mistaken for ours, and a process is found even if whoever started it
was killed in the same instant.
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

#: How often in a row nothing must be seen before nothing is there.
LOOKS = 5


@dataclass(frozen=True, slots=True, order=True)
class Running:
    """A live process: its pid, its arguments joined by blanks, its resident memory in bytes."""

    pid: int
    command: str
    rss: int


def table() -> tuple[Running, ...]:
    """Every live process of this machine that we may look at, by pid. Zombies do not count."""
    return _from_proc() if Path("/proc/self/cmdline").exists() else _from_ps()


def matching(argv: tuple[str, ...], processes: Iterable[Running]) -> tuple[Running, ...]:
    """Those of `processes` that run exactly `argv`.

    The program's own name is not compared: macOS shows another one for a framework Python.
    """
    tail = " " + " ".join(argv[1:])
    return tuple(process for process in processes if process.command.endswith(tail))


def spawn(argv: tuple[str, ...], *, cwd: Path, env: dict[str, str], log: Path) -> None:
    """Start `argv` in a session of its own, its output appended to `log`; does not wait for it.

    A shell in between starts it and ends, so init is its parent: it survives us and leaves no zombie.
    The shell's script is constant and takes every word as a parameter; nothing is spliced into it.
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
    """End every process that runs one of `commands`: ask, wait `grace` seconds, kill.

    Raises `LabError` for one that even then does not end.
    """
    wanted = tuple(commands)
    began = time.monotonic()
    asked: set[int] = set()
    while left := _running_now_or_soon(wanted):
        waited = time.monotonic() - began
        if waited > grace + GRACE:
            raise LabError(f"processes {sorted(left)} do not end", hint="try again; a debugger may hold them")
        late = waited > grace
        for pid in sorted(left if late else left - asked):
            _signal(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked |= left
        time.sleep(0.05)


def _running_now_or_soon(commands: tuple[tuple[str, ...], ...]) -> frozenset[int]:
    """Those that run; none only if several looks agree.

    One look may miss a process that is being started by somebody who was killed just now: the shell
    hands over to its child between the listing and the reading, and a fork has no arguments of its own yet.
    """
    for _ in range(LOOKS if commands else 0):
        if found := running(commands):
            return found
        time.sleep(0.05)
    return frozenset()


def settle(commands: tuple[tuple[str, ...], ...], *, seconds: float = 1.0) -> None:
    """Give fresh processes a second to fail on their first steps; returns early when one has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(running(commands)) == len(commands):
        time.sleep(0.1)


def running(commands: Iterable[tuple[str, ...]]) -> frozenset[int]:
    """The pids of all processes that run one of `commands`, read from the process table now."""
    processes = table()
    return frozenset(process.pid for argv in commands for process in matching(argv, processes))


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _from_proc() -> tuple[Running, ...]:
    page = os.sysconf("SC_PAGE_SIZE")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end between the listing and the reading, or belong to somebody else.
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
