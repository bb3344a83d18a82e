"""Threads of which one runs at a time, and a clock that only waiting moves: the seed draws who goes on.

A task is a real thread, so that the code under test needs no change. It holds the turn until it comes to a
point where it could be interrupted (`gate`) or has to wait (`block`), and there hands the turn over.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LONGEST = 4000.0
"""Simulated seconds that a run may take; no command waits that long."""


class Killed(BaseException):  # not an error: the process is gone
    """The simulated process of this task was killed: nothing of it may happen any more."""


class Stuck(AssertionError):  # noqa: N818  # reads as what happened
    """Every task waits for another, or the run does not end."""


@dataclass(eq=False)
class Process:
    """What dies together: a command with its workers, or one helm."""

    name: str
    folder: str = ""
    dead: bool = False
    tasks: list[Task] = field(default_factory=list)
    children: list[Process] = field(default_factory=list)
    """Those that are killed with it."""

    def kill(self) -> None:
        """Let no task of it do anything any more."""
        self.dead = True
        for each in self.children:
            each.kill()


def never() -> bool:
    """For tasks that only a time wakes."""
    return False


@dataclass(eq=False)
class Task:
    """One thread of a process; `ready` is what it waits for, None if it could go on."""

    work: Callable[[], Any]
    process: Process
    wake: threading.Lock
    ready: Callable[[], bool] | None = None
    until: float | None = None
    done: bool = False
    value: Any = None
    error: BaseException | None = None

    def result(self, _timeout: float | None = None) -> Any:
        """Wait for the end, as `concurrent.futures.Future.result` does."""
        current().block(lambda: self.done)
        if self.error is not None:
            raise self.error
        return self.value


class _Thread:
    """A real thread that is used for one task after another."""

    idle: list[_Thread] = []  # noqa: RUF012  # shared by all simulations of this process, on purpose

    def __init__(self) -> None:
        self.wake = threading.Lock()
        self.wake.acquire()
        self.job: tuple[Scheduler, Task] | None = None
        threading.Thread(target=self._loop, daemon=True).start()

    @classmethod
    def give(cls, scheduler: Scheduler, task: Task) -> None:
        thread = cls.idle.pop() if cls.idle else cls()
        thread.job = (scheduler, task)
        task.wake = thread.wake

    def _loop(self) -> None:
        while True:
            self.wake.acquire()
            assert self.job is not None
            scheduler, task = self.job
            try:
                if task.process.dead:
                    raise Killed
                task.value = task.work()
            except BaseException as error:  # noqa: BLE001  # kept for whoever asks for the result
                task.error = error
            self.job = None
            _Thread.idle.append(self)
            scheduler.left(task)


class Scheduler:
    """The tasks of one simulated run; `loyalty` is how often a task that could go on keeps the turn."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.loyalty = draw.choice((0.0, 0.5, 0.9, 1.0))
        self.now = 0.0
        self.tasks: list[Task] = []
        self.turn: Task | None = None
        self.stuck = ""
        self._main = threading.Lock()
        self._goal: Callable[[], bool] = never

    def spawn(self, work: Callable[[], Any], process: Process) -> Task:
        """Add a task; it begins when its turn comes."""
        task = Task(work, process, self._main)
        _Thread.give(self, task)
        self.tasks.append(task)
        process.tasks.append(task)
        return task

    def run(self, goal: Callable[[], bool]) -> None:
        """Let the tasks go on until the goal holds; called from outside of them."""
        if goal() or not self.tasks:
            return
        self._goal = goal
        self._main.acquire()
        self._pass_on(None)
        self._main.acquire()  # until `_pass_on` finds that the goal is reached
        self._main.release()
        if self.stuck:
            raise Stuck(self.stuck)

    def gate(self, seconds: float = 0.0) -> None:
        """A point at which another task may go on first."""
        task = self.turn
        assert task is not None, "only tasks come to gates"
        if task.process.dead:
            raise Killed
        self.now += seconds
        if len(self.tasks) > 1 and self.draw.random() >= self.loyalty:
            self._switch(task)

    def block(self, ready: Callable[[], bool], until: float | None = None) -> None:
        """Wait until something holds, or a time has come."""
        task = self.turn
        assert task is not None, "only tasks wait"
        if task.process.dead:
            raise Killed
        if ready():
            return
        task.ready, task.until = ready, until
        self._switch(task)

    def sleep(self, seconds: float) -> None:
        """Wait so many simulated seconds."""
        self.block(never, self.now + max(seconds, 0.001))

    def left(self, task: Task) -> None:
        """Hand the turn over at the end of a task."""
        task.done = True
        self.tasks.remove(task)
        task.process.tasks.remove(task)
        self._pass_on(None)

    def _switch(self, task: Task) -> None:
        if self._pass_on(task) is not task:
            task.wake.acquire()
        task.ready = task.until = None
        if task.process.dead or self.stuck:
            raise Killed

    def _pass_on(self, task: Task | None) -> Task | None:
        """Give the turn to a task that may have it, by the seed; return it, None at the end."""
        chosen = None if self._goal() else self._next()
        self.turn = chosen
        if chosen is None:
            if not self._goal():
                self.stuck = self.stuck or "every task waits"
            self._main.release()
        elif chosen is not task:
            chosen.wake.release()
        return chosen

    def _next(self) -> Task | None:
        able = [task for task in self.tasks if self._may(task)]
        if able:
            return able[0] if len(able) == 1 else able[int(self.draw.random() * len(able))]
        times = [task.until for task in self.tasks if task.until is not None]
        if not times:
            return None
        self.now = max(self.now, min(times))
        if self.now > LONGEST:
            self.stuck = "it does not end"
            return None
        return next(task for task in self.tasks if task.until is not None and task.until <= self.now)

    def _may(self, task: Task) -> bool:
        if task.ready is None or task.process.dead:
            return True
        return (task.until is not None and task.until <= self.now) or task.ready()


_current: list[Scheduler] = []


def current() -> Scheduler:
    """The simulation that runs now."""
    return _current[-1]


def enter(scheduler: Scheduler) -> None:
    """Make this the simulation that runs."""
    _current[:] = [scheduler]
