"""The real command line, killed with SIGKILL at an exact point: `driver.py POINT ADDRESS -- apply --yes …`.

The interpreter itself tells where it is (`sys.addaudithook`), so that no line of the product knows
of this. A point is an event, and which steps are open in the journal at that moment:

    intent   the first request after the intent is on disk: the effect has not begun
    record   the lockfile is about to be written with the step's result: the effect is done
    rename   that lockfile is written under its temporary name, and not yet in place
    begin    the lockfile names the new run, and its journal is not open yet
    slice    the state is about to be put into a cluster
    end      everything is recorded, and the journal is about to go

Steps are run one at a time where the point is about one of them (`--parallelism 1`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOCKFILE = "mesh.lock"
JOURNAL = Path(".mesh/journal.jsonl")


def opened() -> set[str]:
    """The addresses whose step was begun and not finished, by the journal on disk."""
    found: set[str] = set()
    lines = JOURNAL.read_text().splitlines() if JOURNAL.exists() else []
    for line in lines:
        entry = json.loads(line)["entry"]
        match entry["event"]:
            case "intent":
                found.add(entry["address"])
            case "done":
                found.discard(entry["address"])
            case _:
                found.clear()
    return found


def is_request(event: str, args: tuple[Any, ...]) -> bool:
    return event == "http.client.send"


def is_temporary(event: str, args: tuple[Any, ...]) -> bool:
    return event == "tempfile.mkstemp" and f".{LOCKFILE}." in str(args[0])


def is_rename(event: str, args: tuple[Any, ...]) -> bool:
    return event == "os.rename" and str(args[1]).endswith(f"/{LOCKFILE}")


def is_opening(event: str, args: tuple[Any, ...]) -> bool:
    return event == "open" and str(args[0]).endswith(JOURNAL.name) and bool(int(args[2]) & os.O_CREAT)


def is_slice(event: str, args: tuple[Any, ...]) -> bool:
    return is_request(event, args) and args[1].startswith(b"PATCH") and b"-state?" in args[1]


def is_end(event: str, args: tuple[Any, ...]) -> bool:
    return event == "os.remove" and str(args[0]).endswith(JOURNAL.name)


POINTS: dict[str, Callable[[str, tuple[Any, ...]], bool]] = {
    "intent": is_request,
    "record": is_temporary,
    "rename": is_rename,
    "begin": is_opening,
    "slice": is_slice,
    "end": is_end,
}


def die_at(point: str, address: str) -> None:
    """Kill this process when it comes to the point; `-` stands for any address, or none."""
    comes_to = POINTS[point]

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if comes_to(event, args) and (address == "-" or address in opened()):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    point, address, _, *command = sys.argv[1:]
    die_at(point, address)
    from mesh.cli.main import run

    sys.exit(run(command))
