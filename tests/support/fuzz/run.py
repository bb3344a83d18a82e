"""Feed mutated inputs to the targets: each within its seconds and the memory of the process."""

from __future__ import annotations

import os
import resource
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.support.fuzz.mesh import applied
from tests.support.fuzz.targets import EXPECTED, Targets

SECONDS = 5
MEMORY = 256 << 20


@dataclass
class Report:
    """What became of the inputs."""

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: int = 0

    def __str__(self) -> str:
        rows = [f"{name:20} {self.tried[name]:7} {self.refused[name]:7}" for name in sorted(self.tried)]
        total = f"{'all':20} {self.tried.total():7} {self.refused.total():7}"
        end = f"slowest {self.slowest:.2f} s, peak {self.peak >> 10} MiB, broken {len(self.broken)}"
        return "\n".join([f"{'target':20} {'inputs':>7} {'refused':>7}", *rows, total, end, *self.broken])


def fuzz(folder: Path, count: int, seed: int, first: int = 0) -> Report:
    """Try `count` inputs; each is drawn from the seed and its number, so that it can be tried again alone."""
    targets = Targets(applied(folder), folder).every()
    names = [name for name, (share, _) in targets.items() for _ in range(share)]
    report = Report()
    with limited():
        for number in range(first, first + count):
            draw = Random(f"{seed}:{number}")
            name = draw.choice(names)
            began = time.monotonic()
            report.tried[name] += 1
            try:
                signal.setitimer(signal.ITIMER_REAL, SECONDS)
                targets[name][1](draw)
            except EXPECTED as error:
                report.refused[name] += 1
                if not str(error).strip() or "Traceback" in str(error):
                    report.broken.append(f"--seed {seed} --first {number}: {name}: an empty error")
            except Exception:  # noqa: BLE001  # any other exception is what is looked for
                report.broken.append(
                    f"--seed {seed} --first {number}: {name}\n{traceback.format_exc(limit=-4)}"
                )
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            report.slowest = max(report.slowest, time.monotonic() - began)
    report.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return report


class TooSlow(Exception):  # noqa: N818  # a signal, not an error
    """An input took more than its seconds."""


@contextmanager
def limited() -> Iterator[None]:
    """Bound the memory that is added from here on, and make the alarm of an input an exception."""

    def ring(_signal: int, _frame: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + MEMORY, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, before)
