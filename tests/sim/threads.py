"""What stands for locks, pools of threads and time while a simulation runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple

from tests.sim.scheduler import Task, current

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


class Lock:
    """A lock at which a task waits for its turn."""

    def __init__(self) -> None:
        self.held = False

    def __enter__(self) -> None:
        if self.held:
            current().block(lambda: not self.held)
        self.held = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.held = False


class Read:
    """One read of a snapshot (`mesh.world.snapshot`), with a lock of the simulation."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.done = False
        self.value: Any = None
        self.error: Exception | None = None


class Gate:
    """A semaphore at which a task waits for its turn."""

    def __init__(self, places: int) -> None:
        self.free = places

    def __enter__(self) -> None:
        if not self.free:
            current().block(lambda: self.free > 0)
        self.free -= 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.free += 1


class Pool:
    """`ThreadPoolExecutor`, as far as `mesh.walk` uses it; more threads than workers do no harm."""

    def __init__(self, max_workers: int) -> None:
        self.max_workers = max_workers
        self.made: list[Task] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current().block(lambda: all(each.done for each in self.made))

    def submit(self, work: Callable[..., Any], *args: Any) -> Task:
        """Start a task in the process of the caller."""
        here = current()
        assert here.turn is not None
        task = here.spawn(lambda: work(*args), here.turn.process)
        self.made.append(task)
        return task

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
        """The results in the order of the items; at most `max_workers` are at work at the same time."""
        gate = Gate(self.max_workers)

        def one(item: Any) -> Any:
            with gate:
                return work(item)

        tasks = [self.submit(one, item) for item in items]
        return [task.result() for task in tasks]


class Waited(NamedTuple):
    """Tasks in the order in which they were begun: sets of them would have another one in every process."""

    done: tuple[Task, ...]
    not_done: tuple[Task, ...]


def wait(tasks: Iterable[Task], timeout: float, return_when: str = "") -> Waited:
    """`concurrent.futures.wait` for the first that ends."""
    here, all_of_them = current(), list(tasks)
    here.block(lambda: any(each.done for each in all_of_them), here.now + timeout)
    done = tuple(each for each in all_of_them if each.done)
    return Waited(done, tuple(each for each in all_of_them if each not in done))


class Clock:
    """The time of the simulation; a machine may be wrong about the date."""

    def __init__(self, wrong: timedelta = timedelta()) -> None:
        self.wrong = wrong

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=current().now) + self.wrong

    def monotonic(self) -> float:
        return current().now

    def sleep(self, seconds: float) -> None:
        current().sleep(seconds)
