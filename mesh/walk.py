"""Visit a graph in dependency order on threads; the only module that starts any.

The caller's thread stays the only one that writes lock, journal and terminal: workers get a key
and return a value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from threading import Event
from typing import Generic, Protocol, TypeVar

K = TypeVar("K")
K_contra = TypeVar("K_contra", contravariant=True)
R = TypeVar("R")

TICK_SECONDS = 0.2


class Visitor(Protocol[K_contra, R]):
    """What happens at each key; all but `work` run in the caller's thread."""

    def before(self, key: K_contra) -> None:
        """Note the intent; what this raises ends the walk."""

    def work(self, key: K_contra) -> R:
        """Do it, on a worker's thread; must not raise."""

    def after(self, key: K_contra, result: R) -> bool:
        """Note the result; False makes everything that needs this key be skipped."""

    def skipped(self, key: K_contra, because: K_contra) -> None:
        """Note that a key was not visited since `because` failed."""

    def tick(self) -> None:
        """Called several times a second while work is under way."""


@dataclass(slots=True)
class Stop:
    """Asks a run to stop: start nothing more, finish what is in flight."""

    event: Event

    @classmethod
    def new(cls) -> Stop:
        """Make one that nobody has asked yet."""
        return cls(Event())

    def __call__(self) -> bool:
        """Whether somebody asked."""
        return self.event.is_set()

    def ask(self) -> None:
        """Ask the run to stop."""
        self.event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, unless or until somebody asks; True if so."""
        return self.event.wait(seconds)


def fan(work: Callable[[K], R], items: Iterable[K], workers: int) -> dict[K, R]:
    """Call `work` for every item in parallel; results by item, in the items' order."""
    keys = list(items)
    if len(keys) < 2:
        return {key: work(key) for key in keys}
    with ThreadPoolExecutor(max_workers=min(workers, len(keys))) as pool:
        return dict(zip(keys, pool.map(work, keys), strict=True))


def walk(
    needs: Mapping[K, Collection[K]], visitor: Visitor[K, R], *, workers: int, stopping: Callable[[], bool]
) -> frozenset[K]:
    """Visit every key after all that it needs; return the keys never started because of `stopping`."""
    return _Walk(needs, visitor, workers, stopping).run()


class _Walk(Generic[K, R]):
    def __init__(
        self,
        needs: Mapping[K, Collection[K]],
        visitor: Visitor[K, R],
        workers: int,
        stopping: Callable[[], bool],
    ) -> None:
        self.waiting = {key: {need for need in some if need in needs} for key, some in needs.items()}
        self.users: dict[K, list[K]] = {key: [] for key in needs}
        for key, some in self.waiting.items():
            for need in some:
                self.users[need].append(key)
        self.ready = [key for key, some in self.waiting.items() if not some]
        heapify(self.ready)  # type: ignore[type-var]  # keys are ordered: the same graph starts in the same order
        self.visitor, self.workers, self.stopping = visitor, workers, stopping
        self.running: dict[Future[R], K] = {}
        self.settled: set[K] = set()

    def run(self) -> frozenset[K]:
        with ThreadPoolExecutor(max_workers=self.workers) as pool:
            while True:
                self._start(pool)
                if not self.running:
                    return frozenset(self.waiting.keys() - self.settled)
                self._collect()

    def _start(self, pool: ThreadPoolExecutor) -> None:
        while self.ready and len(self.running) < self.workers and not self.stopping():
            key = heappop(self.ready)  # type: ignore[type-var]
            self.visitor.before(key)
            self.settled.add(key)
            self.running[pool.submit(self.visitor.work, key)] = key

    def _collect(self) -> None:
        done, _ = wait(self.running, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            key = self.running.pop(future)
            if self.visitor.after(key, future.result()):
                self._release(key)
            else:
                self._skip(key)
        self.visitor.tick()

    def _release(self, key: K) -> None:
        for user in self.users[key]:
            self.waiting[user].discard(key)
            if not self.waiting[user] and user not in self.settled:
                heappush(self.ready, user)  # type: ignore[type-var]

    def _skip(self, failed: K) -> None:
        doomed = list(self.users[failed])
        while doomed:
            key = doomed.pop()
            if key not in self.settled:
                self.settled.add(key)
                self.visitor.skipped(key, failed)
                doomed.extend(self.users[key])
