"""Measure whole processes with the operating system's accounting, interleaved: A B A B …"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Argv = tuple[str, ...]
MIB = 1 << 20
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


Figure = Literal["wall", "cpu", "peak"]


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: wall time and CPU time in seconds, peak memory in MiB."""

    wall: float
    cpu: float
    peak: float

    def __getitem__(self, figure: Figure) -> float:
        return {"wall": self.wall, "cpu": self.cpu, "peak": self.peak}[figure]


@dataclass(frozen=True, slots=True)
class Command:
    """A measured command, and its name in tables."""

    name: str
    argv: Argv


@dataclass(frozen=True, slots=True)
class Timed:
    """A command with all of its measured runs."""

    name: str
    runs: tuple[Run, ...]

    def median(self, figure: Figure) -> float:
        """Return the median of a figure over the runs."""
        return statistics.median(run[figure] for run in self.runs)

    def least(self, figure: Figure) -> float:
        """Return the minimum of a figure over the runs."""
        return min(run[figure] for run in self.runs)


def ratio(one: Timed, other: Timed, figure: Figure) -> float:
    """Return the median ratio of neighbouring runs, which cancels drifts of the machine."""
    pairs = zip(one.runs, other.runs, strict=True)
    return statistics.median(a[figure] / b[figure] for a, b in pairs)


def in_turn(commands: Sequence[Command], env: Mapping[str, str], cwd: str, runs: int) -> tuple[Timed, ...]:
    """Run each command once to warm up, then all of them in turn `runs` times."""
    found: list[list[Run]] = [[] for _ in commands]
    for turn in range(runs + 1):
        for command, done in zip(commands, found, strict=True):
            run = once(command, env, cwd)
            if turn:
                done.append(run)
    return tuple(Timed(command.name, tuple(done)) for command, done in zip(commands, found, strict=True))


def once(command: Command, env: Mapping[str, str], cwd: str) -> Run:
    """Run one process to its end without its output; raise SystemExit if it fails."""
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        _become(command.argv, env, cwd)
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - began
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{command.name} exited {code}: {' '.join(command.argv)}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * RSS_UNIT / MIB)


def _become(argv: Argv, env: Mapping[str, str], cwd: str) -> None:
    try:
        os.chdir(cwd)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execve(argv[0], argv, dict(env))
    finally:
        os._exit(127)
