"""The real command line with one mischief: `driver.py MISCHIEF -- apply --yes …`.

    kill:N        SIGKILL at the N-th event (a request, a file written, renamed or removed, a program started)
    kill-all:N    the same, with every helm that it has started
    full:N        from the N-th file on, the disk is full for every fourth one
    clock:DAYS    the clock of this machine is so many days wrong
    count         print the number of events at the end, on stderr

The interpreter itself tells where it is (`sys.addaudithook`), so that no line of the product knows of this.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
EVENTS = frozenset(
    {"http.client.send", "os.rename", "os.remove", "os.link", "os.mkdir", "os.truncate", "subprocess.Popen"}
)
FILES = frozenset({"os.rename", "os.mkdir", "open"})


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children(int(child))]
    return found


def is_point(event: str, args: tuple[Any, ...]) -> bool:
    """Whether something may be interrupted here."""
    return event in EVENTS or (event == "open" and isinstance(args[2], int) and bool(args[2] & WRITES))


def killed(at: int, *, with_helm: bool) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that kills this process at a point."""
    left = [at]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if is_point(event, args):
            left[0] -= 1
            if left[0] == 0:
                for child in children(os.getpid()) if with_helm else []:
                    os.kill(child, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def full(at: int) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that lets files fail from one on."""
    seen = [0]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in FILES and is_point(event, args) and not str(args[0]).startswith(("/dev/", "/proc/")):
            seen[0] += 1
            if seen[0] >= at and seen[0] % 4 == at % 4:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(args[0]))

    return hook


def counting(counter: list[int]) -> Callable[[str, tuple[Any, ...]], None]:
    """Return a hook that counts the points."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        counter[0] += is_point(event, args)

    return hook


def wrong_by(days: float) -> None:
    """Set the clock that mesh asks."""
    import mesh.world.clock

    by = timedelta(days=days)
    mesh.world.clock.SystemClock.now = lambda _self: datetime.now(UTC) + by  # type: ignore[method-assign]


def main(mischief: str, command: list[str]) -> int:
    """Run the command with the mischief."""
    what, _, value = mischief.partition(":")
    counter = [0]
    from mesh.cli.main import run

    match what:
        case "kill" | "kill-all":
            sys.addaudithook(killed(int(value), with_helm=what == "kill-all"))
        case "full":
            sys.addaudithook(full(int(value)))
        case "clock":
            wrong_by(float(value))
        case "count":
            sys.addaudithook(counting(counter))
    code = run(command)
    if what == "count":
        sys.stderr.write(f"{counter[0]} events\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[3:]))
