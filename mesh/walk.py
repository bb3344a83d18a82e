"""Walk a graph in dependency order with a pool of threads; the only module that starts threads.

A worker gets a key and returns a value. Everything else (`before`, `after`, `skipped`, `tick`) runs in the
caller's thread, one call at a time: so state, journal and terminal have a single writer and need no locks,
and what `before` wrote is on disk before the worker starts.
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

WAITING = 24
"""Threads that only wait for answers; how many requests one API server gets is bounded in its client."""


class Visitor(Protocol[K_contra, R]):
    """Callbacks for each key; all but `work` run in the caller's thread."""

    def before(self, key: K_contra) -> None:
        """Record the intent; an exception ends the walk."""

    def work(self, key: K_contra) -> R:
        """Do the work of a key on a worker thread; must not raise."""

    def after(self, key: K_contra, result: R) -> bool:
        """Record the result; False skips everything that depends on this key."""

    def skipped(self, key: K_contra, because: K_contra) -> None:
        """Record that a key is skipped because `because` failed."""

    def tick(self) -> None:
        """Called several times a second while work is in progress."""


@dataclass(slots=True)
class Stop:
    """A request to stop a run: it starts no more steps and finishes the running ones."""

    event: Event

    @classmethod
    def new(cls) -> Stop:
        """Return a stop request that is not set."""
        return cls(Event())

    def __call__(self) -> bool:
        """Return whether the stop was requested."""
        return self.event.is_set()

    def ask(self) -> None:
        """Request the stop."""
        self.event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep until the timeout or the stop request; return whether the stop was requested."""
        return self.event.wait(seconds)


def fan(work: Callable[[K], R], items: Iterable[K], workers: int = WAITING) -> dict[K, R]:
    """Call `work` for every item in parallel; return the results by item, in the order of the items."""
    keys = list(items)
    if len(keys) < 2:
        return {key: work(key) for key in keys}
    with ThreadPoolExecutor(max_workers=min(workers, len(keys))) as pool:
        return dict(zip(keys, pool.map(work, keys), strict=True))


def once(work: Callable[[], R], tick: Callable[[], None]) -> R:
    """Call `work` on a thread of its own and return its result; `tick` runs in the caller's meanwhile."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        while not wait([future], timeout=TICK_SECONDS).done:
            tick()
        return future.result()


def walk(
    needs: Mapping[K, Collection[K]], visitor: Visitor[K, R], *, workers: int, stopping: Callable[[], bool]
) -> frozenset[K]:
    """Visit every key after its dependencies; return the keys not started because of `stopping`."""
    # It always ends. The graph has no cycle (`model.graph.ordered` refuses one), so while keys remain, one of
    # them waits only for keys that are settled or running. Nothing here waits for a worker by name: a running
    # one ends by its own deadline, then either releases its users or settles them as skipped. With nothing
    # running and nothing ready, what remains was held back by `stopping` alone.
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
        # A heap, so that the same graph starts in the same order however its mapping was built.
        heapify(self.ready)  # type: ignore[type-var]  # keys are ordered
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
            # Raising here ends the walk before the worker starts: no effect without its intent on disk.
            self.visitor.before(key)
            self.settled.add(key)
            self.running[pool.submit(self.visitor.work, key)] = key

    def _collect(self) -> None:
        # A timeout, not only completions: leases must be renewed while all workers wait for one slow cluster.
        done, _ = wait(self.running, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            key = self.running.pop(future)
            if self.visitor.after(key, future.result()):
                self._release(key)
            else:
                self._skip(key)
        self.visitor.tick()

    def _release(self, key: K) -> None:
        # `waiting` only shrinks, and a user joins the heap when it becomes empty: exactly once.
        for user in self.users[key]:
            self.waiting[user].discard(key)
            if not self.waiting[user] and user not in self.settled:
                heappush(self.ready, user)  # type: ignore[type-var]

    def _skip(self, failed: K) -> None:
        # A user may be settled already, by another failure; it cannot be running, since it needs `failed`.
        doomed = list(self.users[failed])
        while doomed:
            key = doomed.pop()
            if key not in self.settled:
                self.settled.add(key)
                self.visitor.skipped(key, failed)
                doomed.extend(self.users[key])
